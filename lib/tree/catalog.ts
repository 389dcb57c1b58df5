/** The catalog: a tree of its own that maps a bucket's name to its root, count and checkpoint. */
import {
  type CatalogRecord,
  decodeCatalogRecord,
  EMPTY_TREE,
  type TreeRoot,
} from '../format/catalog-record.js';
import type { Pager } from '../storage/pager.js';
import type { Commit } from '../storage/store.js';
import { ALL_KEYS } from './key-bounds.js';
import { lookup } from './lookup.js';
import { RangeCursor } from './range-cursor.js';

/** The catalog's tree as of a commit. */
export function catalogRoot(commit: Commit): TreeRoot {
  return { page: commit.catalogPage, stamp: commit.catalogStamp, entries: commit.buckets, large: true };
}

/** What the catalog knows of a bucket, or undefined if there is none of that name. */
export function findBucket(pager: Pager, catalog: TreeRoot, name: string): CatalogRecord | undefined {
  const key = Buffer.from(name, 'utf8');
  const bytes = lookup(pager, catalog, key, key.length);
  return bytes === undefined ? undefined : decodeCatalogRecord(bytes, name);
}

/** The root of a bucket's tree; that of an empty tree if there is no such bucket. */
export function bucketRoot(pager: Pager, catalog: TreeRoot, name: string): TreeRoot {
  return findBucket(pager, catalog, name)?.root ?? EMPTY_TREE;
}

export interface CatalogEntry {
  readonly name: string;
  readonly record: CatalogRecord;
}

/** Every bucket, in the order of the UTF-8 bytes of their names. */
export function* catalogEntries(pager: Pager, catalog: TreeRoot): Generator<CatalogEntry> {
  const cursor = new RangeCursor(pager, catalog, { bounds: ALL_KEYS });
  for (let batch = cursor.nextBatchSync(1); batch !== null; batch = cursor.nextBatchSync(1)) {
    const name = batch.key(0).toString('utf8');
    yield { name, record: decodeCatalogRecord(batch.value(0), name) };
  }
}
