/** The store as its users hold it: `open` and the Database that it resolves to. */
import type { Observable } from 'rxjs';
import { type BackupOptions, backupStore } from './backup.js';
import { BackupFiles } from './backup-place.js';
import { type Bucket, StoreBucket } from './bucket.js';
import { type CompactOptions, type CompactReport, compactStore } from './compact.js';
import { checkBucketName } from './key-bytes.js';
import { type OpenOptions, openSchema, parseOptions, pathSchema, waitSchema } from './options.js';
import { recover } from './recover.js';
import { type BucketInfo, bucketInfos, type Snapshot, StoreSnapshot } from './snapshot.js';
import { type Stats, statsOf } from './stats.js';
import type { Store } from './storage/store.js';
import { openMemoryStore, openStore, type RecoveryReport, type StoreOptions } from './storage/store-open.js';
import type { WaitOptions } from './storage/writer-lock.js';
import { type CommitEvent, StoreWriter } from './store-writer.js';
import type { WriteTransaction } from './transaction.js';
import type { CheckReport } from './tree/check-report.js';
import { checkStore } from './tree/check-store.js';

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
   * what `run` returned once the commit is durable.
   *
   * @example
   * ```ts
   * await db.write((tx) => {
   *   tx.bucket('orders').put('1001', 'two pens');
   *   tx.bucket('stock').put('pen', '98');
   * });
   * ```
   */
  write<T>(run: (tx: WriteTransaction) => T | Promise<T>): Promise<T>;
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
   *
   * @example
   * ```ts
   * const report = await db.check();
   * if (!report.ok) console.error(report.problems);
   * ```
   */
  check(): Promise<CheckReport>;
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
   * Emits after each commit. Completes when the store is closed.
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

const CACHE_BYTES = 64 * 1024 * 1024;
/** Changed pages kept in memory before they are written out ahead of their commit. */
const DIRTY_BYTES = 32 * 1024 * 1024;

/**
 * Opens, or creates, the store in one file. ':memory:' keeps it in memory only.
 *
 * Rejects with STORE_NOT_FOUND, STORE_LOCKED (naming the holder's pid), NOT_A_STORE,
 * UNSUPPORTED_VERSION, PAGE_CORRUPT, IO_ERROR or INVALID_OPTION.
 *
 * @example
 * ```ts
 * const db = await open('shop.db');
 * await db.bucket('orders').put('1001', 'two pens');
 * await db.close();
 * ```
 */
export async function open(path: string, options: OpenOptions = {}): Promise<Database> {
  parseOptions(pathSchema, { path }, 'open');
  const checked = parseOptions(openSchema, options, 'open');
  const storeOptions: StoreOptions = {
    readOnly: checked.readOnly ?? false,
    create: checked.create ?? true,
    pageSize: checked.pageSize ?? 4096,
    cacheBytesMax: checked.cacheBytes ?? CACHE_BYTES,
    dirtyBytesMax: DIRTY_BYTES,
    durable: (checked.durability ?? 'commit') === 'commit',
  };
  const opened =
    path === ':memory:' ? await openMemoryStore(storeOptions) : await openStore(path, storeOptions);
  await recover(opened);
  return new StoreDatabase(opened.store, opened.recovery);
}

/** A Database over any open store. Not part of the public face: specs open stores on files of their own. */
export class StoreDatabase implements Database {
  readonly recovery: RecoveryReport;
  private readonly store: Store;
  private readonly writer: StoreWriter;

  constructor(store: Store, recovery: RecoveryReport) {
    this.store = store;
    this.recovery = recovery;
    this.writer = new StoreWriter(store);
  }

  get path(): string {
    return this.store.file.path;
  }

  get commits$(): Observable<CommitEvent> {
    return this.writer.commits.asObservable();
  }

  bucket(name: string): Bucket {
    checkBucketName(name);
    return new StoreBucket(this.store, this.writer, name);
  }

  async createBucket(name: string): Promise<Bucket> {
    checkBucketName(name);
    await this.write((tx) => tx.createBucket(name));
    return this.bucket(name);
  }

  async dropBucket(name: string): Promise<boolean> {
    checkBucketName(name);
    return this.write((tx) => tx.dropBucket(name));
  }

  buckets(): Iterable<BucketInfo> {
    this.store.assertOpen();
    return bucketInfos(this.store, this.store.committed);
  }

  async begin(options: WaitOptions = {}): Promise<WriteTransaction> {
    return this.writer.begin(parseOptions(waitSchema, options, 'begin'));
  }

  async write<T>(run: (tx: WriteTransaction) => T | Promise<T>): Promise<T> {
    const transaction = await this.writer.begin();
    try {
      const result = await run(transaction);
      if (!transaction.isEnded) await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  snapshot(): Snapshot {
    return new StoreSnapshot(this.store);
  }

  read<T>(run: (snapshot: Snapshot) => T): T {
    const snapshot = this.snapshot();
    let result: T;
    try {
      result = run(snapshot);
    } catch (error) {
      snapshot.release();
      throw error;
    }
    if (result instanceof Promise) result.finally(() => snapshot.release()).catch(() => undefined);
    else snapshot.release();
    return result;
  }

  async check(): Promise<CheckReport> {
    this.store.assertOpen();
    await this.store.writerLock.acquire();
    try {
      return await checkStore(this.store);
    } finally {
      this.store.writerLock.release();
    }
  }

  compact(options: CompactOptions = {}): Promise<CompactReport> {
    return compactStore(this.store, this.writer, options);
  }

  backup(path: string, options: BackupOptions = {}): Promise<void> {
    return backupStore(this.store, new BackupFiles(path), options);
  }

  stats(): Stats {
    this.store.assertOpen();
    return statsOf(this.store);
  }

  async close(): Promise<void> {
    try {
      await this.store.close();
    } finally {
      this.writer.complete();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
