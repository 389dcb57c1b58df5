// lib/tree/branch-list.ts: what is added up as children come is what adding them all up gives.

import { expect } from 'chai';
import fc from 'fast-check';
import { BranchList } from '../../lib/tree/branch-list.js';

const separators = fc
  .tuple(
    fc.string({ maxLength: 12 }),
    fc.uniqueArray(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 }),
  )
  .map(([shared, rests]) => rests.map((rest) => Buffer.from(shared + rest)).sort(Buffer.compare));

describe('children of a branch', () => {
  it('fit as they come where they fit all at once, also after the first were taken out', () => {
    const moves = fc.array(fc.nat({ max: 20 }), { maxLength: 60 });
    fc.assert(
      fc.property(separators, moves, fc.constantFrom(0.5, 0.9, 1), (all, taken, fill) => {
        const list = new BranchList(1024);
        for (const [index, separator] of all.entries()) {
          list.children.push({ separator, page: index, stamp: 1, entries: 1, large: false });
          const { length } = list.children;
          expect(list.fitsFirst(length, fill)).to.equal(list.fits(0, length, fill));
          if ((taken[index] ?? 20) < 3) {
            const count = Math.min(length, taken[index]);
            const first = list.children.slice(0, count);
            expect(list.takeFirst(count)).to.deep.equal(first);
          }
          // Fewer than before, as when the last one is kept back.
          const fewer = Math.max(1, list.children.length - 2);
          if (list.children.length > 0 && (taken[index] ?? 0) > 10)
            expect(list.fitsFirst(fewer, fill)).to.equal(list.fits(0, fewer, fill));
        }
      }),
    );
  });

  it('are added up anew once the first were taken out', () => {
    const list = new BranchList(1024);
    const push = (letter: string, bytes: number): void => {
      const separator = Buffer.from(letter.padEnd(bytes, letter));
      list.children.push({ separator, page: 1, stamp: 1, entries: 1, large: false });
    };
    push('a', 1);
    push('b', 600);
    push('c', 1);
    expect(list.fitsFirst(3, 1)).to.equal(true);
    list.takeFirst(1);
    push('d', 300);
    expect(list.fitsFirst(3, 1)).to.equal(true);
    push('e', 500);
    expect(list.fitsFirst(4, 1), 'the 600 bytes are gone').to.equal(true);
    push('f', 600);
    expect(list.fitsFirst(5, 1)).to.equal(false);
  });
});
