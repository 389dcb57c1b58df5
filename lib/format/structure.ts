/**
 * Whether a page that says it is a node can be one. Its checksum has held already; this is the
 * second line: every count, offset and length lies inside the page and heads ascend, so that no
 * later read leaves the page, loops or returns bytes of a neighbour.
 */
import { BRANCH_SLOT_BYTES, separatorRecord, separatorSuffixLength } from './branch.js';
import {
  LEAF_SLOT_BYTES,
  leafRecord,
  leafRecordBytes,
  recordSuffixLength,
  recordValueLength,
} from './leaf.js';
import { heapEnd, heapStart, keyBytesMax, NODE_SLOTS, nodeCount, prefixLength } from './node.js';
import { KIND_BRANCH, KIND_LEAF, PAGE_LEVEL, pageCorrupt, pageKind } from './page.js';
import type { PageMemory } from './page-memory.js';

/** Raises PAGE_CORRUPT if the page at `base` is not a well-formed leaf or branch. */
export function checkNodeStructure(memory: PageMemory, base: number, pageSize: number, page: number): void {
  const kind = pageKind(memory, base);
  if (kind !== KIND_LEAF && kind !== KIND_BRANCH)
    throw pageCorrupt(page, `a node was expected, it is of kind ${kind}`);
  const count = nodeCount(memory, base);
  const prefix = prefixLength(memory, base);
  const slotBytes = kind === KIND_LEAF ? LEAF_SLOT_BYTES : BRANCH_SLOT_BYTES;
  const slotsEnd = NODE_SLOTS + slotBytes * count;
  if (count === 0) throw pageCorrupt(page, 'the node is empty');
  if (prefix > keyBytesMax(pageSize))
    throw pageCorrupt(page, `its prefix of ${prefix} bytes is longer than a key can be`);
  const end = heapEnd(pageSize, prefix);
  if (heapStart(memory, base) > end || slotsEnd > heapStart(memory, base))
    throw pageCorrupt(page, 'its slots overlap its records');
  if ((kind === KIND_LEAF) !== (memory.bytes[base + PAGE_LEVEL] === 0))
    throw pageCorrupt(page, 'its level does not fit its kind');
  if (kind === KIND_LEAF) checkLeafSlots(memory, base, pageSize, page, count, end);
  else checkBranchSlots(memory, base, pageSize, page, count, end);
}

function checkLeafSlots(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  count: number,
  end: number,
): void {
  const start = heapStart(memory, base);
  const suffixMax = keyBytesMax(pageSize) - prefixLength(memory, base);
  const heads = (base + NODE_SLOTS) >>> 2;
  for (let i = 0; i < count; i++) {
    const record = leafRecord(memory, base, i);
    const offset = record - base;
    if (offset < start || offset + 4 > end || (offset & 3) !== 0)
      throw pageCorrupt(page, `slot ${i} points outside the heap`);
    const suffix = recordSuffixLength(memory, record);
    if (suffix > suffixMax) throw pageCorrupt(page, `the key in slot ${i} is longer than a key can be`);
    if (offset + leafRecordBytes(suffix, recordValueLength(memory, record)) > end)
      throw pageCorrupt(page, `the record of slot ${i} ends past the heap`);
    if (i > 0 && memory.u32[heads + i - 1] > memory.u32[heads + i])
      throw pageCorrupt(page, `slots ${i - 1} and ${i} are out of order`);
  }
}

function checkBranchSlots(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  count: number,
  end: number,
): void {
  const start = heapStart(memory, base);
  const suffixMax = keyBytesMax(pageSize) - prefixLength(memory, base);
  const heads = (base + NODE_SLOTS) >>> 2;
  for (let i = 0; i < count; i++) {
    const record = separatorRecord(memory, base, i);
    if (record !== 0) {
      const offset = record - base;
      if (offset < start || offset + 2 > end || (offset & 3) !== 0)
        throw pageCorrupt(page, `slot ${i} points outside the heap`);
      const suffix = separatorSuffixLength(memory, base, i);
      if (suffix > suffixMax || suffix <= 4)
        throw pageCorrupt(page, `the separator in slot ${i} has an impossible length`);
      if (offset + 2 + suffix - 4 > end)
        throw pageCorrupt(page, `the separator of slot ${i} ends past the heap`);
    }
    if (i > 1 && memory.u32[heads + i - 1] > memory.u32[heads + i])
      throw pageCorrupt(page, `slots ${i - 1} and ${i} are out of order`);
  }
}
