/** A bucket of the store, read as of the latest commit and written by commits of its own. */

import type { Writable } from 'node:stream';
import type { Observable } from 'rxjs';
import { AtomicBulkSink } from './atomic-bulk-sink.js';
import { BucketUpload } from './bucket-upload.js';
import { LatestView } from './bucket-view.js';
import type { BulkCompanion } from './bulk-companion.js';
import { type BulkOptions, type BulkSettings, bulkSettings } from './bulk-options.js';
import { readPosition } from './bulk-positions.js';
import type { Change } from './change.js';
import { checkText, keyBytes, valueBytes } from './key-bytes.js';
import { type Bytes, parseOptions, type RangeOptions, workSchema } from './options.js';
import { BucketReader, type ReadableBucket, type ValueStreamOptions } from './readable-bucket.js';
import { SortingSink } from './sorting-sink.js';
import type { Store } from './storage/store.js';
import { TemporaryFiles } from './storage/temporary-files.js';
import type { StoreWriter } from './store-writer.js';
import type { BulkSink } from './stream/bulk-sink.js';
import { BulkWriter } from './stream/bulk-writer.js';
import { destroyOnAbort } from './stream/stopped-by-signal.js';
import { ValueWritable } from './stream/value-writable.js';
import { catalogRoot, findBucket } from './tree/catalog.js';
import { TreeBulkSink } from './tree-bulk-sink.js';

/**
 * Outside a transaction each write is its own commit; such writes share one sync where they arrive together. A
 * bucket that does not exist reads as empty, and the first write creates it.
 *
 * Writes reject with INVALID_KEY, KEY_TOO_LARGE, INVALID_OPTION, READ_ONLY, STORE_CLOSED, STORE_FAILED,
 * DISK_FULL or IO_ERROR; then nothing was changed. With CONFLICT where they wait for a transaction that nothing
 * in the process is left to end, as one that itself waits for the write.
 */
export interface Bucket extends ReadableBucket {
  /**
   * @example
   * ```ts
   * await users.put('ada', JSON.stringify({ born: 1815 }));
   * users.get('ada')?.toString(); // '{"born":1815}'
   * ```
   */
  put(key: Bytes, value: Bytes): Promise<void>;
  /**
   * Resolves to whether the key was there.
   *
   * @example
   * ```ts
   * await users.delete('ada'); // true
   * await users.delete('ada'); // false
   * ```
   */
  delete(key: Bytes): Promise<boolean>;
  /**
   * Replaces the value of a key that exists; resolves to false, changing nothing, if it does not.
   *
   * @example
   * ```ts
   * await users.update('bob', 'Bob'); // false
   * users.has('bob'); // false
   * ```
   */
  update(key: Bytes, value: Bytes): Promise<boolean>;
  /**
   * A writer for many entries: sorted input is built into finished pages from the bottom up.
   *
   * Raises INVALID_OPTION, READ_ONLY, STORE_CLOSED.
   *
   * @example
   * ```ts
   * const writer = readings.bulkWriter();
   * for (let i = 0; i < 100_000; i++) {
   *   if (!writer.add(String(i).padStart(8, '0'), `reading ${i}`)) await writer.drained();
   * }
   * const report = await writer.finish();
   * report.entries; // 100000
   * ```
   */
  bulkWriter(options?: BulkOptions): BulkWriter;
  /**
   * A Writable for one value of any size, in constant memory. The value is there, whole and durable, once
   * the stream has finished; a stream that fails or is destroyed before leaves no trace. Other writers
   * go on meanwhile. A `signal` destroys it with ABORTED. Raises as `put` rejects.
   *
   * @example
   * ```ts
   * await pipeline(createReadStream('photo.jpg'), files.createValueWriteStream('photo'));
   * await pipeline(files.createValueReadStream('photo'), createWriteStream('copy.jpg'));
   * ```
   */
  createValueWriteStream(key: Bytes, options?: ValueStreamOptions): Writable;
  /**
   * What commits change within the range, from each subscription on: in commit order, without a gap,
   * told once a commit is durable and visible, before any later one, and before the promise of the
   * write resolves. Single writes come as 'put' and 'delete', in the order in which they were made;
   * ranges that were deleted, a dropped bucket, and bulk loads come as one change each. A transaction keeps
   * what it changed in memory for this, as far as it is watched. Unsubscribing releases everything; it
   * completes when the store is closed, and when its `signal` fires.
   *
   * Raises INVALID_OPTION, also for `reverse` and `limit`, and STORE_CLOSED.
   *
   * @example
   * ```ts
   * const subscription = orders.watch({ prefix: '2024-' }).subscribe((change) => {
   *   if (change.type === 'put') console.log(`order ${change.key} is ${change.value} now`);
   *   else if (change.type === 'delete') console.log(`order ${change.key} is gone`);
   *   else if (change.type === 'load') console.log(orders.range(change.bounds).count());
   * });
   * await orders.put('2024-0001', 'two pens'); // prints order 2024-0001 is two pens now
   * subscription.unsubscribe();
   * ```
   */
  watch(options?: RangeOptions): Observable<Change>;
  /**
   * The position that a bulk load saved last under this checkpoint name, or undefined.
   *
   * @example
   * ```ts
   * const writer = readings.bulkWriter({ checkpoint: 'meter' });
   * writer.add('2024-01-01', '17');
   * await writer.commit({ line: 1 });
   * readings.bulkCheckpoint('meter'); // => { line: 1 }
   * await writer.finish();
   * ```
   */
  bulkCheckpoint(name: string): unknown;
}

export class StoreBucket extends BucketReader implements Bucket {
  private readonly store: Store;
  private readonly writer: StoreWriter;

  constructor(store: Store, writer: StoreWriter, name: string) {
    super(name, new LatestView(store, name));
    this.store = store;
    this.writer = writer;
  }

  // The bytes are copied before the first await: the caller may use its buffers again at once.
  async put(key: Bytes, value: Bytes): Promise<void> {
    const ownKeyBytes = this.ownKey(key);
    const ownValue = Buffer.from(valueBytes(value));
    await this.writer.write((transaction) => transaction.bucket(this.name).put(ownKeyBytes, ownValue));
  }

  async delete(key: Bytes): Promise<boolean> {
    const ownKeyBytes = this.ownKey(key);
    return this.writer.write((transaction) => transaction.bucket(this.name).delete(ownKeyBytes));
  }

  async update(key: Bytes, value: Bytes): Promise<boolean> {
    const ownKeyBytes = this.ownKey(key);
    const ownValue = Buffer.from(valueBytes(value));
    return this.writer.write((transaction) => transaction.bucket(this.name).update(ownKeyBytes, ownValue));
  }

  private ownKey(key: Bytes): Buffer {
    this.store.assertWritable();
    return Buffer.from(keyBytes(key, this.store.pager.pageSize));
  }

  bulkWriter(options: BulkOptions = {}): BulkWriter {
    return this.bulkWriterWith(options);
  }

  /** As `bulkWriter`; the commits have what the companion writes, too. Not part of the public face. */
  bulkWriterWith(options: BulkOptions, companion?: BulkCompanion): BulkWriter {
    this.store.assertWritable();
    const settings = bulkSettings(options);
    const { pageSize } = this.store.pager;
    const check = (key: Bytes, value: Bytes): void => {
      keyBytes(key, pageSize);
      if (typeof value === 'string') checkText(value, 'INVALID_OPTION', 'a value');
      else valueBytes(value);
    };
    return new BulkWriter(this.bulkSink(settings, companion), check, settings);
  }

  private bulkSink(settings: BulkSettings, companion: BulkCompanion | undefined): BulkSink {
    const { store, writer, name } = this;
    const makeTarget = (settings: BulkSettings): BulkSink =>
      settings.atomic
        ? new AtomicBulkSink(store, writer, name, settings, companion)
        : new TreeBulkSink(writer, name, settings, companion);
    if (settings.sorted === true) return makeTarget(settings);
    const { path } = store.file;
    const files = new TemporaryFiles(path === ':memory:' ? undefined : path);
    return new SortingSink(writer, settings, files, makeTarget);
  }

  /** Whether one transaction can change both. Not part of the public face. */
  isInStoreOf(other: StoreBucket): boolean {
    return this.store === other.store;
  }

  createValueWriteStream(key: Bytes, options: ValueStreamOptions = {}): Writable {
    const { signal } = parseOptions(workSchema, options, 'createValueWriteStream');
    const upload = new BucketUpload(this.store, this.writer, this.name, this.ownKey(key));
    const stream = new ValueWritable(upload);
    destroyOnAbort(stream, signal, 'the writing of a value');
    return stream;
  }

  watch(options: RangeOptions = {}): Observable<Change> {
    this.store.assertOpen();
    return this.writer.watchers.watch(this.name, options);
  }

  bulkCheckpoint(name: string): unknown {
    this.store.assertOpen();
    const record = findBucket(this.store.pager, catalogRoot(this.store.committed), this.name);
    return readPosition(record?.checkpoint, name);
  }
}
