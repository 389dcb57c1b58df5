// lib/format/branch.ts: a branch against an array of children in the order of their separators.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  BRANCH_SLOT_BYTES,
  branchEntries,
  branchFreeBytes,
  branchGapBytes,
  branchRecordBytes,
  childEntries,
  childHasLarge,
  childPage,
  childStamp,
  initBranch,
  insertChild,
  nodeLevel,
  readSeparator,
  removeChild,
  searchBranch,
  separatorSuffixLength,
  setChildEntries,
  setChildPage,
} from '../../lib/format/branch.js';
import { keyBytesMax, nodeCount, setPrefix } from '../../lib/format/node.js';
import { checkNodeStructure } from '../../lib/format/structure.js';
import { nodeKeys, tyingKeys } from '../helpers/format-keys.js';
import { GuardedPage } from '../helpers/guarded-page.js';
import { seeded } from '../helpers/seed.js';

interface ModelChild {
  separator: Buffer;
  page: number;
  stamp: number;
  entries: number;
  large: boolean;
}

const NONE = Buffer.alloc(0);

class BranchModel {
  readonly guarded: GuardedPage;
  readonly children: ModelChild[] = [];
  readonly prefix: Buffer;

  constructor(pageSize: number, prefix: Buffer, level = 1) {
    this.guarded = new GuardedPage(pageSize);
    this.prefix = prefix;
    const { memory, base } = this.guarded;
    initBranch(memory, base, pageSize, 9, 77, 5, level);
    setPrefix(memory, base, pageSize, prefix, prefix.length);
    this.insertAt(0, { separator: NONE, page: 100, stamp: 1, entries: 1, large: false });
  }

  private insertAt(index: number, child: ModelChild): void {
    const { memory, base } = this.guarded;
    insertChild(memory, base, index, child.separator, child.separator.length, child.page, child.stamp);
    setChildEntries(memory, base, index, child.entries, child.large);
    this.children.splice(index, 0, child);
  }

  /** The slot of the child that a key belongs to: the last whose separator is not after it. */
  slotOf(key: Buffer): number {
    let slot = 0;
    while (slot + 1 < this.children.length && Buffer.compare(this.children[slot + 1].separator, key) <= 0)
      slot++;
    return slot;
  }

  insert(child: ModelChild): boolean {
    const { memory, base } = this.guarded;
    const slot = this.slotOf(child.separator);
    if (slot > 0 && this.children[slot].separator.equals(child.separator)) return false;
    const bytes = BRANCH_SLOT_BYTES + branchRecordBytes(child.separator.length - this.prefix.length);
    if (branchGapBytes(memory, base) < bytes) return false;
    this.insertAt(slot + 1, child);
    return true;
  }

  remove(position: number): void {
    // A branch without children has no place in a tree: whoever takes the last one out gives the page up.
    if (this.children.length < 2) return;
    const index = position % this.children.length;
    removeChild(this.guarded.memory, this.guarded.base, index);
    this.children.splice(index, 1);
    this.children[0].separator = NONE;
  }

  expectSame(): void {
    const { memory, base, pageSize } = this.guarded;
    const { children } = this;
    expect(nodeCount(memory, base)).to.equal(children.length);
    const key = Buffer.alloc(pageSize);
    children.forEach((child, index) => {
      if (index > 0) {
        const length = readSeparator(memory, base, pageSize, index, key, 0);
        expect(key.toString('hex', 0, length)).to.equal(child.separator.toString('hex'));
      }
      expect(childPage(memory, base, index)).to.equal(child.page);
      expect(childStamp(memory, base, index)).to.equal(child.stamp);
      expect(childEntries(memory, base, index)).to.equal(child.entries);
      expect(childHasLarge(memory, base, index)).to.equal(child.large);
    });
    expect(branchEntries(memory, base)).to.equal(children.reduce((sum, { entries }) => sum + entries, 0));
    checkNodeStructure(memory, base, pageSize, 9);
    this.guarded.expectNeighboursUntouched();
  }

  expectFound(key: Buffer): void {
    const { memory, base, pageSize } = this.guarded;
    const found = searchBranch(memory, base, pageSize, key, key.length);
    expect(found, key.toString('hex')).to.equal(this.slotOf(key));
  }
}

const lengthMax = (pageSize: number): number => keyBytesMax(pageSize) - 12;
// Up to the 47 bits that a slot has for its count; 2^31 and 2^32 are where signs and words end.
const counts = fc.oneof(
  fc.nat(1000),
  fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 47 - 1),
);
const numbers = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));

const operation = (pageSize: number) =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('insert' as const),
        key: nodeKeys(lengthMax(pageSize)),
        page: numbers,
        stamp: numbers,
        entries: counts,
        large: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: fc.nat(400) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        at: fc.nat(400),
        page: numbers,
        stamp: numbers,
        entries: counts,
        large: fc.boolean(),
      }),
    },
  );

describe('branch', () => {
  for (const [pageSize, runs] of [
    [4096, 120],
    [65536, 20],
  ]) {
    it(`holds what an array would, with pages of ${pageSize}`, () => {
      const operations = fc.array(operation(pageSize), { maxLength: 120, size: 'max' });
      fc.assert(
        fc.property(operations, tyingKeys, nodeKeys(lengthMax(pageSize)), (steps, prefix, probe) => {
          const model = new BranchModel(pageSize, prefix);
          const { memory, base } = model.guarded;
          for (const step of steps) {
            if (step.kind === 'remove') model.remove(step.at);
            else if (step.kind === 'insert') {
              const { page, stamp, entries, large } = step;
              const separator = Buffer.concat([prefix, step.key]);
              if (separator.length > 0) model.insert({ separator, page, stamp, entries, large });
            } else {
              const index = step.at % model.children.length;
              const { page, stamp, entries, large } = step;
              setChildPage(memory, base, index, page, stamp);
              setChildEntries(memory, base, index, entries, large);
              model.children[index] = { ...model.children[index], page, stamp, entries, large };
            }
          }
          model.expectSame();
          for (const step of steps)
            if (step.kind === 'insert') model.expectFound(Buffer.concat([prefix, step.key]));
          for (const key of [probe, Buffer.concat([prefix, probe]), NONE, prefix]) model.expectFound(key);
        }),
        seeded(runs),
      );
    });
  }

  it('keeps separators of every length past the prefix from 0 to 8', () => {
    for (const fill of [0x00, 0x61, 0xff]) {
      for (const prefix of [0, 1, 5, 20]) {
        const model = new BranchModel(4096, Buffer.alloc(prefix, 0x70));
        for (let length = prefix === 0 ? 1 : 0; length <= 8; length++) {
          const separator = Buffer.concat([model.prefix, Buffer.alloc(length, fill)]);
          expect(model.insert({ separator, page: length, stamp: length, entries: 1, large: false })).to.equal(
            true,
          );
        }
        model.expectSame();
        const { memory, base } = model.guarded;
        for (let i = 1; i < model.children.length; i++)
          expect(separatorSuffixLength(memory, base, i)).to.equal(
            model.children[i].separator.length - prefix,
          );
        for (const { separator } of model.children) model.expectFound(separator);
      }
    }
  });

  it('sends a key that equals a separator to the right of it', () => {
    const model = new BranchModel(4096, NONE);
    for (const text of ['b', 'bbbbbbbb', 'c'])
      model.insert({ separator: Buffer.from(text), page: 1, stamp: 1, entries: 1, large: false });
    const { memory, base, pageSize } = model.guarded;
    for (const [text, slot] of [
      ['', 0],
      ['a', 0],
      ['b', 1],
      ['b\0', 1],
      ['bbbbbbb', 1],
      ['bbbbbbbb', 2],
      ['bbbbbbbb\0', 2],
      ['c', 3],
      ['\xff', 3],
    ] as const) {
      const key = Buffer.from(text, 'latin1');
      expect(searchBranch(memory, base, pageSize, key, key.length), JSON.stringify(text)).to.equal(slot);
    }
  });

  it('sends a key that does not begin with the prefix to one of the ends', () => {
    const model = new BranchModel(4096, Buffer.from('mmm'));
    for (const text of ['mmma', 'mmmb'])
      model.insert({ separator: Buffer.from(text), page: 1, stamp: 1, entries: 1, large: false });
    for (const text of ['', 'm', 'mm', 'mml', 'mmm', 'mmn', 'n', 'a']) model.expectFound(Buffer.from(text));
  });

  it('takes two separators of the greatest length, so that a branch that is full can be split', () => {
    for (const pageSize of [4096, 8192, 16384, 32768, 65536]) {
      const model = new BranchModel(pageSize, NONE);
      for (const fill of [1, 2]) {
        const separator = Buffer.alloc(keyBytesMax(pageSize), fill);
        expect(model.insert({ separator, page: 3, stamp: 4, entries: 5, large: true })).to.equal(true);
      }
      model.expectSame();
    }
  });

  it('gives back the bytes of the child that was taken out, and of the separator that the first one lost', () => {
    const model = new BranchModel(4096, NONE);
    const { memory, base } = model.guarded;
    const start = branchFreeBytes(memory, base);
    for (const text of ['bbbbbbbb', 'ccccccccccccc'])
      model.insert({ separator: Buffer.from(text), page: 1, stamp: 1, entries: 1, large: false });
    model.remove(0);
    model.remove(0);
    expect(branchFreeBytes(memory, base)).to.equal(start);
    model.expectSame();
  });

  it('keeps its level', () => {
    for (const level of [1, 2, 39]) {
      const model = new BranchModel(4096, NONE, level);
      expect(nodeLevel(model.guarded.memory, model.guarded.base)).to.equal(level);
    }
  });
});
