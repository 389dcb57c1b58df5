/** Lays leaves out anew: with another prefix, without garbage, or as the two halves of a split. */

import { commonPrefixLength } from '../format/key.js';
import {
  appendLeafEntries,
  initLeaf,
  insertLeafEntry,
  leafEntriesBytes,
  readLeafKey,
} from '../format/leaf.js';
import { nodeCount, setPrefix } from '../format/node.js';
import { PAGE_NUMBER, PAGE_STAMP, pageSequence } from '../format/page.js';
import { copyBytes, PageMemory } from '../format/page-memory.js';

/** An entry on its way into a leaf. For a large value, `value` is the record of its extents. */
export interface NewEntry {
  readonly key: Uint8Array;
  readonly keyLength: number;
  readonly value: Uint8Array;
  readonly valueLength: number;
  readonly large: boolean;
}

const scratch = new PageMemory(65536);
const firstKey = Buffer.alloc(65536);
const lastKey = Buffer.alloc(65536);

/** Empties a leaf but for its identity. */
export function emptyLeaf(memory: PageMemory, base: number, pageSize: number): void {
  const page = memory.u32[(base + PAGE_NUMBER) >>> 2];
  const stamp = memory.u32[(base + PAGE_STAMP) >>> 2];
  initLeaf(memory, base, pageSize, page, stamp, pageSequence(memory, base));
}

/** Copies a leaf aside, so that its page can be filled anew from the copy. */
export function setAside(memory: PageMemory, base: number, pageSize: number): PageMemory {
  scratch.bytes.set(memory.bytes.subarray(base, base + pageSize), 0);
  return scratch;
}

export function writeEntry(memory: PageMemory, base: number, index: number, entry: NewEntry): void {
  const value = insertLeafEntry(
    memory,
    base,
    index,
    entry.key,
    entry.keyLength,
    entry.valueLength,
    entry.large,
  );
  copyBytes(memory.bytes, value, entry.value, 0, entry.valueLength);
}

/** Lays a leaf out anew with the prefix that its keys and `key` share; returns whether that is possible. */
export function rebuildLeafFor(
  memory: PageMemory,
  base: number,
  pageSize: number,
  entry: NewEntry,
  room: (prefix: number) => number,
): boolean {
  const count = nodeCount(memory, base);
  const prefix = sharedPrefix(memory, base, pageSize, count, entry);
  if (leafEntriesBytes(memory, base, 0, count, prefix) > room(prefix)) return false;
  const source = setAside(memory, base, pageSize);
  emptyLeaf(memory, base, pageSize);
  if (prefix > 0) setPrefix(memory, base, pageSize, entry.key, prefix);
  appendLeafEntries(memory, base, source, 0, pageSize, 0, count);
  return true;
}

function sharedPrefix(
  memory: PageMemory,
  base: number,
  pageSize: number,
  count: number,
  entry: NewEntry,
): number {
  if (count === 0) return entry.keyLength;
  const first = readLeafKey(memory, base, pageSize, 0, firstKey, 0);
  const last = readLeafKey(memory, base, pageSize, count - 1, lastKey, 0);
  const withFirst = commonPrefixLength(firstKey, first, entry.key, entry.keyLength);
  const withLast = commonPrefixLength(lastKey, last, entry.key, entry.keyLength);
  return Math.min(withFirst, withLast);
}

/** The entries of a leaf with one more among them, as a split sees them: in order, none written yet. */
export class SplitView {
  private readonly source: PageMemory;
  private readonly pageSize: number;
  private readonly entry: NewEntry;
  private readonly index: number;
  readonly length: number;

  constructor(source: PageMemory, pageSize: number, index: number, entry: NewEntry) {
    this.source = source;
    this.pageSize = pageSize;
    this.index = index;
    this.entry = entry;
    this.length = nodeCount(source, 0) + 1;
  }

  /** Writes the key at `position` to `target`; returns its length. */
  readKey(position: number, target: Uint8Array): number {
    if (position === this.index) {
      copyBytes(target, 0, this.entry.key, 0, this.entry.keyLength);
      return this.entry.keyLength;
    }
    return readLeafKey(
      this.source,
      0,
      this.pageSize,
      position < this.index ? position : position - 1,
      target,
      0,
    );
  }

  /** Fills an empty leaf with the positions [from, to). */
  fill(memory: PageMemory, base: number, from: number, to: number): void {
    const { source, pageSize, index } = this;
    const first = this.readKey(from, firstKey);
    const last = this.readKey(to - 1, lastKey);
    const prefix = commonPrefixLength(firstKey, first, lastKey, last);
    if (prefix > 0) setPrefix(memory, base, pageSize, firstKey, prefix);
    if (index < from || index >= to) {
      const shift = index < from ? 1 : 0;
      appendLeafEntries(memory, base, source, 0, pageSize, from - shift, to - shift);
      return;
    }
    appendLeafEntries(memory, base, source, 0, pageSize, from, index);
    writeEntry(memory, base, nodeCount(memory, base), this.entry);
    appendLeafEntries(memory, base, source, 0, pageSize, index, to - 1);
  }
}
