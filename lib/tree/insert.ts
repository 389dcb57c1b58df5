/** Puts entries into a tree, one at a time. */

import { separatorLength } from '../format/key.js';
import {
  initLeaf,
  LEAF_SLOT_BYTES,
  leafCapacity,
  leafEntriesBytes,
  leafGapBytes,
  leafRecord,
  leafRecordBytes,
  leafValueFits,
  recordIsLarge,
  removeLeafEntry,
  replaceLeafValue,
  searchLeaf,
} from '../format/leaf.js';
import { NODE_LARGE_VALUES, nodeCount, prefixLength, setPrefix, sharedWithPrefix } from '../format/node.js';
import { KIND_LEAF, pageNumberAt } from '../format/page.js';
import { copyBytes, type PageMemory } from '../format/page-memory.js';
import { insertChildAfter, isRightEdge } from './insert-child.js';
import { freeLargeValue } from './large-value.js';
import { emptyLeaf, type NewEntry, rebuildLeafFor, SplitView, setAside, writeEntry } from './leaf-rebuild.js';
import type { WritableTree } from './writable-tree.js';

const leftKey = Buffer.alloc(65536);
const rightKey = Buffer.alloc(65536);

/** Puts the entry, in place of one with the same key if there is one; returns whether there was. */
export function insertEntry(tree: WritableTree, entry: NewEntry): boolean {
  const { pages } = tree;
  pages.spillIfNeeded();
  if (tree.isEmpty) {
    startTree(tree, entry);
    return false;
  }
  const leaf = tree.descend(entry.key, entry.keyLength);
  const index = searchLeaf(pages.memory, leaf, pages.pageSize, entry.key, entry.keyLength);
  if (index >= 0) {
    replaceValue(tree, leaf, index, entry);
    return true;
  }
  tree.addEntries(1, entry.large);
  insertInto(tree, leaf, ~index, entry);
  return false;
}

function startTree(tree: WritableTree, entry: NewEntry): void {
  const { pages } = tree;
  const leaf = pages.create(KIND_LEAF);
  emptyLeaf(pages.memory, leaf, pages.pageSize);
  setPrefix(pages.memory, leaf, pages.pageSize, entry.key, entry.keyLength);
  writeEntry(pages.memory, leaf, 0, entry);
  tree.path.clear();
  tree.setRoot(leaf);
  tree.addEntries(1, entry.large);
}

function replaceValue(tree: WritableTree, leaf: number, index: number, entry: NewEntry): void {
  const { pages } = tree;
  const { memory } = pages;
  const record = leafRecord(memory, leaf, index);
  if (recordIsLarge(memory, record)) freeLargeValue(pages, leaf, record);
  tree.addEntries(0, entry.large);
  if (leafValueFits(memory, leaf, index, entry.valueLength)) {
    const value = replaceLeafValue(
      memory,
      leaf,
      index,
      entry.key,
      entry.keyLength,
      entry.valueLength,
      entry.large,
    );
    copyBytes(memory.bytes, value, entry.value, 0, entry.valueLength);
    return;
  }
  removeLeafEntry(memory, leaf, index);
  insertInto(tree, leaf, index, entry);
}

/** Puts the entry before slot `index` of the leaf at the path's end; counts were added already. */
function insertInto(tree: WritableTree, leaf: number, index: number, entry: NewEntry): void {
  const { memory, pageSize } = tree.pages;
  const prefix = prefixLength(memory, leaf);
  const inside = sharedWithPrefix(memory, leaf, pageSize, entry.key, entry.keyLength) === prefix;
  if (inside && leafGapBytes(memory, leaf) >= entryBytes(entry, prefix)) {
    writeEntry(memory, leaf, index, entry);
    return;
  }
  const room = (shared: number): number => leafCapacity(pageSize, shared) - entryBytes(entry, shared);
  if (rebuildLeafFor(memory, leaf, pageSize, entry, room)) writeEntry(memory, leaf, index, entry);
  else splitLeaf(tree, leaf, index, entry, inside);
}

function entryBytes(entry: NewEntry, prefix: number): number {
  return LEAF_SLOT_BYTES + leafRecordBytes(entry.keyLength - prefix, entry.valueLength);
}

function splitLeaf(tree: WritableTree, leaf: number, index: number, entry: NewEntry, inside: boolean): void {
  const { pages } = tree;
  const { memory, pageSize } = pages;
  const cut = findCut(tree, leaf, index, entry, inside);
  const right = pages.create(KIND_LEAF);
  initLeaf(memory, right, pageSize, pageNumberAt(memory, right), pages.stamp, pages.sequence);
  const view = new SplitView(setAside(memory, leaf, pageSize), pageSize, index, entry);
  emptyLeaf(memory, leaf, pageSize);
  view.fill(memory, leaf, 0, cut);
  view.fill(memory, right, cut, view.length);
  const leftLength = view.readKey(cut - 1, leftKey);
  const rightLength = view.readKey(cut, rightKey);
  const separator = new Uint8Array(
    rightKey.subarray(0, separatorLength(leftKey, leftLength, rightKey, rightLength)),
  );
  insertChildAfter(tree, tree.path.depth - 1, leaf, nodeCount(memory, leaf), hasLarge(memory, leaf), {
    separator,
    page: pageNumberAt(memory, right),
    stamp: pages.stamp,
    entries: nodeCount(memory, right),
    large: hasLarge(memory, right),
  });
}

function hasLarge(memory: PageMemory, base: number): boolean {
  return memory.u16[(base + NODE_LARGE_VALUES) >>> 1] > 0;
}

/**
 * How many of the entries, the new one counted, stay in the left leaf. A key outside the prefix lies
 * at an edge and goes into a leaf of its own, since giving up the prefix was too long for this one.
 * Ascending inserts leave full leaves behind; otherwise the cut is where the bytes are halved.
 */
function findCut(tree: WritableTree, leaf: number, index: number, entry: NewEntry, inside: boolean): number {
  const { memory } = tree.pages;
  const count = nodeCount(memory, leaf);
  if (!inside) return index === 0 ? 1 : count;
  if (index === count && isRightEdge(tree, tree.path.depth - 1)) return count;
  const prefix = prefixLength(memory, leaf);
  const added = entryBytes(entry, prefix);
  const half = (leafEntriesBytes(memory, leaf, 0, count, prefix) + added) / 2;
  let bytes = 0;
  for (let position = 0; position < count; position++) {
    const size = sizeAt(memory, leaf, position, index, added, prefix);
    // The entry that crosses the middle goes to whichever side it makes less uneven.
    if (bytes + size > half) return Math.max(1, bytes + size - half < half - bytes ? position + 1 : position);
    bytes += size;
  }
  return count;
}

function sizeAt(
  memory: PageMemory,
  leaf: number,
  position: number,
  index: number,
  added: number,
  prefix: number,
): number {
  if (position === index) return added;
  const slot = position < index ? position : position - 1;
  return leafEntriesBytes(memory, leaf, slot, slot + 1, prefix);
}
