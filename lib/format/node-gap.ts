/**
 * The gap of a node, between its slots and its records: a third of a page that was filled at random. Copies of nodes
 * in memory leave it out, so that it holds whatever the memory held before; none of that goes to the file.
 */
import { BRANCH_SLOT_BYTES } from './branch.js';
import { LEAF_SLOT_BYTES } from './leaf.js';
import { heapStart, NODE_SLOTS, nodeCount } from './node.js';
import { KIND_LEAF, pageKind } from './page.js';
import type { PageMemory } from './page-memory.js';

/** Where a node's slots end and its gap begins, from its base on. */
export function gapStart(memory: PageMemory, base: number): number {
  const slotBytes = pageKind(memory, base) === KIND_LEAF ? LEAF_SLOT_BYTES : BRANCH_SLOT_BYTES;
  return NODE_SLOTS + slotBytes * nodeCount(memory, base);
}

/** Copies a node but for its gap. */
export function copyNode(memory: PageMemory, from: number, to: number, pageSize: number): void {
  const heap = heapStart(memory, from);
  memory.bytes.copyWithin(to, from, from + gapStart(memory, from));
  memory.bytes.copyWithin(to + heap, from + heap, from + pageSize);
}

/** Makes a node's gap zeros. Nobody reads it, so a node that others read may be changed so. */
export function clearGap(memory: PageMemory, base: number, pageSize: number): void {
  const end = Math.min(heapStart(memory, base), pageSize);
  memory.bytes.fill(0, base + Math.min(gapStart(memory, base), end), base + end);
}
