/** The way from a root down to a leaf, for readers. */
import { childPage, childStamp, nodeLevel, searchBranch } from '../format/branch.js';
import { pageCorrupt } from '../format/page.js';
import type { PageReader } from '../storage/pager.js';

/**
 * Loads a child of the branch at `base` and makes sure it is one level further down: so no damage,
 * however well sealed, can make a descent go round in circles.
 */
export function loadChild(reader: PageReader, base: number, index: number): number {
  const { memory } = reader;
  const level = nodeLevel(memory, base);
  const page = childPage(memory, base, index);
  const child = reader.load(page, childStamp(memory, base, index));
  if (nodeLevel(memory, child) !== level - 1) throw wrongLevel(page, nodeLevel(memory, child), level - 1);
  return child;
}

export function wrongLevel(page: number, found: number, expected: number): Error {
  return pageCorrupt(page, `it is at level ${found} of its tree, its parent expects level ${expected}`);
}

/** The base of the leaf in whose range `key` lies; the tree must not be empty. */
export function findLeaf(
  reader: PageReader,
  page: number,
  stamp: number,
  key: Uint8Array,
  keyLength: number,
): number {
  let base = reader.load(page, stamp);
  while (nodeLevel(reader.memory, base) > 0) {
    base = loadChild(reader, base, searchBranch(reader.memory, base, reader.pageSize, key, keyLength));
  }
  return base;
}
