/**
 * What leaf and branch pages share: the fields of their header, the common prefix of their keys and
 * the slot columns.
 *
 *      0        20      22       24      26        28      30   32
 *      +--------+-------+--------+-------+---------+-------+----+---------+- - -+------+--------+
 *      | page   | count | prefix | heap  | garbage | large | 0  | slot    | free| heap | prefix |
 *      | header |       | length | start | bytes   | values|    | columns | gap |      | bytes  |
 *      +--------+-------+--------+-------+---------+-------+----+---------+- - -+------+--------+
 *                                                               ^ grows ->  <- grows
 *
 * The prefix that all keys of the node begin with stands once, at the end of the page, from a multiple of four on.
 * Slots are kept as columns, one array a field, ordered by key: search runs over the first column, the key
 * heads, and touches nothing else until two heads tie. Records in the heap begin at multiples of
 * four bytes. `heap start` is 0 for 65,536.
 */
import { initPage, PAGE_HEADER_BYTES } from './page.js';
import { copyBytes, type PageMemory } from './page-memory.js';

export const NODE_COUNT = 20;
export const NODE_PREFIX_LENGTH = 22;
export const NODE_HEAP_START = 24;
export const NODE_GARBAGE = 26;
/** Leaf: how many entries keep their value in extents. Branch: 1 if any leaf below may have one. */
export const NODE_LARGE_VALUES = 28;
export const NODE_SLOTS = PAGE_HEADER_BYTES;

/** Keys are at most a quarter of a page. */
export function keyBytesMax(pageSize: number): number {
  return pageSize >>> 2;
}

export function initNode(
  memory: PageMemory,
  base: number,
  pageSize: number,
  kind: number,
  page: number,
  stamp: number,
  sequence: number,
): void {
  initPage(memory, base, kind, page, stamp, sequence);
  setHeapStart(memory, base, pageSize);
}

export function nodeCount(memory: PageMemory, base: number): number {
  return memory.u16[(base + NODE_COUNT) >>> 1];
}

export function prefixLength(memory: PageMemory, base: number): number {
  return memory.u16[(base + NODE_PREFIX_LENGTH) >>> 1];
}

export function heapStart(memory: PageMemory, base: number): number {
  return memory.u16[(base + NODE_HEAP_START) >>> 1] || 65536;
}

export function setHeapStart(memory: PageMemory, base: number, offset: number): void {
  memory.u16[(base + NODE_HEAP_START) >>> 1] = offset & 0xffff;
}

/** The heap's upper end, where the prefix begins: at a multiple of four, so that whole words of it can be copied. */
export function heapEnd(pageSize: number, prefix: number): number {
  return (pageSize - prefix) & ~3;
}

/** Gives an empty node its prefix. The node must hold no entry: heads are relative to the prefix. */
export function setPrefix(
  memory: PageMemory,
  base: number,
  pageSize: number,
  key: Uint8Array,
  length: number,
): void {
  memory.u16[(base + NODE_PREFIX_LENGTH) >>> 1] = length;
  setHeapStart(memory, base, heapEnd(pageSize, length));
  copyBytes(memory.bytes, base + heapEnd(pageSize, length), key, 0, length);
}

/** How many bytes of `key` agree with the node's prefix; the whole prefix if the key can be inside. */
export function sharedWithPrefix(
  memory: PageMemory,
  base: number,
  pageSize: number,
  key: Uint8Array,
  keyLength: number,
): number {
  const prefix = memory.u16[(base + NODE_PREFIX_LENGTH) >>> 1];
  const start = base + heapEnd(pageSize, prefix);
  const bytes = memory.bytes;
  const end = prefix < keyLength ? prefix : keyLength;
  let i = 0;
  while (i < end && bytes[start + i] === key[i]) i++;
  return i;
}

/**
 * Where a key that does not begin with the whole prefix lies: before every key of the node (negative)
 * or after (positive). `shared` is what `sharedWithPrefix` returned, less than the prefix length.
 */
export function sideOfPrefix(
  memory: PageMemory,
  base: number,
  pageSize: number,
  key: Uint8Array,
  keyLength: number,
  shared: number,
): number {
  if (shared === keyLength) return -1;
  return key[shared] - memory.bytes[base + heapEnd(pageSize, prefixLength(memory, base)) + shared];
}

/** Below this many bytes a loop over words beats a call of the runtime's copy. */
const LOOP_BYTES_MAX = 256;

/** Moves the bytes [from, end) to a place that they may overlap; all at even offsets. */
function move(memory: PageMemory, to: number, from: number, end: number): void {
  if (end - from > LOOP_BYTES_MAX) {
    memory.bytes.copyWithin(to, from, end);
    return;
  }
  const { u16 } = memory;
  const first = from >>> 1;
  const distance = (to - from) >> 1;
  if (distance > 0) for (let at = (end >>> 1) - 1; at >= first; at--) u16[at + distance] = u16[at];
  else for (let at = first; at < end >>> 1; at++) u16[at + distance] = u16[at];
}

/** Opens a gap of one slot at `index` in every column; `widths` are the columns' bytes a slot. */
export function openSlot(memory: PageMemory, base: number, widths: readonly number[], index: number): void {
  const count = nodeCount(memory, base);
  let widthBefore = 0;
  for (let i = 0; i < widths.length; i++) widthBefore += widths[i];
  // From the last column down, so that nothing is overwritten before it was moved.
  for (let i = widths.length - 1; i >= 0; i--) {
    const width = widths[i];
    widthBefore -= width;
    const start = base + NODE_SLOTS + widthBefore * count;
    const cut = start + width * index;
    const end = start + width * count;
    move(memory, cut + widthBefore + width, cut, end);
    if (widthBefore > 0) move(memory, start + widthBefore, start, cut);
  }
  memory.u16[(base + NODE_COUNT) >>> 1] = count + 1;
}

/** Takes slot `index` out of every column. */
export function closeSlot(memory: PageMemory, base: number, widths: readonly number[], index: number): void {
  const count = nodeCount(memory, base);
  let widthBefore = 0;
  for (let i = 0; i < widths.length; i++) {
    const width = widths[i];
    const start = base + NODE_SLOTS + widthBefore * count;
    const cut = start + width * index;
    const end = start + width * count;
    if (widthBefore > 0) move(memory, start - widthBefore, start, cut);
    move(memory, cut - widthBefore, cut + width, end);
    widthBefore += width;
  }
  memory.u16[(base + NODE_COUNT) >>> 1] = count - 1;
}
