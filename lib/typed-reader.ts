/** Reading a bucket by its types, the same from the latest commit, a snapshot and a transaction. */
import type { BucketCodecs, BucketTypes } from './codec/bucket-types.js';
import type { ValueCodec } from './codec/value-codec.js';
import type { ReadableBucket } from './readable-bucket.js';
import { DecodedRange, rangeBytes, type TypedRange, type TypedRangeOptions } from './typed-range.js';

/** A bucket to read by its types: as of the latest commit, of a snapshot, or inside a transaction. */
export interface TypedReadableBucket<Key, Value> {
  readonly name: string;
  /** The same bucket without types: keys and values as bytes, values as streams. */
  readonly bytes: ReadableBucket;
  /** Its types, for `tx.bucket(name, types)` and `snapshot.bucket(name, types)`. */
  readonly types: BucketTypes<Key, ValueCodec<Value>>;
  /**
   * The value, or undefined if the key is not there. Raises INVALID_KEY, INVALID_VALUE, and as `get` of a bucket
   * without types.
   *
   * @example
   * ```ts
   * const people = db.bucket('people', { value: z.object({ born: z.number() }) });
   * await people.put('ada', { born: 1815 });
   * people.get('ada')?.born; // 1815
   * people.get('bob'); // undefined
   * ```
   */
  get(key: Key): Value | undefined;
  /** Whether the key is there. */
  has(key: Key): boolean;
  /** The entries within bounds, in the order of the keys. Raises INVALID_OPTION, INVALID_KEY. */
  range(options?: TypedRangeOptions<Key>): TypedRange<Key, Value>;
}

export class TypedReader<Key, Value, Bytes extends ReadableBucket>
  implements TypedReadableBucket<Key, Value>
{
  constructor(
    readonly bytes: Bytes,
    readonly types: BucketCodecs<Key, Value>,
  ) {}

  get name(): string {
    return this.bytes.name;
  }

  get(key: Key): Value | undefined {
    const value = this.bytes.get(this.types.key.encode(key));
    return value === undefined ? undefined : this.types.value.decode(value);
  }

  has(key: Key): boolean {
    return this.bytes.has(this.types.key.encode(key));
  }

  range(options: TypedRangeOptions<Key> = {}): TypedRange<Key, Value> {
    return new DecodedRange(this.bytes.range(rangeBytes(this.types.key, options)), this.types);
  }
}
