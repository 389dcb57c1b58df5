/** Puts a new child beside the one that a writer's path goes through, splitting branches as needed. */
import {
  BRANCH_SLOT_BYTES,
  branchEntries,
  branchGapBytes,
  branchRecordBytes,
  insertChild,
  nodeLevel,
  setChildEntries,
} from '../format/branch.js';
import { NODE_LARGE_VALUES, nodeCount, prefixLength, sharedWithPrefix } from '../format/node.js';
import { KIND_BRANCH, pageNumberAt } from '../format/page.js';
import { BranchList, type Child } from './branch-list.js';
import type { WritableTree } from './writable-tree.js';

/**
 * Inserts `child` after the slot that the path takes at `depth`. `left` is the base of the page in that
 * slot; its count in the parent is the caller's to set. At depth -1 a new root is made over both.
 */
export function insertChildAfter(
  tree: WritableTree,
  depth: number,
  left: number,
  leftEntries: number,
  leftLarge: boolean,
  child: Child,
): void {
  if (depth < 0) {
    growRoot(tree, left, leftEntries, leftLarge, child);
    return;
  }
  const { memory, pageSize } = tree.pages;
  const base = tree.path.bases[depth];
  const index = tree.path.indexes[depth];
  setChildEntries(memory, base, index, leftEntries, leftLarge);
  const { separator } = child;
  const prefix = prefixLength(memory, base);
  const inside = sharedWithPrefix(memory, base, pageSize, separator, separator.length) === prefix;
  if (
    inside &&
    branchGapBytes(memory, base) >= BRANCH_SLOT_BYTES + branchRecordBytes(separator.length - prefix)
  ) {
    insertChild(memory, base, index + 1, separator, separator.length, child.page, child.stamp);
    setChildEntries(memory, base, index + 1, child.entries, child.large);
    return;
  }
  rebuildWith(tree, depth, base, index + 1, child);
}

function growRoot(
  tree: WritableTree,
  left: number,
  leftEntries: number,
  leftLarge: boolean,
  child: Child,
): void {
  const { pages } = tree;
  const { memory, pageSize } = pages;
  const list = new BranchList(pageSize);
  const leftPage = pageNumberAt(memory, left);
  list.children.push(
    {
      separator: new Uint8Array(0),
      page: leftPage,
      stamp: pages.stamp,
      entries: leftEntries,
      large: leftLarge,
    },
    child,
  );
  const level = nodeLevel(memory, left) + 1;
  const root = pages.create(KIND_BRANCH);
  list.write(memory, root, 0, 2, {
    page: pageNumberAt(memory, root),
    stamp: pages.stamp,
    sequence: pages.sequence,
    level,
  });
  tree.setRoot(root);
}

/** Lays a branch out anew with one more child, in one page if it fits, else in two. */
function rebuildWith(tree: WritableTree, depth: number, base: number, at: number, child: Child): void {
  const { pages } = tree;
  const { memory, pageSize } = pages;
  const list = new BranchList(pageSize).appendBranch(memory, base);
  const growsAtEnd = at === list.children.length && isRightEdge(tree, depth - 1);
  list.children.splice(at, 0, child);
  const count = list.children.length;
  const identity = {
    page: pageNumberAt(memory, base),
    stamp: pages.stamp,
    sequence: pages.sequence,
    level: nodeLevel(memory, base),
  };
  if (list.fits(0, count)) {
    list.write(memory, base, 0, count, identity);
    return;
  }
  const cut = list.findCut(growsAtEnd);
  const { separator } = list.children[cut];
  const right = pages.create(KIND_BRANCH);
  list.write(memory, base, 0, cut, identity);
  list.write(memory, right, cut, count, { ...identity, page: pageNumberAt(memory, right) });
  insertChildAfter(tree, depth - 1, base, branchEntries(memory, base), hasLarge(tree, base), {
    separator,
    page: pageNumberAt(memory, right),
    stamp: pages.stamp,
    entries: branchEntries(memory, right),
    large: hasLarge(tree, right),
  });
}

function hasLarge(tree: WritableTree, base: number): boolean {
  return tree.pages.memory.u16[(base + NODE_LARGE_VALUES) >>> 1] !== 0;
}

/** Whether the path takes the last slot at `depth` and at every depth above. */
export function isRightEdge(tree: WritableTree, depth: number): boolean {
  const { path, pages } = tree;
  for (let i = depth; i >= 0; i--)
    if (path.indexes[i] !== nodeCount(pages.memory, path.bases[i]) - 1) return false;
  return true;
}
