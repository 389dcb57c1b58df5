/**
 * Deletes all entries within bounds: subtrees that lie inside as a whole are given up without reading
 * their leaves, only the pages at the two edges are changed.
 */
import {
  branchEntries,
  childHasLarge,
  childPage,
  childStamp,
  nodeLevel,
  removeChild,
  searchBranch,
  setChildEntries,
} from '../format/branch.js';
import { leafRecord, recordIsLarge, removeLeafEntry, searchLeaf } from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import { pageNumberAt } from '../format/page.js';
import { collapseRoot, repairPath } from './delete.js';
import { freeSubtree } from './free-tree.js';
import type { KeyBounds } from './key-bounds.js';
import { freeLargeValue } from './large-value.js';
import { countEntries } from './rank.js';
import type { WritableTree } from './writable-tree.js';

/** Returns how many entries were deleted. Nothing is copied if there are none. */
export function deleteRange(tree: WritableTree, bounds: KeyBounds): number {
  const { pages } = tree;
  pages.spillIfNeeded();
  const entries = countEntries(pages, tree.root, bounds);
  if (entries === 0) return 0;
  const root = pages.writable(tree.page, tree.stamp);
  tree.setRoot(root);
  cutNode(tree, root, bounds);
  tree.entries -= entries;
  if (nodeCount(pages.memory, root) === 0) {
    pages.freeNode(tree.page, tree.stamp);
    tree.clearRoot();
    return entries;
  }
  collapseRoot(tree);
  for (const edge of [bounds.lower, bounds.upper])
    if (edge !== undefined) repairPath(tree, edge, edge.length);
  return entries;
}

/** Cuts the bounds out of a node that is our own; it may be left empty. */
function cutNode(tree: WritableTree, base: number, bounds: KeyBounds): void {
  if (nodeLevel(tree.pages.memory, base) === 0) cutLeaf(tree, base, bounds);
  else cutBranch(tree, base, bounds);
}

function cutLeaf(tree: WritableTree, leaf: number, bounds: KeyBounds): void {
  const { pages } = tree;
  const { memory, pageSize } = pages;
  const place = (key: Uint8Array, after: boolean): number => {
    const found = searchLeaf(memory, leaf, pageSize, key, key.length);
    if (found < 0) return ~found;
    return after ? found + 1 : found;
  };
  const from = bounds.lower === undefined ? 0 : place(bounds.lower, bounds.lowerOpen === true);
  const to =
    bounds.upper === undefined ? nodeCount(memory, leaf) : place(bounds.upper, bounds.upperOpen !== true);
  for (let index = to - 1; index >= from; index--) {
    const record = leafRecord(memory, leaf, index);
    if (recordIsLarge(memory, record)) freeLargeValue(pages, leaf, record);
    removeLeafEntry(memory, leaf, index);
  }
}

/** The children at the edges are cut, those between dropped; from the last to the first, so that slots stay put. */
function cutBranch(tree: WritableTree, base: number, bounds: KeyBounds): void {
  const { memory, pageSize } = tree.pages;
  const { lower, upper, lowerOpen, upperOpen } = bounds;
  const first = lower === undefined ? -1 : searchBranch(memory, base, pageSize, lower, lower.length);
  const last =
    upper === undefined ? nodeCount(memory, base) : searchBranch(memory, base, pageSize, upper, upper.length);
  if (first === last) {
    cutChild(tree, base, first, bounds);
    return;
  }
  if (upper !== undefined) cutChild(tree, base, last, { upper, upperOpen });
  for (let index = last - 1; index > first; index--) dropChild(tree, base, index);
  if (lower !== undefined) cutChild(tree, base, first, { lower, lowerOpen });
}

function dropChild(tree: WritableTree, base: number, index: number): void {
  const { pages } = tree;
  const { memory } = pages;
  const level = nodeLevel(memory, base) - 1;
  freeSubtree(
    pages,
    childPage(memory, base, index),
    childStamp(memory, base, index),
    level,
    childHasLarge(memory, base, index),
    tree.since,
  );
  removeChild(memory, base, index);
}

function cutChild(tree: WritableTree, base: number, index: number, bounds: KeyBounds): void {
  const { pages } = tree;
  const { memory } = pages;
  const child = tree.ownChild(base, index, nodeLevel(memory, base) - 1);
  cutNode(tree, child, bounds);
  const count = nodeCount(memory, child);
  if (count === 0) {
    pages.freeNode(pageNumberAt(memory, child), pages.stamp);
    removeChild(memory, base, index);
    return;
  }
  const entries = nodeLevel(memory, child) === 0 ? count : branchEntries(memory, child);
  setChildEntries(memory, base, index, entries, childHasLarge(memory, base, index));
}
