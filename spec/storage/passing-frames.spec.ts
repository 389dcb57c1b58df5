// lib/storage/passing-frames.ts

import { expect } from 'chai';
import { PassingFrames } from '../../lib/storage/passing-frames.js';

describe('passing frames', () => {
  const pages = Uint32Array.from({ length: 100 }, (_, frame) => 1000 + frame);
  const filled = (count: number): PassingFrames => {
    const passing = new PassingFrames(100, 4, 3);
    for (let frame = 0; frame < count; frame++) passing.add(frame, pages[frame]);
    return passing;
  };
  const taken = (passing: PassingFrames, times: number): (number | undefined)[] =>
    Array.from({ length: times }, () => passing.take(pages));

  it('are given out from the oldest on, but for the few that were filled last', () => {
    expect(taken(filled(7), 4)).to.deep.equal([0, 1, 2, undefined]);
    expect(taken(filled(4), 1)).to.deep.equal([undefined]);
  });

  it('are those that came first: where there are enough, no other becomes one', () => {
    expect(taken(filled(9), 4)).to.deep.equal([0, 1, 2, undefined]);
    const passing = filled(7);
    expect(taken(passing, 2)).to.deep.equal([0, 1]);
    passing.add(20, pages[20]);
    passing.add(1, pages[1]);
    passing.add(0, pages[0]);
    // One that goes other ways leaves its place to another.
    expect(taken(passing, 1)).to.deep.equal([2]);
    passing.forget(2);
    passing.add(21, pages[21]);
    passing.add(22, pages[22]);
    expect(taken(passing, 4)).to.deep.equal([3, 4, 5, undefined]);
    for (const frame of [3, 4, 5]) passing.add(frame, pages[frame]);
    expect(taken(passing, 3)).to.deep.equal([6, 1, 0]);
    for (const frame of [6, 1, 0]) passing.add(frame, pages[frame]);
    expect(taken(passing, 1), 'the new one').to.deep.equal([21]);
  });

  it('are not given out where they hold another page by now, and are forgotten', () => {
    const passing = filled(2);
    passing.add(50, 7);
    for (let frame = 60; frame < 64; frame++) passing.add(frame, pages[frame]);
    expect(taken(passing, 4)).to.deep.equal([0, 1, undefined, undefined]);
  });
});
