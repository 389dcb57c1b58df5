// lib/format/leaf.ts and node.ts: a leaf against an array of entries in key order.

import { expect } from 'chai';
import fc from 'fast-check';
import { commonPrefixLength } from '../../lib/format/key.js';
import {
  appendLeafEntries,
  compareLeafKey,
  initLeaf,
  insertLeafEntry,
  LEAF_SLOT_BYTES,
  leafCapacity,
  leafEntriesBytes,
  leafFreeBytes,
  leafGapBytes,
  leafKeyLength,
  leafRecord,
  leafRecordBytes,
  leafRecordBytesMax,
  leafValueFits,
  readLeafKey,
  recordIsLarge,
  recordValue,
  recordValueLength,
  removeLeafEntry,
  replaceLeafValue,
  searchLeaf,
} from '../../lib/format/leaf.js';
import { keyBytesMax, NODE_LARGE_VALUES, nodeCount, prefixLength, setPrefix } from '../../lib/format/node.js';
import { checkNodeStructure } from '../../lib/format/structure.js';
import { patterned } from '../helpers/bytes.js';
import { nodeKeys, sortedKeys, tyingKeys } from '../helpers/format-keys.js';
import { GuardedPage } from '../helpers/guarded-page.js';
import { seeded } from '../helpers/seed.js';

interface ModelEntry {
  key: Buffer;
  value: Buffer;
  large: boolean;
}

/** A leaf and what it should hold. Entries that do not fit are refused, as those above would split. */
class LeafModel {
  readonly guarded: GuardedPage;
  entries: ModelEntry[] = [];
  prefix: Buffer;

  constructor(pageSize: number, prefix: Buffer) {
    this.guarded = new GuardedPage(pageSize);
    this.prefix = prefix;
    this.start(prefix);
  }

  private start(prefix: Buffer): void {
    const { memory, base, pageSize } = this.guarded;
    initLeaf(memory, base, pageSize, 9, 77, 5);
    setPrefix(memory, base, pageSize, prefix, prefix.length);
    this.prefix = prefix;
  }

  find(key: Buffer): { index: number; there: boolean } {
    let index = 0;
    while (index < this.entries.length && Buffer.compare(this.entries[index].key, key) < 0) index++;
    return { index, there: this.entries[index]?.key.equals(key) === true };
  }

  /** Whether the entry is in the leaf afterwards. */
  put(key: Buffer, value: Buffer, large: boolean): boolean {
    const { memory, base } = this.guarded;
    const { index, there } = this.find(key);
    if (there) {
      if (!leafValueFits(memory, base, index, value.length)) return false;
      const at = replaceLeafValue(memory, base, index, key, key.length, value.length, large);
      value.copy(memory.bytes, at);
      this.entries[index] = { key, value, large };
      return true;
    }
    const bytes = LEAF_SLOT_BYTES + leafRecordBytes(key.length - this.prefix.length, value.length);
    if (leafGapBytes(memory, base) < bytes) return false;
    const at = insertLeafEntry(memory, base, index, key, key.length, value.length, large);
    value.copy(memory.bytes, at);
    this.entries.splice(index, 0, { key, value, large });
    return true;
  }

  remove(position: number): void {
    if (this.entries.length === 0) return;
    const index = position % this.entries.length;
    removeLeafEntry(this.guarded.memory, this.guarded.base, index);
    this.entries.splice(index, 1);
  }

  /** Lays the leaf out anew with the longest prefix or a shorter one; refused where that does not fit. */
  rebuild(cut: number): void {
    const { memory, base, pageSize } = this.guarded;
    const { length } = this.entries;
    if (length === 0) return;
    const first = this.entries[0].key;
    const last = this.entries[length - 1].key;
    const shared = commonPrefixLength(first, first.length, last, last.length);
    const prefix = first.subarray(0, Math.max(0, shared - cut));
    const bytes = leafEntriesBytes(memory, base, 0, length, prefix.length);
    if (bytes > leafCapacity(pageSize, prefix.length)) return;
    const aside = new GuardedPage(pageSize);
    this.guarded.bytes.copy(aside.bytes);
    this.start(prefix);
    appendLeafEntries(memory, base, aside.memory, aside.base, pageSize, 0, length);
    expect(leafFreeBytes(memory, base), 'no garbage').to.equal(leafGapBytes(memory, base));
    expect(leafGapBytes(memory, base)).to.equal(leafCapacity(pageSize, prefix.length) - bytes);
  }

  expectSame(): void {
    const { memory, base, pageSize } = this.guarded;
    const { entries } = this;
    expect(nodeCount(memory, base)).to.equal(entries.length);
    expect(prefixLength(memory, base)).to.equal(this.prefix.length);
    const key = Buffer.alloc(pageSize);
    entries.forEach((entry, index) => {
      const length = readLeafKey(memory, base, pageSize, index, key, 0);
      expect(key.toString('hex', 0, length)).to.equal(entry.key.toString('hex'));
      expect(leafKeyLength(memory, base, index)).to.equal(length);
      const record = leafRecord(memory, base, index);
      const value = recordValue(record);
      const valueBytes = memory.bytes.subarray(value, value + recordValueLength(memory, record));
      expect(valueBytes.equals(entry.value), `value ${index}`).to.equal(true);
      expect(recordIsLarge(memory, record)).to.equal(entry.large);
      expect(searchLeaf(memory, base, pageSize, entry.key, entry.key.length)).to.equal(index);
    });
    expect(memory.u16[(base + NODE_LARGE_VALUES) >>> 1]).to.equal(
      entries.filter(({ large }) => large).length,
    );
    if (entries.length > 0) checkNodeStructure(memory, base, pageSize, 9);
    this.guarded.expectNeighboursUntouched();
  }

  expectFound(key: Buffer): void {
    const { memory, base, pageSize } = this.guarded;
    const { index, there } = this.find(key);
    const found = searchLeaf(memory, base, pageSize, key, key.length);
    expect(found, key.toString('hex')).to.equal(there ? index : ~index);
    if (!there) return;
    expect(compareLeafKey(memory, base, pageSize, index, key, key.length)).to.equal(0);
  }
}

const lengthMax = (pageSize: number): number => keyBytesMax(pageSize) - 12;

const operation = (pageSize: number) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('put' as const),
        key: nodeKeys(lengthMax(pageSize)),
        length: fc.oneof(fc.nat(40), fc.nat(pageSize >>> 2)),
        large: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: fc.nat(400) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const), cut: fc.nat(5) }) },
  );

describe('leaf', () => {
  for (const [pageSize, runs] of [
    [4096, 120],
    [65536, 20],
  ]) {
    it(`holds what an array would, with pages of ${pageSize}`, () => {
      const operations = fc.array(operation(pageSize), { maxLength: 120, size: 'max' });
      fc.assert(
        fc.property(operations, tyingKeys, nodeKeys(lengthMax(pageSize)), (steps, prefix, probe) => {
          const model = new LeafModel(pageSize, prefix);
          steps.forEach((step, index) => {
            // Whatever a rebuild made of the prefix, keys go on beginning with the first one.
            if (step.kind === 'put') {
              const key = Buffer.concat([prefix, step.key]);
              const inside = key.subarray(0, model.prefix.length).equals(model.prefix);
              if (inside) model.put(key, patterned(step.length, index), step.large);
            } else if (step.kind === 'remove') model.remove(step.at);
            else model.rebuild(step.cut);
          });
          model.expectSame();
          for (const step of steps)
            if (step.kind === 'put') model.expectFound(Buffer.concat([prefix, step.key]));
          model.expectFound(probe);
          model.expectFound(Buffer.concat([prefix, probe]));
        }),
        seeded(runs),
      );
    });
  }

  it('keeps keys of every length past the prefix from 0 to 8, in any order of insertion', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          Array.from({ length: 9 }, (_, length) => length),
          { minLength: 9 },
        ),
        fc.constantFrom(0x00, 0x61, 0xff),
        fc.nat(20),
        (lengths, fill, prefix) => {
          const model = new LeafModel(4096, Buffer.alloc(prefix, 0x70));
          for (const length of lengths) {
            const key = Buffer.concat([model.prefix, Buffer.alloc(length, fill)]);
            expect(model.put(key, patterned(length, 1), false)).to.equal(true);
          }
          model.expectSame();
        },
      ),
      seeded(60),
    );
  });

  it('tells keys apart whose heads tie', () => {
    const model = new LeafModel(4096, Buffer.alloc(0));
    const hex = [
      '',
      '00',
      '0000',
      '000000',
      '00000000',
      '0000000000',
      '61000000',
      '6100',
      '61',
      '6100000000',
    ];
    const keys = hex.map((text) => Buffer.from(text, 'hex'));
    for (const key of keys) model.put(key, Buffer.from(key), false);
    model.expectSame();
    for (const key of [...keys, Buffer.from('00000001', 'hex'), Buffer.from('610000', 'hex')])
      model.expectFound(key);
  });

  it('finds the side of a key that does not begin with the prefix', () => {
    const model = new LeafModel(4096, Buffer.from('mmm'));
    for (const key of ['mmma', 'mmmb']) model.put(Buffer.from(key), Buffer.alloc(1), false);
    const { memory, base, pageSize } = model.guarded;
    for (const [text, expected] of [
      ['', ~0],
      ['m', ~0],
      ['mm', ~0],
      ['mmm', ~0],
      ['mmlz', ~0],
      ['mmn', ~2],
      ['n', ~2],
      ['mmm\xff', ~2],
      ['a', ~0],
    ] as const) {
      const key = Buffer.from(text, 'latin1');
      expect(searchLeaf(memory, base, pageSize, key, key.length), text).to.equal(expected);
    }
  });

  it('takes two entries of the greatest size, whatever their keys share', () => {
    for (const pageSize of [4096, 8192, 16384, 32768, 65536]) {
      const most = keyBytesMax(pageSize);
      const length = leafRecordBytesMax(pageSize) - 4 - (most - 4);
      const model = new LeafModel(pageSize, Buffer.alloc(0));
      for (const fill of [0x01, 0x02])
        expect(model.put(Buffer.alloc(most, fill), patterned(length, fill), false), `${pageSize}`).to.equal(
          true,
        );
      model.expectSame();
    }
  });

  it('fills its page to the last byte', () => {
    for (const pageSize of [4096, 65536]) {
      const model = new LeafModel(pageSize, Buffer.from('p'));
      const { memory, base } = model.guarded;
      const length = pageSize >>> 8;
      for (let i = 0; leafGapBytes(memory, base) > 2 * length + 40; i++)
        model.put(Buffer.from(`p${String(i).padStart(6, '0')}`), Buffer.alloc(length), false);
      const rest = leafGapBytes(memory, base) - LEAF_SLOT_BYTES - 4;
      expect(model.put(Buffer.from('pz'), patterned(rest & ~3, 1), false)).to.equal(true);
      expect(leafGapBytes(memory, base)).to.be.below(4);
      model.expectSame();
    }
  });

  it('counts the bytes that a range of entries would take under another prefix', () => {
    fc.assert(
      fc.property(fc.array(nodeKeys(200), { minLength: 2, maxLength: 12 }), tyingKeys, (given, prefix) => {
        const keys = sortedKeys(given.map((key) => Buffer.concat([prefix, key])));
        const model = new LeafModel(4096, prefix);
        for (const key of keys) model.put(key, Buffer.alloc(key.length % 7), false);
        const { memory, base } = model.guarded;
        for (let cut = 0; cut <= prefix.length; cut++) {
          let expected = 0;
          for (const { key, value } of model.entries)
            expected += LEAF_SLOT_BYTES + leafRecordBytes(key.length - cut, value.length);
          expect(leafEntriesBytes(memory, base, 0, model.entries.length, cut)).to.equal(expected);
        }
      }),
      seeded(100),
    );
  });
});
