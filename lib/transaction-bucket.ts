/** A bucket inside a write transaction. */
import type { BucketView } from './bucket-view.js';
import type { TreeRoot } from './format/catalog-record.js';
import { keyBytes, valueBytes } from './key-bytes.js';
import { type Bytes, deleteRangeSchema, parseOptions, type RangeOptions } from './options.js';
import { boundsOf } from './range-bounds.js';
import { BucketReader, type ReadableBucket } from './readable-bucket.js';
import type { PageTransaction } from './storage/page-transaction.js';
import type { TransactionJournal } from './transaction-journal.js';
import { deleteEntry } from './tree/delete.js';
import { insertEntry } from './tree/insert.js';
import { intersectBounds, type KeyBounds } from './tree/key-bounds.js';
import { contains } from './tree/lookup.js';
import { newEntry } from './tree/new-entry.js';
import type { WritableTree } from './tree/writable-tree.js';

/**
 * Sees its own writes; a range that is being consumed sees the state at its beginning, so writing
 * while iterating is safe. Changes wait in memory, or in pages that nothing reaches yet, until commit.
 * Every call raises TRANSACTION_CLOSED once the transaction has ended.
 *
 * @example
 * ```ts
 * await db.write((tx) => {
 *   const table = tx.bucket('users');
 *   for (const key of table.range({ prefix: 'a' }).keys()) table.update(key, 'seen'); // as at its beginning
 *   table.get('alan')?.toString(); // 'seen'
 * });
 * ```
 */
export interface TransactionBucket extends ReadableBucket {
  /** Raises INVALID_KEY, KEY_TOO_LARGE, INVALID_OPTION. */
  put(key: Bytes, value: Bytes): void;
  /** Returns whether the key was there. */
  delete(key: Bytes): boolean;
  /** Replaces the value of a key that is there; else changes nothing and returns false. */
  update(key: Bytes, value: Bytes): boolean;
  /**
   * Deletes every entry of the range; returns how many. Whole subtrees inside it are given up without
   * reading their leaves. With `limit`, the first entries in the range's direction. Raises INVALID_OPTION.
   *
   * @example
   * ```ts
   * await db.write((tx) => tx.bucket('sessions').deleteRange({ lt: '2024-01-01' }));
   * ```
   */
  deleteRange(options: RangeOptions): number;
}

/** What a bucket's writer asks of its transaction. */
export interface BucketEditor {
  readonly pages: PageTransaction;
  /** Whoever changes a tree notes here what it did. */
  readonly record: TransactionJournal;
  root(name: string): TreeRoot;
  /** Runs `work` on the bucket's tree, created if need be. */
  write<T>(name: string, work: (tree: WritableTree) => T): T;
  deleteBounds(name: string, bounds: KeyBounds): number;
}

export class BucketWriter extends BucketReader implements TransactionBucket {
  private readonly transaction: BucketEditor;

  constructor(name: string, view: BucketView, transaction: BucketEditor) {
    super(name, view);
    this.transaction = transaction;
  }

  put(key: Bytes, value: Bytes): void {
    const { pages } = this.transaction;
    const keyGiven = keyBytes(key, pages.pageSize);
    const valueGiven = valueBytes(value);
    this.transaction.write(this.name, (tree) => insertEntry(tree, newEntry(pages, keyGiven, valueGiven)));
    this.transaction.record.put(this.name, keyGiven, valueGiven);
  }

  delete(key: Bytes): boolean {
    const bytes = keyBytes(key, this.transaction.pages.pageSize);
    const root = this.transaction.root(this.name);
    // A bucket that is not there must not come into being by a delete.
    if (!contains(this.view.pager, root, bytes, bytes.length)) return false;
    const deleted = this.transaction.write(this.name, (tree) => deleteEntry(tree, bytes, bytes.length));
    this.transaction.record.delete(this.name, bytes);
    return deleted;
  }

  update(key: Bytes, value: Bytes): boolean {
    const valueGiven = valueBytes(value);
    if (!this.has(key)) return false;
    this.put(key, valueGiven);
    return true;
  }

  deleteRange(options: RangeOptions): number {
    const bounds = this.boundsToDelete(parseOptions(deleteRangeSchema, options, 'deleteRange'));
    return this.transaction.deleteBounds(this.name, bounds);
  }

  /** The bounds, narrowed to the first `limit` entries of the range. */
  private boundsToDelete(options: RangeOptions): KeyBounds {
    const bounds = boundsOf(options);
    if (options.limit === undefined || options.limit >= this.range({ ...options, limit: undefined }).count())
      return bounds;
    let last: Buffer | undefined;
    for (const key of this.range(options).keys()) last = key;
    // No entry at all: a range that ends before it begins.
    if (last === undefined) return { lower: EMPTY, upper: EMPTY, upperOpen: true };
    const edge = Buffer.from(last);
    return options.reverse === true
      ? intersectBounds(bounds, { lower: edge })
      : intersectBounds(bounds, { upper: edge });
  }
}

const EMPTY = new Uint8Array(0);
