/** Packs sorted entries of a block into whole leaves: the inner loop of a bulk load. */
import { keyHead } from '../format/key.js';
import { initLeaf, LEAF_SLOT_BYTES, leafRecordBytes } from '../format/leaf.js';
import {
  heapEnd,
  NODE_COUNT,
  NODE_LARGE_VALUES,
  NODE_SLOTS,
  setHeapStart,
  setPrefix,
} from '../format/node.js';
import { copyAligned, type PageMemory } from '../format/page-memory.js';
import type { EntryBlock } from './entry-block.js';

const LARGE_VALUE = 0x8000;

/** For each entry, the record of its extents if its value is large, by index in the block. */
export type LargeRecords = ReadonlyMap<number, Buffer>;

/** How many of the first `byteCount` bytes of two keys in a block are the same: of whole words first, as keys lie aligned. */
function sharedBytes({ bytes, u32 }: PageMemory, a: number, b: number, byteCount: number): number {
  const words = byteCount >>> 2;
  let word = 0;
  while (word < words && u32[(a >>> 2) + word] === u32[(b >>> 2) + word]) word++;
  let i = word << 2;
  while (i < byteCount && bytes[a + i] === bytes[b + i]) i++;
  return i;
}

/**
 * Adds up what entries of a block take in one leaf, one more at a time. The prefix that their keys share
 * shrinks as keys come, and every record before grows with that, so the sum is then made anew.
 */
export class LeafFill {
  private readonly block: EntryBlock;
  private readonly from: number;
  private readonly pageSize: number;
  private readonly fill: number;
  private readonly large: LargeRecords;
  private prefix = 0;
  private used = 0;
  /** The entry that comes next; those from `from` up to it are in the leaf. */
  next: number;

  constructor(block: EntryBlock, from: number, pageSize: number, fill: number, large: LargeRecords) {
    this.block = block;
    this.from = from;
    this.next = from;
    this.pageSize = pageSize;
    this.fill = fill;
    this.large = large;
  }

  /** Takes all entries of the block that a leaf filled to `fill` takes; returns whether any was refused. */
  takeAll(): boolean {
    const { block } = this;
    for (; this.next < block.count; this.next++) if (!this.takes(this.next)) return true;
    return false;
  }

  private takes(index: number): boolean {
    const { block, from } = this;
    const { keyOffsets, keyLengths } = block;
    const isFirst = index === from;
    const least = isFirst ? keyLengths[index] : Math.min(this.prefix, keyLengths[index]);
    const shared = sharedBytes(block.memory, keyOffsets[from], keyOffsets[index], least);
    let used = this.used;
    if (isFirst || shared < this.prefix) {
      used = 0;
      for (let i = from; i < index; i++) used += this.entryBytes(i, shared);
    }
    used += this.entryBytes(index, shared);
    if (used > (heapEnd(this.pageSize, shared) - NODE_SLOTS) * this.fill && !isFirst) return false;
    this.prefix = shared;
    this.used = used;
    return true;
  }

  private entryBytes(index: number, prefix: number): number {
    const { block, large } = this;
    const record = large.size > 0 ? large.get(index) : undefined;
    const valueLength = record === undefined ? block.valueLengths[index] : record.length;
    return LEAF_SLOT_BYTES + leafRecordBytes(block.keyLengths[index] - prefix, valueLength);
  }
}

/** Lays out the entries [from, to) as a leaf at `base`, whose page header is set already. */
export function packLeaf(
  memory: PageMemory,
  base: number,
  pageSize: number,
  identity: { page: number; stamp: number; sequence: number },
  block: EntryBlock,
  from: number,
  to: number,
  large: LargeRecords,
): void {
  const source = block.memory.bytes;
  const { keyOffsets, keyLengths } = block;
  const count = to - from;
  const shortest = Math.min(keyLengths[from], keyLengths[to - 1]);
  const prefix = sharedBytes(block.memory, keyOffsets[from], keyOffsets[to - 1], shortest);
  initLeaf(memory, base, pageSize, identity.page, identity.stamp, identity.sequence);
  if (prefix > 0)
    setPrefix(memory, base, pageSize, source.subarray(keyOffsets[from], keyOffsets[from] + prefix), prefix);
  const heads = (base + NODE_SLOTS) >>> 2;
  const offsets = (base + NODE_SLOTS + 4 * count) >>> 1;
  let heap = heapEnd(pageSize, prefix);
  let largeCount = 0;
  for (let i = 0; i < count; i++) {
    const index = from + i;
    const record = large.size > 0 ? large.get(index) : undefined;
    const keyAt = keyOffsets[index];
    const suffix = keyLengths[index] - prefix;
    const valueLength = record === undefined ? block.valueLengths[index] : record.length;
    heap -= leafRecordBytes(suffix, valueLength);
    memory.u32[heads + i] = keyHead(source, keyAt + keyLengths[index], keyAt + prefix);
    memory.u16[offsets + i] = heap;
    const at = base + heap;
    memory.u16[at >>> 1] = suffix;
    memory.u16[(at + 2) >>> 1] = record === undefined ? valueLength : valueLength | LARGE_VALUE;
    if (record === undefined)
      copyAligned(memory, at + 4, block.memory, block.valueOffsets[index], valueLength);
    else {
      memory.bytes.set(record, at + 4);
      largeCount++;
    }
    // After the value: copying whole words may have written past its end.
    const rest = at + 4 + valueLength;
    for (let j = 4; j < suffix; j++) memory.bytes[rest + j - 4] = source[keyAt + prefix + j];
  }
  setHeapStart(memory, base, heap);
  memory.u16[(base + NODE_COUNT) >>> 1] = count;
  memory.u16[(base + NODE_LARGE_VALUES) >>> 1] = largeCount;
}
