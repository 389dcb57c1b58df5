/**
 * A branch page: children in key order, after the header and prefix that `node.ts` describes. Slot 0
 * has no separator: its child holds every key before the separator of slot 1. A separator is the
 * shortest byte string that sorts after all keys to its left and not after any to its right.
 *
 *      slot columns       heads      count × u32   first four bytes of the separator after the prefix
 *                         pages      count × u32   the child's page number
 *                         stamps     count × u32   the stamp that the child page must carry
 *                         entries    count × u32   entries below the child, low 32 bits
 *                         high       count × u16   their high 15 bits | 0x8000: large values below
 *                         offsets    count × u16   0 to 4: the length of a separator that its head
 *                                                  holds whole; else where its record begins
 *
 *      record             0                 2
 *                         +-----------------+-------------------------------+- -+
 *                         | length less the | separator bytes past prefix   |pad|
 *                         | prefix          | and head                      |   |
 *                         +-----------------+-------------------------------+- -+
 *
 * Entry counts let `count` and `deleteRange` answer without reading the leaves.
 */
import { keyHead } from './key.js';
import { writeHead } from './leaf.js';
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
  sharedWithPrefix,
  sideOfPrefix,
} from './node.js';
import { KIND_BRANCH, PAGE_LEVEL } from './page.js';
import { copyBytes, type PageMemory } from './page-memory.js';

const WIDTHS = [4, 4, 4, 4, 2, 2] as const;
export const BRANCH_SLOT_BYTES = 20;
const HEAD_BYTES = 4;
const RECORD_HEADER_BYTES = 2;
const LARGE_BELOW = 0x8000;
const TWO_32 = 0x1_0000_0000;

export function initBranch(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  stamp: number,
  sequence: number,
  level: number,
): void {
  initNode(memory, base, pageSize, KIND_BRANCH, page, stamp, sequence);
  memory.bytes[base + PAGE_LEVEL] = level;
}

/** Levels above the leaves: a branch over leaves is at level 1. */
export function nodeLevel(memory: PageMemory, base: number): number {
  return memory.bytes[base + PAGE_LEVEL];
}

export function branchRecordBytes(suffixLength: number): number {
  return suffixLength > HEAD_BYTES ? (RECORD_HEADER_BYTES + suffixLength - HEAD_BYTES + 3) & ~3 : 0;
}

// Word and half-word indices of slot `index` in each column.
function pageAt(base: number, count: number, index: number): number {
  return ((base + NODE_SLOTS + 4 * count) >>> 2) + index;
}
function stampAt(base: number, count: number, index: number): number {
  return ((base + NODE_SLOTS + 8 * count) >>> 2) + index;
}
function entriesAt(base: number, count: number, index: number): number {
  return ((base + NODE_SLOTS + 12 * count) >>> 2) + index;
}
function highAt(base: number, count: number, index: number): number {
  return ((base + NODE_SLOTS + 16 * count) >>> 1) + index;
}
function offsetAt(base: number, count: number, index: number): number {
  return ((base + NODE_SLOTS + 18 * count) >>> 1) + index;
}

export function childPage(memory: PageMemory, base: number, index: number): number {
  return memory.u32[pageAt(base, memory.u16[(base + NODE_COUNT) >>> 1], index)];
}

export function childStamp(memory: PageMemory, base: number, index: number): number {
  return memory.u32[stampAt(base, memory.u16[(base + NODE_COUNT) >>> 1], index)];
}

export function childEntries(memory: PageMemory, base: number, index: number): number {
  const count = nodeCount(memory, base);
  const high = memory.u16[highAt(base, count, index)] & ~LARGE_BELOW;
  return high * TWO_32 + memory.u32[entriesAt(base, count, index)];
}

/** Whether a leaf below the child may hold a large value; false is certain. */
export function childHasLarge(memory: PageMemory, base: number, index: number): boolean {
  return (memory.u16[highAt(base, nodeCount(memory, base), index)] & LARGE_BELOW) !== 0;
}

export function setChildPage(
  memory: PageMemory,
  base: number,
  index: number,
  page: number,
  stamp: number,
): void {
  const count = nodeCount(memory, base);
  memory.u32[pageAt(base, count, index)] = page;
  memory.u32[stampAt(base, count, index)] = stamp;
}

export function setChildEntries(
  memory: PageMemory,
  base: number,
  index: number,
  entries: number,
  large: boolean,
): void {
  const count = nodeCount(memory, base);
  memory.u32[entriesAt(base, count, index)] = entries >>> 0;
  memory.u16[highAt(base, count, index)] = (entries / TWO_32) | (large ? LARGE_BELOW : 0);
  if (large) memory.u16[(base + NODE_LARGE_VALUES) >>> 1] = 1;
}

/** Entries below all children of the branch. */
export function branchEntries(memory: PageMemory, base: number): number {
  let entries = 0;
  for (let i = nodeCount(memory, base) - 1; i >= 0; i--) entries += childEntries(memory, base, i);
  return entries;
}

export function separatorSuffixLength(memory: PageMemory, base: number, index: number): number {
  const offset = memory.u16[offsetAt(base, nodeCount(memory, base), index)];
  return offset <= HEAD_BYTES ? offset : memory.u16[(base + offset) >>> 1];
}

/** The byte offset in the memory of a separator's record, or 0 where its head holds it whole. */
export function separatorRecord(memory: PageMemory, base: number, index: number): number {
  const offset = memory.u16[offsetAt(base, nodeCount(memory, base), index)];
  return offset <= HEAD_BYTES ? 0 : base + offset;
}

function compareSlot(
  memory: PageMemory,
  base: number,
  index: number,
  key: Uint8Array,
  keyLength: number,
  prefix: number,
): number {
  const left = keyLength - prefix;
  const suffix = separatorSuffixLength(memory, base, index);
  if (suffix > HEAD_BYTES) {
    const rest = separatorRecord(memory, base, index) + RECORD_HEADER_BYTES - HEAD_BYTES;
    const shared = suffix < left ? suffix : left;
    for (let i = HEAD_BYTES; i < shared; i++) {
      const difference = memory.bytes[rest + i] - key[prefix + i];
      if (difference !== 0) return difference;
    }
  }
  return suffix - left;
}

/** The slot of the child in whose range `key` lies. */
export function searchBranch(
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
      return sideOfPrefix(memory, base, pageSize, key, keyLength, shared) < 0 ? 0 : count - 1;
  }
  const head = keyHead(key, keyLength, prefix);
  const heads = (base + NODE_SLOTS) >>> 2;
  const u32 = memory.u32;
  let low = 1;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = u32[heads + middle];
    // A separator equal to the key belongs to the child on its right.
    const before =
      found === head ? compareSlot(memory, base, middle, key, keyLength, prefix) <= 0 : found < head;
    if (before) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Writes the separator of slot `index` to `target` from `at` on; returns its length. Slot 0 has none. */
export function readSeparator(
  memory: PageMemory,
  base: number,
  pageSize: number,
  index: number,
  target: Uint8Array,
  at: number,
): number {
  const prefix = prefixLength(memory, base);
  const suffix = separatorSuffixLength(memory, base, index);
  copyBytes(target, at, memory.bytes, base + heapEnd(pageSize, prefix), prefix);
  writeHead(target, at + prefix, memory.u32[((base + NODE_SLOTS) >>> 2) + index], suffix);
  if (suffix > HEAD_BYTES) {
    const rest = separatorRecord(memory, base, index) + RECORD_HEADER_BYTES;
    copyBytes(target, at + prefix + HEAD_BYTES, memory.bytes, rest, suffix - HEAD_BYTES);
  }
  return prefix + suffix;
}

export function branchGapBytes(memory: PageMemory, base: number): number {
  return heapStart(memory, base) - NODE_SLOTS - BRANCH_SLOT_BYTES * nodeCount(memory, base);
}

export function branchFreeBytes(memory: PageMemory, base: number): number {
  return branchGapBytes(memory, base) + memory.u16[(base + NODE_GARBAGE) >>> 1];
}

/**
 * Puts a child into slot `index`. For every slot but 0 the separator must begin with the node's
 * prefix, keep the order, and slot and record must fit into the gap; for slot 0 it is ignored.
 */
export function insertChild(
  memory: PageMemory,
  base: number,
  index: number,
  separator: Uint8Array,
  separatorLength: number,
  page: number,
  stamp: number,
): void {
  openSlot(memory, base, WIDTHS, index);
  const count = nodeCount(memory, base);
  const prefix = prefixLength(memory, base);
  const suffix = index === 0 ? 0 : separatorLength - prefix;
  let offset = suffix;
  if (suffix > HEAD_BYTES) {
    offset = heapStart(memory, base) - branchRecordBytes(suffix);
    setHeapStart(memory, base, offset);
    memory.u16[(base + offset) >>> 1] = suffix;
    copyBytes(
      memory.bytes,
      base + offset + RECORD_HEADER_BYTES,
      separator.subarray(prefix + HEAD_BYTES, separatorLength),
      0,
      suffix - HEAD_BYTES,
    );
  }
  memory.u32[((base + NODE_SLOTS) >>> 2) + index] =
    index === 0 ? 0 : keyHead(separator, separatorLength, prefix);
  memory.u16[offsetAt(base, count, index)] = offset;
  setChildPage(memory, base, index, page, stamp);
  setChildEntries(memory, base, index, 0, false);
}

/** Takes a child out. If it was the first, the next one becomes slot 0 and loses its separator. */
export function removeChild(memory: PageMemory, base: number, index: number): void {
  addSeparatorToGarbage(memory, base, index);
  closeSlot(memory, base, WIDTHS, index);
  if (index > 0 || nodeCount(memory, base) === 0) return;
  addSeparatorToGarbage(memory, base, 0);
  memory.u32[(base + NODE_SLOTS) >>> 2] = 0;
  memory.u16[offsetAt(base, nodeCount(memory, base), 0)] = 0;
}

function addSeparatorToGarbage(memory: PageMemory, base: number, index: number): void {
  const suffix = separatorSuffixLength(memory, base, index);
  memory.u16[(base + NODE_GARBAGE) >>> 1] += branchRecordBytes(suffix);
}
