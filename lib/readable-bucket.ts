/** Reading a bucket, the same from the latest commit, a snapshot and a transaction. */
import type { Readable } from 'node:stream';
import type { BucketView } from './bucket-view.js';
import { keyBytes } from './key-bytes.js';
import { type Bytes, parseOptions, type RangeOptions, workSchema } from './options.js';
import { createRange, type Range } from './range.js';
import { destroyOnAbort } from './stream/stopped-by-signal.js';
import { ValueReadable } from './stream/value-readable.js';
import { contains, lookup } from './tree/lookup.js';

/** How one value is streamed. */
export interface ValueStreamOptions {
  /** Destroys the stream with ABORTED, whose cause is the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A bucket to read: as of the latest commit, of a snapshot, or inside a transaction. */
export interface ReadableBucket {
  readonly name: string;
  /**
   * A copy of the value, or undefined if the key is not there.
   *
   * Raises INVALID_KEY, KEY_TOO_LARGE, PAGE_CORRUPT, STORE_CLOSED.
   *
   * @example
   * ```ts
   * await users.put('ada', 'Ada Lovelace');
   * users.get('ada')?.toString(); // 'Ada Lovelace'
   * users.get('bob'); // undefined
   * ```
   */
  get(key: Bytes): Buffer | undefined;
  /** Whether the key is there. Raises as `get` does. */
  has(key: Bytes): boolean;
  /**
   * The entries within bounds, in key order. Lazy: nothing is read until it is consumed, and each
   * consumption sees one commit, whatever is written meanwhile.
   *
   * Raises INVALID_OPTION.
   *
   * @example
   * ```ts
   * for await (const [key, value] of users.range({ prefix: 'a', limit: 10 })) {
   *   console.log(key.toString(), value.toString());
   * }
   * ```
   */
  range(options?: RangeOptions): Range;
  /**
   * The value as a byte stream, in constant memory, whatever its size. The stream fails with
   * KEY_NOT_FOUND if the key is not there, and with ABORTED when the `signal` fires; raises as `get` does.
   *
   * @example
   * ```ts
   * for await (const chunk of users.createValueReadStream('ada')) console.log(chunk.length); // prints 12
   * ```
   */
  createValueReadStream(key: Bytes, options?: ValueStreamOptions): Readable;
}

export class BucketReader implements ReadableBucket {
  readonly name: string;
  protected readonly view: BucketView;

  constructor(name: string, view: BucketView) {
    this.name = name;
    this.view = view;
  }

  get(key: Bytes): Buffer | undefined {
    const { pager } = this.view;
    const bytes = keyBytes(key, pager.pageSize);
    return lookup(pager, this.view.root(), bytes, bytes.length);
  }

  has(key: Bytes): boolean {
    const { pager } = this.view;
    const bytes = keyBytes(key, pager.pageSize);
    return contains(pager, this.view.root(), bytes, bytes.length);
  }

  range(options: RangeOptions = {}): Range {
    return createRange(this.view, options);
  }

  createValueReadStream(key: Bytes, options: ValueStreamOptions = {}): Readable {
    const { signal } = parseOptions(workSchema, options, 'createValueReadStream');
    const { view } = this;
    const bytes = keyBytes(key, view.pager.pageSize);
    const stream = new ValueReadable(view.pager, () => view.pin(), bytes);
    destroyOnAbort(stream, signal, 'the reading of a value');
    return stream;
  }
}
