// lib/storage/passing-frames.ts

import { expect } from 'chai';
import { PassingFrames } from '../../lib/storage/passing-frames.js';

describe('passing frames', () => {
  const pages = Uint32Array.from({ length: 100 }, (_, frame) => 1000 + frame);
  const filled = (count: number): PassingFrames => {
    const passing = new PassingFrames(4, 3);
    for (let frame = 0; frame < count; frame++) passing.add(frame, pages[frame]);
    return passing;
  };
  const taken = (passing: PassingFrames, times: number): (number | undefined)[] =>
    Array.from({ length: times }, () => passing.take(pages));

  it('are given out from the oldest on, but for the few that were filled last', () => {
    expect(taken(filled(7), 4)).to.deep.equal([0, 1, 2, undefined]);
    expect(taken(filled(4), 1)).to.deep.equal([undefined]);
  });

  it('forget the oldest where there are too many', () => {
    expect(taken(filled(9), 4)).to.deep.equal([2, 3, 4, undefined]);
  });

  it('are not given out where they hold another page by now, and are forgotten', () => {
    const passing = filled(2);
    passing.add(50, 7);
    for (let frame = 60; frame < 64; frame++) passing.add(frame, pages[frame]);
    expect(taken(passing, 4)).to.deep.equal([0, 1, undefined, undefined]);
  });
});
