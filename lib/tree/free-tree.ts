/** Gives up a whole tree: its branches are read, its leaves only where they may hold large values. */
import { childHasLarge, childPage, childStamp, nodeLevel } from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { leafRecord, recordIsLarge } from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import { wrongLevel } from './descend.js';
import { freeLargeValue } from './large-value.js';

/** `since`: no page of the tree is older than this sequence. */
export function freeTree(pages: PageTransaction, root: TreeRoot, since: number): void {
  if (root.page === 0) return;
  freeSubtree(pages, root.page, root.stamp, undefined, root.large, since);
}

/**
 * Gives up a node and all below it. `level`: what its parent expects it to be at, where there is one;
 * `since`: no page of the tree is older than this sequence.
 */
export function freeSubtree(
  pages: PageTransaction,
  page: number,
  stamp: number,
  level: number | undefined,
  large: boolean,
  since: number,
): void {
  // A leaf without large values need not be read: its number is all there is to give up.
  if (level === 0 && !large) {
    pages.freeLeaf(page, stamp, since);
    return;
  }
  const { memory } = pages;
  const base = pages.load(page, stamp);
  const found = nodeLevel(memory, base);
  if (level !== undefined && found !== level) throw wrongLevel(page, found, level);
  if (found === 0) freeLargeValues(pages, base);
  else {
    // The children are noted first: loading one may drop this page from memory.
    const children: { page: number; stamp: number; large: boolean }[] = [];
    for (let i = 0; i < nodeCount(memory, base); i++) {
      children.push({
        page: childPage(memory, base, i),
        stamp: childStamp(memory, base, i),
        large: childHasLarge(memory, base, i),
      });
    }
    for (const child of children) freeSubtree(pages, child.page, child.stamp, found - 1, child.large, since);
  }
  pages.freeNode(page, stamp);
}

/** Gives up the extents of every large value in a leaf. */
export function freeLargeValues(pages: PageTransaction, leaf: number): void {
  for (let i = 0; i < nodeCount(pages.memory, leaf); i++) {
    const record = leafRecord(pages.memory, leaf, i);
    if (recordIsLarge(pages.memory, record)) freeLargeValue(pages, leaf, record);
  }
}
