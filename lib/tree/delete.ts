/** Takes entries out of a tree; frees pages that become empty and merges those that become sparse. */
import {
  branchEntries,
  childPage,
  childStamp,
  nodeLevel,
  readSeparator,
  removeChild,
  setChildEntries,
  setChildPage,
} from '../format/branch.js';
import { commonPrefixLength } from '../format/key.js';
import {
  appendLeafEntries,
  leafCapacity,
  leafEntriesBytes,
  leafRecord,
  readLeafKey,
  recordIsLarge,
  removeLeafEntry,
  searchLeaf,
} from '../format/leaf.js';
import { NODE_LARGE_VALUES, nodeCount, setPrefix } from '../format/node.js';
import { pageNumberAt } from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import { BranchList } from './branch-list.js';
import { findLeaf, loadChild } from './descend.js';
import { freeLargeValue } from './large-value.js';
import { emptyLeaf, setAside } from './leaf-rebuild.js';
import { nodeFill } from './node-fill.js';
import type { WritableTree } from './writable-tree.js';

/** A page that uses less than this part of itself looks for a neighbour to merge with. */
const SPARSE = 1 / 2;
/** A merged page is filled to this part at the most, so that the next insert does not split it again. */
const MERGED_FILL = 7 / 8;

const firstKey = Buffer.alloc(65536);
const lastKey = Buffer.alloc(65536);

/** Deletes the entry; returns whether there was one. Nothing is copied if there was none. */
export function deleteEntry(tree: WritableTree, key: Uint8Array, keyLength: number): boolean {
  const { pages } = tree;
  const { memory, pageSize } = pages;
  if (tree.isEmpty) return false;
  pages.spillIfNeeded();
  const found = findLeaf(pages, tree.page, tree.stamp, key, keyLength);
  if (searchLeaf(memory, found, pageSize, key, keyLength) < 0) return false;
  const leaf = tree.descend(key, keyLength);
  const index = searchLeaf(memory, leaf, pageSize, key, keyLength);
  const record = leafRecord(memory, leaf, index);
  if (recordIsLarge(memory, record)) freeLargeValue(pages, leaf, record);
  removeLeafEntry(memory, leaf, index);
  tree.addEntries(-1, false);
  repairLeaf(tree, leaf);
  return true;
}

function repairLeaf(tree: WritableTree, leaf: number): void {
  const { memory, pageSize } = tree.pages;
  const { depth } = tree.path;
  if (nodeCount(memory, leaf) === 0) {
    removeNode(tree, depth - 1, leaf);
    return;
  }
  if (depth === 0) return;
  if (!isSparse(memory, pageSize, leaf)) return;
  if (mergeWithNeighbour(tree, depth - 1, leaf, mergeLeaves)) repairBranch(tree, depth - 1);
}

/** Takes an empty node out of its parent and gives its page up. */
function removeNode(tree: WritableTree, depth: number, base: number): void {
  const { pages, path } = tree;
  pages.freeNode(pageNumberAt(pages.memory, base), pages.stamp);
  if (depth < 0) {
    tree.clearRoot();
    return;
  }
  const parent = path.bases[depth];
  removeChild(pages.memory, parent, path.indexes[depth]);
  if (nodeCount(pages.memory, parent) === 0) removeNode(tree, depth - 1, parent);
  else repairBranch(tree, depth);
}

/** After a branch lost a child: a root with one child gives way to it, a sparse branch merges. */
function repairBranch(tree: WritableTree, depth: number): void {
  const { pages, path } = tree;
  const { memory, pageSize } = pages;
  const base = path.bases[depth];
  if (depth === 0) {
    collapseRoot(tree);
    return;
  }
  if (!isSparse(memory, pageSize, base)) return;
  if (mergeWithNeighbour(tree, depth - 1, base, mergeBranches)) repairBranch(tree, depth - 1);
}

/** A root with a single child gives way to it. The root is our own. */
export function collapseRoot(tree: WritableTree): void {
  const { pages } = tree;
  const { memory } = pages;
  for (;;) {
    const base = pages.load(tree.page, tree.stamp);
    if (nodeLevel(memory, base) === 0 || nodeCount(memory, base) > 1) return;
    const { page, stamp } = tree;
    tree.page = childPage(memory, base, 0);
    tree.stamp = childStamp(memory, base, 0);
    pages.freeNode(page, stamp);
  }
}

/** Merges what is sparse on the way to `key`, from the leaf up, until nothing more is gained. */
export function repairPath(tree: WritableTree, key: Uint8Array, keyLength: number): void {
  const { pages, path } = tree;
  const { memory } = pages;
  for (let merged = true; merged && !tree.isEmpty; ) {
    const leaf = tree.descend(key, keyLength);
    merged = false;
    for (let depth = path.depth; depth > 0 && !merged; depth--) {
      const base = depth === path.depth ? leaf : path.bases[depth];
      merged =
        isSparse(memory, pages.pageSize, base) &&
        mergeWithNeighbour(tree, depth - 1, base, depth === path.depth ? mergeLeaves : mergeBranches);
    }
    collapseRoot(tree);
  }
}

function isSparse(memory: PageMemory, pageSize: number, base: number): boolean {
  return nodeFill(memory, base, pageSize) < SPARSE;
}

type Merge = (
  tree: WritableTree,
  parent: number,
  leftIndex: number,
  mine: number,
  other: number,
  mineIsLeft: boolean,
) => boolean;

/** Tries to take in the right neighbour under the same parent, then the left one. */
function mergeWithNeighbour(tree: WritableTree, depth: number, base: number, merge: Merge): boolean {
  const { path, pages } = tree;
  const { memory } = pages;
  const parent = path.bases[depth];
  const index = path.indexes[depth];
  for (const neighbour of [index + 1, index - 1]) {
    if (neighbour < 0 || neighbour >= nodeCount(memory, parent)) continue;
    const other = loadChild(pages, parent, neighbour);
    const left = Math.min(index, neighbour);
    const page = childPage(memory, parent, neighbour);
    const stamp = childStamp(memory, parent, neighbour);
    if (!merge(tree, parent, left, base, other, neighbour > index)) continue;
    pages.freeNode(page, stamp);
    // The merged page takes the left slot, whose lower bound is right for both, and the right one goes.
    setChildPage(memory, parent, left, pageNumberAt(memory, base), pages.stamp);
    const entries = nodeLevel(memory, base) === 0 ? nodeCount(memory, base) : branchEntries(memory, base);
    setChildEntries(memory, parent, left, entries, memory.u16[(base + NODE_LARGE_VALUES) >>> 1] !== 0);
    removeChild(memory, parent, left + 1);
    return true;
  }
  return false;
}

/** Moves all entries of two neighbouring leaves into `mine` if they fit. */
function mergeLeaves(
  tree: WritableTree,
  _parent: number,
  _left: number,
  mine: number,
  other: number,
  mineIsLeft: boolean,
): boolean {
  const { memory, pageSize } = tree.pages;
  const left = mineIsLeft ? mine : other;
  const right = mineIsLeft ? other : mine;
  const prefix = sharedPrefix(memory, pageSize, left, right);
  const leftCount = nodeCount(memory, left);
  const rightCount = nodeCount(memory, right);
  const bytes =
    leafEntriesBytes(memory, left, 0, leftCount, prefix) +
    leafEntriesBytes(memory, right, 0, rightCount, prefix);
  if (bytes > leafCapacity(pageSize, prefix) * MERGED_FILL) return false;
  const aside = setAside(memory, mine, pageSize);
  emptyLeaf(memory, mine, pageSize);
  if (prefix > 0) setPrefix(memory, mine, pageSize, firstKey, prefix);
  if (mineIsLeft) appendLeafEntries(memory, mine, aside, 0, pageSize, 0, leftCount);
  else appendLeafEntries(memory, mine, memory, other, pageSize, 0, leftCount);
  if (mineIsLeft) appendLeafEntries(memory, mine, memory, other, pageSize, 0, rightCount);
  else appendLeafEntries(memory, mine, aside, 0, pageSize, 0, rightCount);
  return true;
}

/** The prefix that all keys of two neighbouring leaves share; leaves the first key in `firstKey`. */
function sharedPrefix(memory: PageMemory, pageSize: number, left: number, right: number): number {
  const first = readLeafKey(memory, left, pageSize, 0, firstKey, 0);
  const last = readLeafKey(memory, right, pageSize, nodeCount(memory, right) - 1, lastKey, 0);
  return commonPrefixLength(firstKey, first, lastKey, last);
}

/** Moves all children of two neighbouring branches into `mine` if they fit. */
function mergeBranches(
  tree: WritableTree,
  parent: number,
  leftIndex: number,
  mine: number,
  other: number,
  mineIsLeft: boolean,
): boolean {
  const { pages } = tree;
  const { memory, pageSize } = pages;
  const left = mineIsLeft ? mine : other;
  const right = mineIsLeft ? other : mine;
  const length = readSeparator(memory, parent, pageSize, leftIndex + 1, lastKey, 0);
  const separator = new Uint8Array(lastKey.subarray(0, length));
  const list = new BranchList(pageSize).appendBranch(memory, left).appendBranch(memory, right, separator);
  const count = list.children.length;
  if (!list.fits(0, count, MERGED_FILL)) return false;
  const identity = {
    page: pageNumberAt(memory, mine),
    stamp: pages.stamp,
    sequence: pages.sequence,
    level: nodeLevel(memory, mine),
  };
  list.write(memory, mine, 0, count, identity);
  return true;
}
