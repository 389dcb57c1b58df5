/** Opens a store, and puts what it is made of together as a Database. */
import type { Observable } from 'rxjs';
import { type BackupOptions, backupStore } from './backup.js';
import { BackupFiles } from './backup-place.js';
import { type Bucket, StoreBucket } from './bucket.js';
import { type BucketTypes, codecsOf } from './codec/bucket-types.js';
import type { ValueOf, ValueType } from './codec/value-codec.js';
import { type CompactOptions, type CompactReport, compactStore } from './compact.js';
import type { Database } from './database-face.js';
import { checkBucketName } from './key-bytes.js';
import {
  checkRun,
  type OpenOptions,
  openSchema,
  parseOptions,
  pathSchema,
  waitSchema,
  workSchema,
} from './options.js';
import { recover } from './recover.js';
import { type BucketInfo, bucketInfos, type Snapshot, StoreSnapshot } from './snapshot.js';
import { type Stats, statsOf } from './stats.js';
import type { Store } from './storage/store.js';
import { openMemoryStore, openStore, type RecoveryReport, type StoreOptions } from './storage/store-open.js';
import type { WaitOptions } from './storage/writer-lock.js';
import { type CommitEvent, StoreWriter } from './store-writer.js';
import type { CheckReport } from './tree/check-report.js';
import { type CheckOptions, checkStore } from './tree/check-store.js';
import { type TypedBucket, TypedStoreBucket } from './typed-bucket.js';
import type { WriteTransaction } from './write-transaction.js';

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
    syncOn: checked.syncOn,
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

  bucket<Key, Type extends ValueType>(
    name: string,
    types: BucketTypes<Key, Type>,
  ): TypedBucket<Key, ValueOf<Type>>;
  bucket(name: string): Bucket;
  bucket(name: string, types?: BucketTypes<unknown, ValueType>): unknown {
    checkBucketName(name);
    const bucket = new StoreBucket(this.store, this.writer, name);
    return types === undefined ? bucket : new TypedStoreBucket(bucket, codecsOf(types));
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

  async write<T>(run: (tx: WriteTransaction) => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
    checkRun(run, 'write', 'transaction');
    return this.writer.transact(run, parseOptions(waitSchema, options, 'write'));
  }

  snapshot(): Snapshot {
    return new StoreSnapshot(this.store);
  }

  read<T>(run: (snapshot: Snapshot) => T): T {
    checkRun(run, 'read', 'snapshot');
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

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    const checked = parseOptions(workSchema, options, 'check');
    this.store.assertOpen();
    await this.store.writerLock.acquire(checked);
    try {
      return await checkStore(this.store, checked);
    } finally {
      this.store.writerLock.release();
    }
  }

  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    return compactStore(this.store, this.writer, parseOptions(workSchema, options, 'compact'));
  }

  async backup(path: string, options: BackupOptions = {}): Promise<void> {
    parseOptions(pathSchema, { path }, 'backup');
    parseOptions(workSchema, options, 'backup');
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
