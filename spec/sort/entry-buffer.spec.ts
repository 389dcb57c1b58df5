// lib/sort/entry-buffer.ts and key-sort.ts: what fits, and that records come out by key, then as they came.

import { expect } from 'chai';
import fc from 'fast-check';
import { EntryBuffer } from '../../lib/sort/entry-buffer.js';
import { RECORD_KEY } from '../../lib/sort/entry-record.js';
import { EntryBlock } from '../../lib/tree/entry-block.js';
import { keys, numbered } from '../helpers/bytes.js';
import { Random } from '../helpers/random.js';
import { seed, seeded } from '../helpers/seed.js';
import { blocksOf, type Item } from '../helpers/sort-lab.js';

/** The keys, each with its number as its value. */
function itemsOf(keysGiven: readonly Buffer[]): Item[] {
  return keysGiven.map((key, i): Item => {
    const value = Buffer.alloc(4);
    value.writeUInt32LE(i);
    return [key, value];
  });
}

/** The numbers of the keys in the order that the buffer brings them into. */
async function sortedNumbers(given: readonly Buffer[]): Promise<number[]> {
  const buffer = new EntryBuffer(64 << 20, 0);
  for (const block of blocksOf(itemsOf(given), 16000)) expect(buffer.take(block, 0)).to.equal(block.count);
  expect(buffer.count).to.equal(given.length);
  let steps = 0;
  const order = await buffer.sort(async () => void steps++);
  const { bytes, u32 } = buffer.memory;
  return Array.from(order, (at) => {
    const keyLength = u32[at >>> 2];
    return bytes.readUInt32LE(at + RECORD_KEY + ((keyLength + 3) & ~3));
  });
}

async function expectSorted(given: readonly Buffer[]): Promise<void> {
  const expected = given.map((_, i) => i).sort((a, b) => Buffer.compare(given[a], given[b]) || a - b);
  const found = await sortedNumbers(given);
  const at = found.findIndex((number, i) => number !== expected[i]);
  if (at >= 0) expect(given[found[at]], `place ${at}`).to.deep.equal(given[expected[at]]);
  expect(found.length).to.equal(expected.length);
  expect(at, 'the first place where keys came in another order than they were added').to.equal(-1);
}

const random = Random.of(seed, 71);
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const repeat = <T>(times: number, make: (i: number) => T): T[] =>
  Array.from({ length: times }, (_, i) => make(i));

const inputs: Record<string, () => Buffer[]> = {
  nothing: () => [],
  'one key': () => [text('a')],
  'the empty key alone': () => repeat(100, () => text('')),
  'all keys equal': () => repeat(40_000, () => text('the same key')),
  'all keys equal but the last': () => [...repeat(5000, () => text('the same key')), text('the same')],
  'ascending numbers': () => repeat(50_000, (i) => text(numbered(i))),
  'descending numbers': () => repeat(50_000, (i) => text(numbered(50_000 - i))),
  'shuffled numbers': () => random.shuffle(repeat(100_000, (i) => text(numbered(i)))),
  'a few keys over and over': () => repeat(30_000, () => text(numbered(random.below(7)))),
  'random bytes': () => repeat(30_000, () => random.bytes(16)),
  'random bytes of random lengths': () => repeat(30_000, () => random.bytes(random.below(24))),
  'two long beginnings': () =>
    random.shuffle(repeat(20_000, (i) => text((i % 2 === 0 ? 'a' : 'b').repeat(700) + numbered(i)))),
  'beginnings that part late, one by one': () =>
    random.shuffle(repeat(900, (i) => text(`${'x'.repeat(i)}y${'z'.repeat(i % 20)}`))),
  'keys that begin with one another': () => random.shuffle(repeat(3000, (i) => text('a'.repeat(i % 1000)))),
  'zeros, of which heads have too': () => random.shuffle(repeat(4000, (i) => Buffer.alloc(i % 50))),
  'zeros and ones': () => repeat(20_000, () => Buffer.from(repeat(random.below(20), () => random.below(2)))),
  'ends at each byte of a head': () =>
    random.shuffle(repeat(5000, (i) => text('prefix'.repeat(3) + 'abcdefghijklmnopqrs'.slice(0, i % 19)))),
};

describe('the buffer of a sort', () => {
  for (const [what, make] of Object.entries(inputs)) {
    it(`sorts by key, then by input order: ${what}`, async () => {
      await expectSorted(make());
    });
  }

  it('sorts keys of every kind', async () => {
    const key = fc.oneof(
      keys(300),
      fc.array(fc.constantFrom(0, 1, 255), { maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 600, size: 'max' }), expectSorted),
      seeded(60),
    );
  });

  it('takes short breaths: no more than some thousand records between two of them', async () => {
    const buffer = new EntryBuffer(64 << 20, 0);
    for (const block of blocksOf(itemsOf(repeat(100_000, () => random.bytes(12))), 16000))
      buffer.take(block, 0);
    let breaths = 0;
    await buffer.sort(async () => void breaths++);
    // Listing, reading heads and eight digits, each over 100,000 records.
    expect(breaths).to.be.at.least(6 * 9);
  });

  it('grows to its bound, and leaves its reserve and what sorting takes free', () => {
    const buffer = new EntryBuffer(1 << 20, 64 << 10);
    expect(buffer.memory.bytes.length).to.equal(256 << 10);
    let bytes = 0;
    for (const block of blocksOf(repeat(3000, (i): Item => [text(numbered(i)), Buffer.alloc(391)]))) {
      const taken = buffer.take(block, 0);
      // 8 bytes of lengths, 12 of a key of nine, 392 of a value, 24 to sort.
      bytes += taken * (8 + 12 + 392 + 24);
      if (taken < block.count) break;
    }
    expect(buffer.memory.bytes.length).to.equal(1 << 20);
    expect(bytes).to.be.within((1 << 20) - (64 << 10) - 436, (1 << 20) - (64 << 10));
    buffer.clear();
    expect(buffer.isEmpty).to.equal(true);
  });

  it('refuses what is longer than the bound, though it is empty', () => {
    const buffer = new EntryBuffer(64 << 10, 8 << 10);
    const block = new EntryBlock(1 << 20);
    block.add('k', Buffer.alloc(56 << 10));
    block.add('l', Buffer.alloc((56 << 10) - 36));
    expect(buffer.take(block, 0)).to.equal(0);
    expect(buffer.take(block, 1)).to.equal(2);
  });
});
