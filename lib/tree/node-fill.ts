/** How full a page of a tree is. */
import { branchFreeBytes, nodeLevel } from '../format/branch.js';
import { leafCapacity, leafFreeBytes } from '../format/leaf.js';
import { prefixLength } from '../format/node.js';
import type { PageMemory } from '../format/page-memory.js';

/** The part of a leaf's or branch's room that its entries use, from 0 to 1. */
export function nodeFill(memory: PageMemory, base: number, pageSize: number): number {
  const capacity = leafCapacity(pageSize, prefixLength(memory, base));
  const free = nodeLevel(memory, base) === 0 ? leafFreeBytes(memory, base) : branchFreeBytes(memory, base);
  return (capacity - free) / capacity;
}
