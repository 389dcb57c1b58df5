/** The store as its users hold it. */
import type { Observable } from 'rxjs';
import type { BackupOptions } from './backup.js';
import type { Bucket } from './bucket.js';
import type { BucketTypes } from './codec/bucket-types.js';
import type { ValueCodec, ValueOf, ValueType } from './codec/value-codec.js';
import type { CompactOptions, CompactReport } from './compact.js';
import type { BucketInfo, Snapshot } from './snapshot.js';
import type { Stats } from './stats.js';
import type { RecoveryReport } from './storage/store-open.js';
import type { WaitOptions } from './storage/writer-lock.js';
import type { CommitEvent } from './store-writer.js';
import type { CheckReport } from './tree/check-report.js';
import type { CheckOptions } from './tree/check-store.js';
import type { TypedBucket } from './typed-bucket.js';
import type { WriteTransaction } from './write-transaction.js';

/**
 * An open store. Close it, or declare it with `await using`.
 *
 * @example
 * ```ts
 * await using shop = await open(':memory:');
 * await shop.createBucket('orders');
 * await shop.bucket('users').put('ada', 'Ada Lovelace');
 * Array.from(shop.buckets()); // => [{ name: 'orders', entries: 0 }, { name: 'users', entries: 1 }]
 * await shop.dropBucket('orders'); // true
 * shop.stats().buckets; // 1
 * ```
 */
export interface Database extends AsyncDisposable {
  /** The path as it was given to `open`. */
  readonly path: string;
  /** What opening found and mended after an interrupted run. */
  readonly recovery: RecoveryReport;

  /**
   * A bucket by its types: keys that sort as their type does, values that a schema describes. Raises INVALID_OPTION
   * where a type is none.
   *
   * @example
   * ```ts
   * const users = db.bucket('users', { key: keys.string, value: z.object({ born: z.number() }) });
   * await users.put('ada', { born: 1815 });
   * users.get('ada'); // => { born: 1815 }
   * ```
   */
  bucket<Key = string, Type extends ValueType = ValueCodec<Uint8Array>>(
    name: string,
    types: BucketTypes<Key, Type>,
  ): TypedBucket<Key, ValueOf<Type>>;
  /** A handle on a bucket. No I/O: one that does not exist reads as empty. Raises INVALID_BUCKET_NAME. */
  bucket(name: string): Bucket;
  /** Rejects with BUCKET_EXISTS if it is there. */
  createBucket(name: string): Promise<Bucket>;
  /** Resolves to whether there was one. Its cost is independent of the size of every other bucket. */
  dropBucket(name: string): Promise<boolean>;
  /** Every bucket of the latest commit, by name, with its entry count (kept, not counted). */
  buckets(): Iterable<BucketInfo>;

  /**
   * The one writer. Waits its turn, first come first served; `signal` and `waitMilliseconds` bound the
   * wait (ABORTED, CONFLICT; INVALID_OPTION). Disposing of the transaction without a commit rolls it back.
   *
   * @example
   * ```ts
   * await using tx = await db.begin({ waitMilliseconds: 5000 });
   * if (tx.bucket('users').update('ada', 'Augusta Ada King')) await tx.commit();
   * ```
   */
  begin(options?: WaitOptions): Promise<WriteTransaction>;
  /**
   * Begins a transaction, runs `run`, commits; rolls back and rethrows if `run` throws. Resolves to
   * what `run` returned once the commit is durable. `signal` and `waitMilliseconds` bound the wait as with `begin`.
   *
   * @example
   * ```ts
   * await db.write((tx) => {
   *   tx.bucket('orders').put('1001', 'two pens');
   *   tx.bucket('stock').put('pen', '98');
   * });
   * ```
   */
  write<T>(run: (tx: WriteTransaction) => T | Promise<T>, options?: WaitOptions): Promise<T>;
  /** A stable view of the latest commit, across all buckets. Never blocks, nor is blocked by, the writer. */
  snapshot(): Snapshot;
  /**
   * Takes a snapshot, runs `run` with it, and releases it, once the promise that `run` may return is settled.
   *
   * @example
   * ```ts
   * const entries = db.read((snapshot) => Array.from(snapshot.buckets(), (bucket) => bucket.entries));
   * ```
   */
  read<T>(run: (snapshot: Snapshot) => T): T;

  /**
   * Walks the whole file: every page's checksum, order, counts, and that each page is used once or
   * free. Waits for the writer's turn; readers go on. Resolves to what it found, also where that is bad.
   * `signal` stops it, with ABORTED.
   *
   * @example
   * ```ts
   * const report = await db.check();
   * if (!report.ok) console.error(report.problems);
   * ```
   */
  check(options?: CheckOptions): Promise<CheckReport>;
  /**
   * Moves pages to the front of the file and gives its end back to the file system. Works in commits of
   * its own, between which other writers get their turn; readers go on. Pages that a live snapshot needs
   * stay. `signal` stops it between two commits, with ABORTED.
   *
   * @example
   * ```ts
   * const { bytesFreed } = await db.compact();
   * ```
   */
  compact(options?: CompactOptions): Promise<CompactReport>;
  /**
   * Copies the latest commit to another file, packed anew, while readers and the writer go on. The file
   * is there once it is whole and on the disk. Rejects with CONFLICT if there is a file already, with
   * ABORTED if `signal` fires, and leaves no file then.
   *
   * @example
   * ```ts
   * await db.backup('shop-2024-01-01.db');
   * ```
   */
  backup(path: string, options?: BackupOptions): Promise<void>;
  /** Figures that are kept or cheap to have. Raises STORE_CLOSED. */
  stats(): Stats;
  /**
   * Emits after each commit, in their order and none left out. Completes when the store is closed.
   *
   * @example
   * ```ts
   * db.commits$.subscribe(({ sequence }) => console.log(`commit ${sequence}`));
   * ```
   */
  readonly commits$: Observable<CommitEvent>;
  /**
   * Waits for the writer, makes a checkpoint, then gives the file back. Later calls raise STORE_CLOSED. Safe to
   * call twice. The file is given back also where it rejects: with DISK_FULL or IO_ERROR if the checkpoint
   * failed, which loses nothing that was durable, and with STORE_FAILED if an earlier failure lost commits of
   * durability 'none'.
   */
  close(): Promise<void>;
}
