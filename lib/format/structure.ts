/**
 * Whether a page that says it is a node can be one. Its checksum has held already; this is the
 * second line: every count, offset and length lies inside the page, heads ascend, and records and
 * garbage together are the heap, so that no later read leaves the page, loops or returns bytes of a
 * neighbour, and no later write lands in one.
 */
import { branchRecordBytes, childHasLarge, separatorRecord, separatorSuffixLength } from './branch.js';
import { leafRecord, leafRecordBytes, recordIsLarge, recordSuffixLength, recordValueLength } from './leaf.js';
import {
  heapEnd,
  heapStart,
  keyBytesMax,
  NODE_GARBAGE,
  NODE_LARGE_VALUES,
  NODE_SLOTS,
  nodeCount,
  prefixLength,
} from './node.js';
import { gapStart } from './node-gap.js';
import { KIND_BRANCH, KIND_LEAF, PAGE_LEVEL, pageCorrupt, pageKind } from './page.js';
import type { PageMemory } from './page-memory.js';

/** Raises PAGE_CORRUPT if the page at `base` is not a well-formed leaf or branch. */
export function checkNodeStructure(memory: PageMemory, base: number, pageSize: number, page: number): void {
  const kind = pageKind(memory, base);
  if (kind !== KIND_LEAF && kind !== KIND_BRANCH)
    throw pageCorrupt(page, `a node was expected, it is of kind ${kind}`);
  const count = nodeCount(memory, base);
  const prefix = prefixLength(memory, base);
  if (count === 0) throw pageCorrupt(page, 'the node is empty');
  if (prefix > keyBytesMax(pageSize))
    throw pageCorrupt(page, `its prefix of ${prefix} bytes is longer than a key can be`);
  const end = heapEnd(pageSize, prefix);
  if (heapStart(memory, base) > end || gapStart(memory, base) > heapStart(memory, base))
    throw pageCorrupt(page, 'its slots overlap its records');
  if ((heapStart(memory, base) & 3) !== 0)
    throw pageCorrupt(page, 'its heap does not begin at a multiple of four');
  if ((kind === KIND_LEAF) !== (memory.bytes[base + PAGE_LEVEL] === 0))
    throw pageCorrupt(page, 'its level does not fit its kind');
  const used =
    kind === KIND_LEAF
      ? checkLeafSlots(memory, base, pageSize, page, count, end)
      : checkBranchSlots(memory, base, pageSize, page, count, end);
  if (used + memory.u16[(base + NODE_GARBAGE) >>> 1] !== end - heapStart(memory, base))
    throw pageCorrupt(page, 'its records and its garbage are not the size of its heap');
}

/** Checks the order of the heads of a slot and the one before, and that a short key's head ends with zeros. */
function checkHead(memory: PageMemory, base: number, page: number, index: number, suffix: number): void {
  const head = (base + NODE_SLOTS) >>> 2;
  if (suffix < 4 && memory.u32[head + index] << (8 * suffix) !== 0)
    throw pageCorrupt(page, `the head in slot ${index} goes on past the end of its key`);
  if (index > 0 && memory.u32[head + index - 1] > memory.u32[head + index])
    throw pageCorrupt(page, `slots ${index - 1} and ${index} are out of order`);
}

/** Returns the bytes of all records. */
function checkLeafSlots(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  count: number,
  end: number,
): number {
  const start = heapStart(memory, base);
  const suffixMax = keyBytesMax(pageSize) - prefixLength(memory, base);
  let used = 0;
  let large = 0;
  for (let i = 0; i < count; i++) {
    const record = leafRecord(memory, base, i);
    const offset = record - base;
    if (offset < start || offset + 4 > end || (offset & 3) !== 0)
      throw pageCorrupt(page, `slot ${i} points outside the heap`);
    const suffix = recordSuffixLength(memory, record);
    if (suffix > suffixMax) throw pageCorrupt(page, `the key in slot ${i} is longer than a key can be`);
    const bytes = leafRecordBytes(suffix, recordValueLength(memory, record));
    if (offset + bytes > end) throw pageCorrupt(page, `the record of slot ${i} ends past the heap`);
    checkHead(memory, base, page, i, suffix);
    used += bytes;
    if (recordIsLarge(memory, record)) large++;
  }
  if (large !== memory.u16[(base + NODE_LARGE_VALUES) >>> 1])
    throw pageCorrupt(page, `it has ${large} large values, its header says otherwise`);
  return used;
}

/** Returns the bytes of all records. */
function checkBranchSlots(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  count: number,
  end: number,
): number {
  const start = heapStart(memory, base);
  const suffixMax = keyBytesMax(pageSize) - prefixLength(memory, base);
  let used = 0;
  let large = false;
  for (let i = 0; i < count; i++) {
    const record = separatorRecord(memory, base, i);
    if (record !== 0) {
      const offset = record - base;
      if (offset < start || offset + 4 > end || (offset & 3) !== 0)
        throw pageCorrupt(page, `slot ${i} points outside the heap`);
    }
    const suffix = separatorSuffixLength(memory, base, i);
    if (suffix > suffixMax || (record !== 0) === suffix <= 4)
      throw pageCorrupt(page, `the separator in slot ${i} has an impossible length`);
    const bytes = branchRecordBytes(suffix);
    if (record !== 0 && record - base + bytes > end)
      throw pageCorrupt(page, `the separator of slot ${i} ends past the heap`);
    if (i === 0 && suffix !== 0) throw pageCorrupt(page, 'its first child has a separator');
    checkHead(memory, base, page, i, suffix);
    used += bytes;
    large ||= childHasLarge(memory, base, i);
  }
  if (large && memory.u16[(base + NODE_LARGE_VALUES) >>> 1] === 0)
    throw pageCorrupt(page, 'a child may have large values, its header says otherwise');
  return used;
}
