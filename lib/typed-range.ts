/** A range of a typed bucket: bounds that are keys, entries that are decoded. */
import { Readable } from 'node:stream';
import { map, type Observable } from 'rxjs';
import type { BucketCodecs } from './codec/bucket-types.js';
import type { KeyCodec } from './codec/key-codec.js';
import { StoreError } from './errors.js';
import type { RangeOptions } from './options.js';
import type { Range } from './range.js';
import { webStreamOf } from './stream/web-stream.js';

/** What keys of a type can begin with: text, bytes, or the first parts of a tuple. */
export type KeyPrefix<Key> = Key extends string
  ? string
  : Key extends Uint8Array
    ? Uint8Array
    : Key extends readonly unknown[]
      ? FirstParts<Key>
      : never;

type FirstParts<Key extends readonly unknown[]> = Key extends readonly [...infer First, unknown]
  ? First extends readonly []
    ? never
    : Readonly<First> | FirstParts<First>
  : never;

/** Which keys a range of a typed bucket covers, in which direction, and how many entries at the most. */
export interface TypedRangeOptions<Key> {
  /** Keys after this one. */
  readonly gt?: Key;
  /** Keys from this one on. */
  readonly gte?: Key;
  /** Keys before this one. */
  readonly lt?: Key;
  /** Keys up to and including this one. */
  readonly lte?: Key;
  /** Keys that begin so: with a text or bytes, or with these parts of a tuple. */
  readonly prefix?: KeyPrefix<Key>;
  /** From the last key to the first. Default: false. */
  readonly reverse?: boolean;
  /** The most entries. Default: all. */
  readonly limit?: number;
  /** As that of {@link RangeOptions}. */
  readonly signal?: AbortSignal;
}

/**
 * The entries of a typed bucket within bounds. Each is decoded anew and stays valid, unlike those of a
 * {@link Range}. What is not of the bucket's types is never skipped: it raises INVALID_KEY or INVALID_VALUE.
 *
 * @example
 * ```ts
 * const scores = db.bucket('scores', { key: keys.number, value: z.object({ name: z.string() }) });
 * await db.write((tx) => {
 *   const table = tx.bucket('scores', scores.types);
 *   for (const points of [10, 9, -1]) table.put(points, { name: `has ${points}` });
 * });
 * Array.from(scores.range({ gte: 0 }).keys()); // => [9, 10]
 * scores.range({ reverse: true }).first(); // => [10, { name: 'has 10' }]
 * for await (const { name } of scores.range({ lt: 0 }).values()) console.log(name);
 * // prints has -1
 * ```
 */
export interface TypedRange<Key, Value> extends Iterable<[Key, Value]>, AsyncIterable<[Key, Value]> {
  /** The same entries as bytes: in batches, as CSV, as NDJSON. */
  readonly bytes: Range;
  keys(): Iterable<Key> & AsyncIterable<Key>;
  values(): Iterable<Value> & AsyncIterable<Value>;
  count(): number;
  first(): [Key, Value] | undefined;
  toArray(): [Key, Value][];
  /** In object mode, with backpressure; each chunk is an entry. */
  toReadable(): Readable;
  toWebStream(): ReadableStream<[Key, Value]>;
  toObservable(): Observable<[Key, Value]>;
}

/** Keys as bytes, in the options of a range. Raises INVALID_KEY, INVALID_OPTION. */
export function rangeBytes<Key>(key: KeyCodec<Key>, options: TypedRangeOptions<Key>): RangeOptions {
  const bytes: Record<string, unknown> = { ...options };
  for (const bound of ['gt', 'gte', 'lt', 'lte'] as const) {
    const given = options[bound];
    if (given !== undefined) bytes[bound] = key.encode(given);
  }
  if (options.prefix !== undefined) {
    if (key.encodePrefix === undefined)
      throw new StoreError('INVALID_OPTION', 'range: keys of this type have no prefix: give gte and lt');
    bytes.prefix = key.encodePrefix(options.prefix);
  }
  return bytes;
}

export class DecodedRange<Key, Value> implements TypedRange<Key, Value> {
  constructor(
    readonly bytes: Range,
    private readonly codecs: BucketCodecs<Key, Value>,
  ) {}

  *[Symbol.iterator](): Generator<[Key, Value], void, undefined> {
    for (const [key, value] of this.bytes) yield this.entry(key, value);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<[Key, Value], void, undefined> {
    for await (const [key, value] of this.bytes) yield this.entry(key, value);
  }

  keys(): Iterable<Key> & AsyncIterable<Key> {
    return each(this.bytes.keys(), (key) => this.codecs.key.decode(key));
  }

  values(): Iterable<Value> & AsyncIterable<Value> {
    return each(this.bytes.values(), (value) => this.codecs.value.decode(value));
  }

  count(): number {
    return this.bytes.count();
  }

  first(): [Key, Value] | undefined {
    const entry = this.bytes.first();
    return entry === undefined ? undefined : this.entry(...entry);
  }

  toArray(): [Key, Value][] {
    return [...this];
  }

  toReadable(): Readable {
    return Readable.from(this, { objectMode: true });
  }

  toWebStream(): ReadableStream<[Key, Value]> {
    return webStreamOf(this);
  }

  toObservable(): Observable<[Key, Value]> {
    return this.bytes.toObservable().pipe(map(([key, value]) => this.entry(key, value)));
  }

  private entry(key: Uint8Array, value: Uint8Array): [Key, Value] {
    return [this.codecs.key.decode(key), this.codecs.value.decode(value)];
  }
}

function each<Item>(
  all: Iterable<Buffer> & AsyncIterable<Buffer>,
  decode: (bytes: Buffer) => Item,
): Iterable<Item> & AsyncIterable<Item> {
  return {
    *[Symbol.iterator]() {
      for (const bytes of all) yield decode(bytes);
    },
    async *[Symbol.asyncIterator]() {
      for await (const bytes of all) yield decode(bytes);
    },
  };
}
