/** A bucket of the store by its types, read as of the latest commit and written by commits of its own. */
import { map, type Observable } from 'rxjs';
import type { Bucket } from './bucket.js';
import type { BulkOptions } from './bulk-options.js';
import { TypedBulkWriter } from './typed-bulk-writer.js';
import { type TypedChange, typedChange } from './typed-change.js';
import { rangeBytes, type TypedRangeOptions } from './typed-range.js';
import { type TypedReadableBucket, TypedReader } from './typed-reader.js';

/**
 * A bucket whose keys and values are of one type each. Writes reject with INVALID_KEY and INVALID_VALUE too; then
 * nothing was changed. All else is as with a {@link Bucket}, which `bytes` is.
 *
 * @example
 * ```ts
 * const types = { key: keys.number, value: z.object({ name: z.string(), tags: z.array(z.string()) }) };
 * const parts = db.bucket('parts', types);
 * await parts.put(7, { name: 'bolt', tags: [] });
 * const bolt = parts.get(7);
 * if (bolt !== undefined) await parts.update(7, { ...bolt, tags: ['steel'] });
 * parts.bytes.range().values()[Symbol.iterator]().next().value?.toString(); // '{"name":"bolt","tags":["steel"]}'
 * ```
 */
export interface TypedBucket<Key, Value> extends TypedReadableBucket<Key, Value> {
  readonly bytes: Bucket;
  put(key: Key, value: Value): Promise<void>;
  /** Resolves to whether the key was there. */
  delete(key: Key): Promise<boolean>;
  /** Replaces the value of a key that exists; resolves to false, changing nothing, if it does not. */
  update(key: Key, value: Value): Promise<boolean>;
  /**
   * A writer for many entries. Keys that ascend as their type does are built into pages from the bottom up.
   *
   * @example
   * ```ts
   * const squares = db.bucket('squares', { key: keys.number, value: z.number() });
   * const writer = squares.bulkWriter({ sorted: true });
   * for (let i = -100; i <= 100; i++) if (!writer.add(i, i * i)) await writer.drained();
   * const { entries } = await writer.finish(); // => { entries: 201 }
   * squares.get(-100); // 10000
   * ```
   */
  bulkWriter(options?: BulkOptions): TypedBulkWriter<Key, Value>;
  /** What commits change within the range; see {@link Bucket.watch}. */
  watch(options?: TypedRangeOptions<Key>): Observable<TypedChange<Key, Value>>;
}

export class TypedStoreBucket<Key, Value>
  extends TypedReader<Key, Value, Bucket>
  implements TypedBucket<Key, Value>
{
  async put(key: Key, value: Value): Promise<void> {
    await this.bytes.put(this.types.key.encode(key), this.types.value.encode(value));
  }

  async delete(key: Key): Promise<boolean> {
    return this.bytes.delete(this.types.key.encode(key));
  }

  async update(key: Key, value: Value): Promise<boolean> {
    return this.bytes.update(this.types.key.encode(key), this.types.value.encode(value));
  }

  bulkWriter(options: BulkOptions = {}): TypedBulkWriter<Key, Value> {
    return new TypedBulkWriter(this.bytes.bulkWriter(options), this.types);
  }

  watch(options: TypedRangeOptions<Key> = {}): Observable<TypedChange<Key, Value>> {
    const changes = this.bytes.watch(rangeBytes(this.types.key, options));
    return changes.pipe(map((change) => typedChange(change, this.types)));
  }
}
