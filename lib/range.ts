/** A range of a bucket, and its many faces: iterables, arrays, streams. */
import type { Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import type { Batch } from './batch.js';
import type { BucketView } from './bucket-view.js';
import { type Entry, parseOptions, type RangeOptions, rangeSchema } from './options.js';
import { boundsOf } from './range-bounds.js';
import { areRangeOptions } from './range-options-check.js';
import { batchesOf } from './stream/batch-iterators.js';
import { createCsvReadable } from './stream/csv-readable.js';
import { EntryIterable } from './stream/entry-iterable.js';
import {
  entryTaker,
  takeEntryCopy,
  takeKey,
  takeKeyCopy,
  takeValue,
  takeValueCopy,
} from './stream/entry-iterators.js';
import { EntryReadable } from './stream/entry-readable.js';
import type { ExportOptions } from './stream/export-options.js';
import { createNdjsonReadable } from './stream/ndjson-readable.js';
import { observableOf } from './stream/observable.js';
import { abortedBy, StoppableCursor } from './stream/stopped-by-signal.js';
import { webStreamOf } from './stream/web-stream.js';
import type { KeyBounds } from './tree/key-bounds.js';
import { type Cursor, RangeCursor } from './tree/range-cursor.js';
import { countEntries } from './tree/rank.js';

/**
 * The entries of a bucket within bounds. Iteration, sync or async, hands out the SAME entry and Buffers each step: they
 * are valid until the next step. What collects or buffers (toArray, first, toReadable, toWebStream, toObservable, and
 * the streams and pipelines that Node makes of a range, as `Readable.from(range)`) hands out copies that stay valid.
 *
 * With a `signal` among the range's options, every consumption ends with ABORTED when it fires. Every consumption
 * raises or rejects with PAGE_CORRUPT, naming the page, where the file is damaged;
 * none ever skips an entry.
 */
export interface Range extends Iterable<Entry>, AsyncIterable<Entry> {
  /**
   * A page of entries at a time.
   *
   * @example
   * ```ts
   * let bytes = 0;
   * for await (const batch of users.range().batches()) {
   *   for (let i = 0; i < batch.length; i++) bytes += batch.value(i).length;
   * }
   * ```
   */
  batches(): AsyncIterable<Batch> & Iterable<Batch>;
  /**
   * The keys alone, in a Buffer that is used again at each step.
   *
   * @example
   * ```ts
   * Array.from(users.range().keys(), String); // => ['ada', 'alan', 'grace']
   * ```
   */
  keys(): Iterable<Buffer> & AsyncIterable<Buffer>;
  /**
   * The values alone, in a Buffer that is used again at each step.
   *
   * @example
   * ```ts
   * for await (const value of users.range({ limit: 1 }).values()) console.log(String(value));
   * // prints Ada Lovelace
   * ```
   */
  values(): Iterable<Buffer> & AsyncIterable<Buffer>;
  /**
   * How many entries the range has, from the counts that the tree keeps: it reads a few pages only.
   *
   * @example
   * ```ts
   * users.range({ prefix: 'a' }).count(); // 2
   * ```
   */
  count(): number;
  /**
   * The first entry in the range's direction, or undefined if it is empty.
   *
   * @example
   * ```ts
   * users.range({ reverse: true }).first()?.map(String); // => ['grace', 'Grace Hopper']
   * ```
   */
  first(): Entry | undefined;
  /**
   * All entries, in memory.
   *
   * @example
   * ```ts
   * const [[key, value]] = users.range({ gte: 'b' }).toArray();
   * key.toString(); // 'grace'
   * ```
   */
  toArray(): Entry[];
  /**
   * In object mode, with backpressure; each chunk is an entry. `Readable.from(range)` and `pipeline(range, …)` do as
   * well.
   *
   * @example
   * ```ts
   * await pipeline(users.range().toReadable(), db.bucket('copy').bulkWriter());
   * db.bucket('copy').range().count(); // 3
   * ```
   */
  toReadable(): Readable;
  /**
   * The entries as a web stream, with backpressure: it reads no further than it is asked to. A bulk writer is one to
   * write to by `Writable.toWeb(bucket.bulkWriter())`.
   *
   * @example
   * ```ts
   * for await (const [key] of users.range({ limit: 1 }).toWebStream()) console.log(String(key));
   * // prints ada
   * ```
   */
  toWebStream(): ReadableStream<Entry>;
  /**
   * Emits every entry to each subscriber, from a snapshot of its own.
   *
   * @example
   * ```ts
   * users.range().toObservable().subscribe(([key, value]) => console.log(`${key}: ${value}`));
   * ```
   */
  toObservable(): Observable<Entry>;
  /**
   * The values, JSON rows, as lines of bytes.
   *
   * @example
   * ```ts
   * await pipeline(orders.range({ prefix: '2024-' }).toNdjson(), createWriteStream('2024.ndjson'));
   * ```
   */
  toNdjson(options?: ExportOptions): Readable;
  /**
   * The values, JSON rows, as CSV with a header.
   *
   * @example
   * ```ts
   * await pipeline(orders.range().toCsv({ delimiter: ';' }), createWriteStream('orders.csv'));
   * ```
   */
  toCsv(options?: ExportOptions): Readable;
}

/** Checks the options and makes a range over a bucket's view. Raises INVALID_OPTION. */
export function createRange(view: BucketView, options: RangeOptions): Range {
  const checked = areRangeOptions(options) ? options : parseOptions(rangeSchema, options, 'range');
  return new TreeRange(view, checked);
}

class TreeRange extends EntryIterable<Entry> implements Range {
  private readonly view: BucketView;
  private readonly bounds: KeyBounds;
  private readonly limit: number | undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly openCursor: (limit: number | undefined) => Cursor;

  /** The options have been checked. */
  constructor(view: BucketView, options: RangeOptions) {
    const { reverse, limit, signal } = options;
    const bounds = boundsOf(options);
    const open = (most: number | undefined): Cursor => {
      const pinned = view.pin();
      const cursor = new RangeCursor(view.pager, pinned.root, { bounds, reverse, limit: most }, () =>
        pinned.release(),
      );
      return signal === undefined ? cursor : new StoppableCursor(cursor, signal);
    };
    super({ open: () => open(limit), signal }, entryTaker, takeEntryCopy);
    this.view = view;
    this.bounds = bounds;
    this.limit = limit;
    this.signal = signal;
    this.openCursor = open;
  }

  batches(): AsyncIterable<Batch> & Iterable<Batch> {
    return batchesOf(this.source);
  }

  keys(): Iterable<Buffer> & AsyncIterable<Buffer> {
    return new EntryIterable(this.source, () => takeKey, takeKeyCopy);
  }

  values(): Iterable<Buffer> & AsyncIterable<Buffer> {
    return new EntryIterable(this.source, () => takeValue, takeValueCopy);
  }

  count(): number {
    if (this.signal?.aborted === true) throw abortedBy(this.signal, 'the range');
    const entries = countEntries(this.view.pager, this.view.root(), this.bounds);
    return this.limit === undefined ? entries : Math.min(entries, this.limit);
  }

  first(): Entry | undefined {
    const cursor = this.openCursor(this.limit === undefined ? 1 : Math.min(1, this.limit));
    try {
      const batch = cursor.nextBatchSync(1);
      return batch === null ? undefined : takeEntryCopy(batch, 0);
    } finally {
      cursor.close();
    }
  }

  toArray(): Entry[] {
    const entries: Entry[] = [];
    const cursor = this.openCursor(this.limit);
    const next = () => cursor.nextBatchSync(Number.POSITIVE_INFINITY);
    try {
      for (let batch = next(); batch !== null; batch = next()) {
        for (let i = 0; i < batch.length; i++) entries.push(takeEntryCopy(batch, i));
      }
    } finally {
      cursor.close();
    }
    return entries;
  }

  toReadable(): Readable {
    return new EntryReadable(this.source);
  }

  toWebStream(): ReadableStream<Entry> {
    return webStreamOf({ [Symbol.asyncIterator]: () => this.copies() });
  }

  toObservable(): Observable<Entry> {
    return observableOf(this.source);
  }

  toNdjson(options: ExportOptions = {}): Readable {
    return createNdjsonReadable(this.source, options);
  }

  toCsv(options: ExportOptions = {}): Readable {
    return createCsvReadable(this.source, options);
  }
}
