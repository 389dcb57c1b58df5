/** Copies a node without the gap between its slots and its records: a third of a page that was filled at random. */
import { BRANCH_SLOT_BYTES } from './branch.js';
import { LEAF_SLOT_BYTES } from './leaf.js';
import { heapStart, NODE_SLOTS, nodeCount } from './node.js';
import { KIND_LEAF, pageKind } from './page.js';
import type { PageMemory } from './page-memory.js';

/** What the gap of the copy holds is of no meaning. */
export function copyNode(memory: PageMemory, from: number, to: number, pageSize: number): void {
  const slotBytes = pageKind(memory, from) === KIND_LEAF ? LEAF_SLOT_BYTES : BRANCH_SLOT_BYTES;
  const heap = heapStart(memory, from);
  memory.bytes.copyWithin(to, from, from + NODE_SLOTS + slotBytes * nodeCount(memory, from));
  memory.bytes.copyWithin(to + heap, from + heap, from + pageSize);
}
