/** A bucket inside a write transaction, by its types. */
import type { TransactionBucket } from './transaction-bucket.js';
import { rangeBytes, type TypedRangeOptions } from './typed-range.js';
import { type TypedReadableBucket, TypedReader } from './typed-reader.js';

/**
 * As a {@link TransactionBucket}, which `bytes` is, with keys and values of one type each. Raises INVALID_KEY and
 * INVALID_VALUE too.
 *
 * @example
 * ```ts
 * const types = { key: keys.tuple(keys.string, keys.number), value: z.number() };
 * await db.write((tx) => {
 *   const stock = tx.bucket('stock', types);
 *   stock.put(['pen', 1], 10);
 *   stock.put(['pen', 2], 20);
 *   stock.deleteRange({ prefix: ['pen'] }); // 2
 * });
 * ```
 */
export interface TypedTransactionBucket<Key, Value> extends TypedReadableBucket<Key, Value> {
  readonly bytes: TransactionBucket;
  put(key: Key, value: Value): void;
  /** Returns whether the key was there. */
  delete(key: Key): boolean;
  /** Replaces the value of a key that is there; else changes nothing and returns false. */
  update(key: Key, value: Value): boolean;
  /** Deletes every entry of the range; returns how many. */
  deleteRange(options: TypedRangeOptions<Key>): number;
}

export class TypedBucketWriter<Key, Value>
  extends TypedReader<Key, Value, TransactionBucket>
  implements TypedTransactionBucket<Key, Value>
{
  put(key: Key, value: Value): void {
    this.bytes.put(this.types.key.encode(key), this.types.value.encode(value));
  }

  delete(key: Key): boolean {
    return this.bytes.delete(this.types.key.encode(key));
  }

  update(key: Key, value: Value): boolean {
    return this.bytes.update(this.types.key.encode(key), this.types.value.encode(value));
  }

  deleteRange(options: TypedRangeOptions<Key>): number {
    return this.bytes.deleteRange(rangeBytes(this.types.key, options));
  }
}
