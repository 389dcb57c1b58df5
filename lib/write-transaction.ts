/** The write transaction as its users hold it. */
import type { BucketTypes } from './codec/bucket-types.js';
import type { ValueCodec, ValueOf, ValueType } from './codec/value-codec.js';
import type { TransactionBucket } from './transaction-bucket.js';
import type { TypedTransactionBucket } from './typed-transaction-bucket.js';

/**
 * All or nothing, over all buckets. It sees its own writes; nobody else does before `commit` resolves.
 * While it is open no one else writes: keep it short. Disposing of it without a commit rolls it back.
 *
 * @example
 * ```ts
 * await using tx = await db.begin();
 * const accounts = tx.bucket('accounts');
 * accounts.put('ada', '90');
 * accounts.put('bob', '110');
 * await tx.commit();
 * ```
 */
export interface WriteTransaction extends AsyncDisposable {
  /** A bucket by its types; see {@link TypedTransactionBucket}. */
  bucket<Key = string, Type extends ValueType = ValueCodec<Uint8Array>>(
    name: string,
    types: BucketTypes<Key, Type>,
  ): TypedTransactionBucket<Key, ValueOf<Type>>;
  /** A handle on a bucket as the transaction sees it. The first `put` creates the bucket if need be. */
  bucket(name: string): TransactionBucket;
  /** Raises BUCKET_EXISTS if it is there. */
  createBucket(name: string): TransactionBucket;
  /**
   * Returns whether there was one.
   *
   * @example
   * ```ts
   * await db.write((tx) => {
   *   tx.dropBucket('users'); // true
   *   tx.createBucket('users').put('ada', 'the only one');
   * });
   * users.range().count(); // 1
   * ```
   */
  dropBucket(name: string): boolean;
  /**
   * Resolves once durable. Rejects with DISK_FULL, IO_ERROR, STORE_CLOSED or TRANSACTION_CLOSED; then nothing
   * of it was committed, and the transaction has ended.
   */
  commit(): Promise<void>;
  /**
   * Drops every change. Safe to call at any time, also after `commit`.
   *
   * @example
   * ```ts
   * const tx = await db.begin();
   * tx.bucket('users').delete('ada'); // true
   * await tx.rollback();
   * users.has('ada'); // true
   * ```
   */
  rollback(): Promise<void>;
}
