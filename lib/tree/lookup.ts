/** Finds single entries in a tree, for readers. */
import type { TreeRoot } from '../format/catalog-record.js';
import { leafRecord, recordIsLarge, recordValue, recordValueLength, searchLeaf } from '../format/leaf.js';
import type { Pager } from '../storage/pager.js';
import { findLeaf } from './descend.js';
import { readLargeValue } from './large-value.js';
import { copyOfValue } from './value-copies.js';

/** A copy of the value, or undefined if the key is not there. */
export function lookup(pager: Pager, root: TreeRoot, key: Uint8Array, keyLength: number): Buffer | undefined {
  if (root.page === 0) return undefined;
  const { memory, pageSize } = pager;
  const leaf = findLeaf(pager, root.page, root.stamp, key, keyLength);
  const index = searchLeaf(memory, leaf, pageSize, key, keyLength);
  if (index < 0) return undefined;
  const record = leafRecord(memory, leaf, index);
  if (recordIsLarge(memory, record)) return readLargeValue(pager, pager.file, leaf, record);
  return copyOfValue(memory, recordValue(record), recordValueLength(memory, record));
}

export function contains(pager: Pager, root: TreeRoot, key: Uint8Array, keyLength: number): boolean {
  if (root.page === 0) return false;
  const leaf = findLeaf(pager, root.page, root.stamp, key, keyLength);
  return searchLeaf(pager.memory, leaf, pager.pageSize, key, keyLength) >= 0;
}
