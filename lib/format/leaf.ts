/**
 * A leaf page: entries in key order, after the header and prefix that `node.ts` describes.
 *
 *      slot columns       heads    count × u32   first four bytes after the prefix, big-endian value
 *                         offsets  count × u16   where the entry's record begins in the page
 *
 *      record             0                 2                4           4+value
 *                         +-----------------+----------------+-----------+------------------+- -+
 *                         | key length less | value length   | value     | key bytes past   |pad|
 *                         | the prefix      | | 0x8000: large|           | prefix and head  |   |
 *                         +-----------------+----------------+-----------+------------------+- -+
 *
 * The value stands first because it is the longer part and so begins at a multiple of four, where
 * whole words can be copied. A large value's record holds its extents instead (see
 * `value-extents.ts`).
 */
import { compareKeys, keyHead } from './key.js';
import {
  closeSlot,
  heapEnd,
  heapStart,
  initNode,
  NODE_COUNT,
  NODE_GARBAGE,
  NODE_LARGE_VALUES,
  NODE_PREFIX_LENGTH,
  NODE_SLOTS,
  nodeCount,
  openSlot,
  prefixLength,
  setHeapStart,
  setPrefix,
  sharedWithPrefix,
  sideOfPrefix,
} from './node.js';
import { KIND_LEAF, PAGE_HEADER_BYTES } from './page.js';
import { copyBytes, type PageMemory } from './page-memory.js';

const WIDTHS = [4, 2] as const;
/** Bytes that each entry takes in the slot columns. */
export const LEAF_SLOT_BYTES = 6;
const RECORD_HEADER_BYTES = 4;
const LARGE_VALUE = 0x8000;
const HEAD_BYTES = 4;

/** A record never takes more than this, so that every leaf that must be split can be. */
export function leafRecordBytesMax(pageSize: number): number {
  return ((pageSize - PAGE_HEADER_BYTES) >>> 1) - LEAF_SLOT_BYTES - 8;
}

export function initLeaf(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  stamp: number,
  sequence: number,
): void {
  initNode(memory, base, pageSize, KIND_LEAF, page, stamp, sequence);
}

/** Bytes of a record, padding included, for a key that has `suffixLength` bytes after the prefix. */
export function leafRecordBytes(suffixLength: number, valueLength: number): number {
  const rest = suffixLength > HEAD_BYTES ? suffixLength - HEAD_BYTES : 0;
  return (RECORD_HEADER_BYTES + valueLength + rest + 3) & ~3;
}

function offsetsStart(base: number, count: number): number {
  return (base + NODE_SLOTS + HEAD_BYTES * count) >>> 1;
}

/** The record's byte offset in the memory (not in the page). */
export function leafRecord(memory: PageMemory, base: number, index: number): number {
  return base + memory.u16[offsetsStart(base, nodeCount(memory, base)) + index];
}

export function recordSuffixLength(memory: PageMemory, record: number): number {
  return memory.u16[record >>> 1];
}

/** Bytes that the value takes in the record; for a large value, of the record of its extents. */
export function recordValueLength(memory: PageMemory, record: number): number {
  return memory.u16[(record + 2) >>> 1] & 0x7fff;
}

export function recordIsLarge(memory: PageMemory, record: number): boolean {
  return (memory.u16[(record + 2) >>> 1] & LARGE_VALUE) !== 0;
}

export function recordValue(record: number): number {
  return record + RECORD_HEADER_BYTES;
}

function compareSlot(
  memory: PageMemory,
  base: number,
  index: number,
  key: Uint8Array,
  keyLength: number,
  prefix: number,
): number {
  const record = leafRecord(memory, base, index);
  const suffix = memory.u16[record >>> 1];
  const left = keyLength - prefix;
  const bytes = memory.bytes;
  const rest = record + RECORD_HEADER_BYTES + (memory.u16[(record + 2) >>> 1] & 0x7fff) - HEAD_BYTES;
  const shared = suffix < left ? suffix : left;
  for (let i = HEAD_BYTES; i < shared; i++) {
    const difference = bytes[rest + i] - key[prefix + i];
    if (difference !== 0) return difference;
  }
  return suffix - left;
}

/** The slot that holds `key`, or the complement (~) of the slot before which it would be inserted. */
export function searchLeaf(
  memory: PageMemory,
  base: number,
  pageSize: number,
  key: Uint8Array,
  keyLength: number,
): number {
  const prefix = memory.u16[(base + NODE_PREFIX_LENGTH) >>> 1];
  const count = memory.u16[(base + NODE_COUNT) >>> 1];
  if (prefix > 0) {
    const shared = sharedWithPrefix(memory, base, pageSize, key, keyLength);
    if (shared < prefix)
      return sideOfPrefix(memory, base, pageSize, key, keyLength, shared) < 0 ? ~0 : ~count;
  }
  const head = keyHead(key, keyLength, prefix);
  const heads = (base + NODE_SLOTS) >>> 2;
  const u32 = memory.u32;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = u32[heads + middle];
    if (found < head) low = middle + 1;
    else if (found > head) high = middle;
    else {
      const order = compareSlot(memory, base, middle, key, keyLength, prefix);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
  }
  return ~low;
}

export function leafKeyLength(memory: PageMemory, base: number, index: number): number {
  return prefixLength(memory, base) + memory.u16[leafRecord(memory, base, index) >>> 1];
}

/** Writes the whole key of a slot to `target` from `at` on; returns its length. */
export function readLeafKey(
  memory: PageMemory,
  base: number,
  pageSize: number,
  index: number,
  target: Uint8Array,
  at: number,
): number {
  const prefix = prefixLength(memory, base);
  copyBytes(target, at, memory.bytes, base + heapEnd(pageSize, prefix), prefix);
  return prefix + readLeafSuffix(memory, base, index, target, at + prefix);
}

/** Writes the part of a slot's key that follows the prefix; returns its length. */
export function readLeafSuffix(
  memory: PageMemory,
  base: number,
  index: number,
  target: Uint8Array,
  at: number,
): number {
  return readSuffixOf(memory, base, index, leafRecord(memory, base, index), target, at);
}

/** As `readLeafSuffix`, where the slot's record is known. */
export function readSuffixOf(
  memory: PageMemory,
  base: number,
  index: number,
  record: number,
  target: Uint8Array,
  at: number,
): number {
  const head = memory.u32[((base + NODE_SLOTS) >>> 2) + index];
  const suffix = memory.u16[record >>> 1];
  writeHead(target, at, head, suffix);
  if (suffix > HEAD_BYTES) {
    const rest = record + RECORD_HEADER_BYTES + recordValueLength(memory, record);
    copyBytes(target, at + HEAD_BYTES, memory.bytes, rest, suffix - HEAD_BYTES);
  }
  return suffix;
}

/** Writes the first bytes of a suffix back from its head, as many as the suffix has. */
export function writeHead(target: Uint8Array, at: number, head: number, suffixLength: number): void {
  if (suffixLength > 0) target[at] = head >>> 24;
  if (suffixLength > 1) target[at + 1] = head >>> 16;
  if (suffixLength > 2) target[at + 2] = head >>> 8;
  if (suffixLength > 3) target[at + 3] = head;
}

/** Bytes that no entry uses: the gap, and the records that were deleted or outgrown. */
export function leafFreeBytes(memory: PageMemory, base: number): number {
  return leafGapBytes(memory, base) + memory.u16[(base + NODE_GARBAGE) >>> 1];
}

/** Bytes between the slots and the heap: what an insert can use without rebuilding the leaf. */
export function leafGapBytes(memory: PageMemory, base: number): number {
  return heapStart(memory, base) - NODE_SLOTS - LEAF_SLOT_BYTES * nodeCount(memory, base);
}

/**
 * Puts an entry into slot `index`. The caller has made sure that the key begins with the prefix, that
 * `index` keeps the order, and that the gap holds a slot and a record. Returns the value's offset in
 * the memory; the value's bytes are the caller's to write.
 */
export function insertLeafEntry(
  memory: PageMemory,
  base: number,
  index: number,
  key: Uint8Array,
  keyLength: number,
  valueLength: number,
  large: boolean,
): number {
  openSlot(memory, base, WIDTHS, index);
  memory.u32[((base + NODE_SLOTS) >>> 2) + index] = keyHead(key, keyLength, prefixLength(memory, base));
  if (large) memory.u16[(base + NODE_LARGE_VALUES) >>> 1]++;
  return placeRecord(memory, base, index, key, keyLength, valueLength, large);
}

function placeRecord(
  memory: PageMemory,
  base: number,
  index: number,
  key: Uint8Array,
  keyLength: number,
  valueLength: number,
  large: boolean,
): number {
  const prefix = prefixLength(memory, base);
  const suffix = keyLength - prefix;
  const offset = heapStart(memory, base) - leafRecordBytes(suffix, valueLength);
  setHeapStart(memory, base, offset);
  memory.u16[offsetsStart(base, nodeCount(memory, base)) + index] = offset;
  const record = base + offset;
  memory.u16[record >>> 1] = suffix;
  memory.u16[(record + 2) >>> 1] = large ? valueLength | LARGE_VALUE : valueLength;
  const value = record + RECORD_HEADER_BYTES;
  if (suffix > HEAD_BYTES) {
    const rest = value + valueLength;
    const from = prefix + HEAD_BYTES;
    for (let i = 0; i < suffix - HEAD_BYTES; i++) memory.bytes[rest + i] = key[from + i];
  }
  return value;
}

/** Whether the value of a slot can be replaced by one of `valueLength` bytes without a rebuild. */
export function leafValueFits(memory: PageMemory, base: number, index: number, valueLength: number): boolean {
  const record = leafRecord(memory, base, index);
  const bytes = leafRecordBytes(memory.u16[record >>> 1], valueLength);
  return valueLength === recordValueLength(memory, record) || bytes <= leafGapBytes(memory, base);
}

/** Gives a slot a new value, after `leafValueFits`; returns where the caller writes its bytes. */
export function replaceLeafValue(
  memory: PageMemory,
  base: number,
  index: number,
  key: Uint8Array,
  keyLength: number,
  valueLength: number,
  large: boolean,
): number {
  const record = leafRecord(memory, base, index);
  const length = recordValueLength(memory, record);
  if (recordIsLarge(memory, record) !== large) memory.u16[(base + NODE_LARGE_VALUES) >>> 1] += large ? 1 : -1;
  if (length === valueLength) {
    memory.u16[(record + 2) >>> 1] = large ? valueLength | LARGE_VALUE : valueLength;
    return record + RECORD_HEADER_BYTES;
  }
  memory.u16[(base + NODE_GARBAGE) >>> 1] += leafRecordBytes(memory.u16[record >>> 1], length);
  return placeRecord(memory, base, index, key, keyLength, valueLength, large);
}

export function removeLeafEntry(memory: PageMemory, base: number, index: number): void {
  const record = leafRecord(memory, base, index);
  if (recordIsLarge(memory, record)) memory.u16[(base + NODE_LARGE_VALUES) >>> 1]--;
  memory.u16[(base + NODE_GARBAGE) >>> 1] += leafRecordBytes(
    memory.u16[record >>> 1],
    recordValueLength(memory, record),
  );
  closeSlot(memory, base, WIDTHS, index);
}

/** Slot and record bytes of the entries [from, to), were their common prefix `prefix` bytes long. */
export function leafEntriesBytes(
  memory: PageMemory,
  base: number,
  from: number,
  to: number,
  prefix: number,
): number {
  const difference = prefixLength(memory, base) - prefix;
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const record = leafRecord(memory, base, i);
    bytes +=
      LEAF_SLOT_BYTES +
      leafRecordBytes(memory.u16[record >>> 1] + difference, recordValueLength(memory, record));
  }
  return bytes;
}

/** Bytes that slots and records can take in a leaf with a prefix of `prefix` bytes. */
export function leafCapacity(pageSize: number, prefix: number): number {
  return heapEnd(pageSize, prefix) - NODE_SLOTS;
}

const keyBuffer = Buffer.alloc(65536);

/**
 * Appends copies of the source's entries [from, to), whose keys begin with the target's prefix and
 * sort after all that the target holds. Serves splits, merges, new prefixes and heaps with garbage.
 */
export function appendLeafEntries(
  target: PageMemory,
  targetBase: number,
  source: PageMemory,
  sourceBase: number,
  pageSize: number,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const keyLength = readLeafKey(source, sourceBase, pageSize, i, keyBuffer, 0);
    const record = leafRecord(source, sourceBase, i);
    const length = recordValueLength(source, record);
    const count = nodeCount(target, targetBase);
    const value = insertLeafEntry(
      target,
      targetBase,
      count,
      keyBuffer,
      keyLength,
      length,
      recordIsLarge(source, record),
    );
    copyBytes(target.bytes, value, source.bytes, record + RECORD_HEADER_BYTES, length);
  }
}

/** Compares the key in slot `index` of a leaf with `key`: negative if the slot's sorts before. */
export function compareLeafKey(
  memory: PageMemory,
  base: number,
  pageSize: number,
  index: number,
  key: Uint8Array,
  keyLength: number,
): number {
  const length = readLeafKey(memory, base, pageSize, index, keyBuffer, 0);
  return compareKeys(keyBuffer, length, key, keyLength);
}

/** Sets the prefix of an empty leaf to the first `length` bytes of another node's key in slot `index`. */
export function setLeafPrefixFrom(
  target: PageMemory,
  targetBase: number,
  source: PageMemory,
  sourceBase: number,
  pageSize: number,
  index: number,
  length: number,
): void {
  readLeafKey(source, sourceBase, pageSize, index, keyBuffer, 0);
  setPrefix(target, targetBase, pageSize, keyBuffer, length);
}
