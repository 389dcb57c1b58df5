/**
 * Moves what a tree has at the end of the file to free pages nearer its front: leaves, branches and
 * large values. Only branches are read, and leaves that may hold large values.
 */
import { childHasLarge, childPage, childStamp, nodeLevel } from '../format/branch.js';
import {
  leafRecord,
  readLeafKey,
  recordIsLarge,
  recordValue,
  recordValueLength,
  searchLeaf,
} from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import { ValueReader } from '../storage/value-reader.js';
import { ValueWriter } from '../storage/value-writer.js';
import { findLeaf, loadChild } from './descend.js';
import { insertEntry } from './insert.js';
import { largeValueExtents } from './large-value.js';
import type { WritableTree } from './writable-tree.js';

/** How far a move goes: from `boundary` on pages are to go, as long as `mayMove` says so. */
export interface RelocationLimits {
  readonly boundary: number;
  /** Asked before each move, with the pages that it takes. */
  mayMove(pages: number): boolean;
}

/** Moves what it may; returns whether anything of the tree was beyond the boundary. */
export function relocateTree(tree: WritableTree, limits: RelocationLimits): boolean {
  const { pages } = tree;
  if (tree.isEmpty) return false;
  const base = pages.load(tree.page, tree.stamp);
  if (tree.page < limits.boundary && !reachesBeyond(pages, base, tree.large, limits.boundary)) return false;
  if (!limits.mayMove(1)) return true;
  const root = pages.writable(tree.page, tree.stamp);
  tree.setRoot(root);
  const values: Buffer[] = [];
  relocateBelow(tree, root, tree.large, limits, values);
  for (const key of values) relocateValue(tree, key, limits);
  return true;
}

/** Whether a node's children, or large values in it, lie beyond the boundary, at whatever depth. */
function reachesBeyond(pages: PageTransaction, base: number, large: boolean, boundary: number): boolean {
  const { memory } = pages;
  const level = nodeLevel(memory, base);
  if (level === 0) return large && valuesBeyond(pages, base, boundary).length > 0;
  const children: { page: number; stamp: number; large: boolean }[] = [];
  for (let i = 0; i < nodeCount(memory, base); i++) {
    const page = childPage(memory, base, i);
    if (page >= boundary) return true;
    children.push({ page, stamp: childStamp(memory, base, i), large: childHasLarge(memory, base, i) });
  }
  if (level === 1 && !large) return false;
  return children.some(
    (child) =>
      (level > 1 || child.large) &&
      reachesBeyond(pages, pages.load(child.page, child.stamp), child.large, boundary),
  );
}

/** Moves what lies below a node that is our own; notes the keys of large values that are to be moved. */
function relocateBelow(
  tree: WritableTree,
  base: number,
  large: boolean,
  limits: RelocationLimits,
  values: Buffer[],
): void {
  const { pages } = tree;
  const { memory } = pages;
  const level = nodeLevel(memory, base);
  if (level === 0) {
    if (large)
      for (const slot of valuesBeyond(pages, base, limits.boundary)) values.push(keyAt(pages, base, slot));
    return;
  }
  for (let i = 0; i < nodeCount(memory, base); i++) {
    const childLarge = childHasLarge(memory, base, i);
    const beyond = childPage(memory, base, i) >= limits.boundary;
    const below = level > 1 || childLarge;
    if (!beyond && !(below && reachesBeyond(pages, loadChild(pages, base, i), childLarge, limits.boundary)))
      continue;
    if (!limits.mayMove(1)) return;
    relocateBelow(tree, tree.ownChild(base, i, level - 1), childLarge, limits, values);
  }
}

const keyBuffer = Buffer.alloc(65536);

function keyAt(pages: PageTransaction, leaf: number, slot: number): Buffer {
  const length = readLeafKey(pages.memory, leaf, pages.pageSize, slot, keyBuffer, 0);
  return Buffer.from(keyBuffer.subarray(0, length));
}

/** The slots of large values in a leaf that lie beyond the boundary. */
function valuesBeyond(pages: PageTransaction, leaf: number, boundary: number): number[] {
  const slots: number[] = [];
  for (let i = 0; i < nodeCount(pages.memory, leaf); i++) {
    const record = leafRecord(pages.memory, leaf, i);
    if (!recordIsLarge(pages.memory, record)) continue;
    const { extents } = largeValueExtents(pages, leaf, record);
    if (extents.some((extent) => extent.page + extent.pages > boundary)) slots.push(i);
  }
  return slots;
}

/** Writes a large value's pages again where there is room, and puts the new record in place of the old. */
function relocateValue(tree: WritableTree, key: Buffer, limits: RelocationLimits): void {
  const { pages } = tree;
  const leaf = findLeaf(pages, tree.page, tree.stamp, key, key.length);
  const record = leafRecord(
    pages.memory,
    leaf,
    searchLeaf(pages.memory, leaf, pages.pageSize, key, key.length),
  );
  const value = largeValueExtents(pages, leaf, record);
  const tailEnd = recordValue(record) + recordValueLength(pages.memory, record);
  const tail = Buffer.from(pages.memory.bytes.subarray(tailEnd - value.tailLength, tailEnd));
  if (!limits.mayMove(value.extents.reduce((sum, extent) => sum + extent.pages, 0))) return;
  const writer = new ValueWriter(pages, value.length);
  const reader = new ValueReader(pages.file, pages.pageSize, value);
  while (reader.readSome((bytes, from, to) => writer.append(bytes.subarray(from, to))));
  writer.append(tail);
  const moved = writer.finish();
  insertEntry(tree, { key, keyLength: key.length, value: moved, valueLength: moved.length, large: true });
}
