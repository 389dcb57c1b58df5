/** Counts entries by the counts that branches keep, without walking the leaves between. */
import { childEntries, nodeLevel, searchBranch } from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { searchLeaf } from '../format/leaf.js';
import type { PageReader } from '../storage/pager.js';
import { loadChild } from './descend.js';
import type { KeyBounds } from './key-bounds.js';

/** How many entries sort before `key`, and if `including` also one equal to it. */
function rank(reader: PageReader, root: TreeRoot, key: Uint8Array, including: boolean): number {
  const { memory, pageSize } = reader;
  let before = 0;
  let base = reader.load(root.page, root.stamp);
  while (nodeLevel(memory, base) > 0) {
    const index = searchBranch(memory, base, pageSize, key, key.length);
    for (let i = 0; i < index; i++) before += childEntries(memory, base, i);
    base = loadChild(reader, base, index);
  }
  const found = searchLeaf(memory, base, pageSize, key, key.length);
  if (found < 0) return before + ~found;
  return before + found + (including ? 1 : 0);
}

/** How many entries of a tree lie inside the bounds. */
export function countEntries(reader: PageReader, root: TreeRoot, bounds: KeyBounds): number {
  if (root.page === 0) return 0;
  const end =
    bounds.upper === undefined ? root.entries : rank(reader, root, bounds.upper, bounds.upperOpen !== true);
  const start = bounds.lower === undefined ? 0 : rank(reader, root, bounds.lower, bounds.lowerOpen === true);
  return Math.max(0, end - start);
}
