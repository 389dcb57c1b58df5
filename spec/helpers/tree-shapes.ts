// Entries of every shape that a tree may have to hold, and blocks of them.

import type { PageSize } from '../../lib/format/page.js';
import { EntryBlock } from '../../lib/tree/entry-block.js';
import { numbered, patterned } from './bytes.js';

/** An entry on its way into a tree. */
export type Pair = readonly [key: Buffer, value: Buffer];

export const BLOCK_BYTES = 64 * 1024;

/** The entries in blocks, of at most `entriesMax` each. */
export function* blocksOf(entries: readonly Pair[], entriesMax: number): Generator<EntryBlock> {
  let block = new EntryBlock(BLOCK_BYTES);
  for (const [key, value] of entries) {
    if (block.count === entriesMax || !block.hasRoom(key.length, value.length)) {
      yield block;
      block = new EntryBlock(BLOCK_BYTES);
    }
    block.add(key, value);
  }
  if (!block.isEmpty) yield block;
}

const pairedKey = (index: number): Buffer =>
  Buffer.from(`${String(index >>> 1).padStart(5, '0')}${'y'.repeat(1015)}${index & 1}`);

/** Entry `index` of the shape sorts before entry `index + 1`. */
export const shapes: ReadonlyArray<
  [what: string, pageSize: PageSize, count: number, entry: (index: number) => Pair]
> = [
  ['short keys and values', 4096, 3000, (i) => [Buffer.from(numbered(i)), patterned(i % 20, i)]],
  ['values of a hundred bytes', 4096, 3000, (i) => [Buffer.from(numbered(i)), patterned(100, i)]],
  [
    'keys at the limit that share nearly all',
    4096,
    800,
    (i) => [Buffer.from(numbered(i, 'p'.repeat(1016))), patterned(3, i)],
  ],
  ['keys of which two share nearly all', 4096, 500, (i) => [pairedKey(i), patterned(9, i)]],
  ['values of a quarter page', 4096, 500, (i) => [Buffer.from(numbered(i)), patterned(1024 - (i % 3), i)]],
  [
    'large values among small ones',
    4096,
    300,
    (i) => [Buffer.from(numbered(i)), patterned(i % 7 === 0 ? 5000 + i : 12, i)],
  ],
  ['nothing but large values', 4096, 60, (i) => [Buffer.from(numbered(i)), patterned(4000 + i * 7, i)]],
  ['the largest pages', 65536, 1500, (i) => [Buffer.from(numbered(i)), patterned(150, i)]],
  [
    'the largest pages with keys that share nearly all',
    65536,
    300,
    (i) => [Buffer.from(numbered(i, 'q'.repeat(16_000))), patterned(3, i)],
  ],
];
