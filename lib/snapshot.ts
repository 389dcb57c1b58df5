/** A snapshot: every bucket as one commit left it, for as long as it is kept. */
import { type BucketView, pinTree } from './bucket-view.js';
import { type BucketTypes, codecsOf } from './codec/bucket-types.js';
import type { ValueCodec, ValueOf, ValueType } from './codec/value-codec.js';
import { StoreError } from './errors.js';
import { checkBucketName } from './key-bytes.js';
import { BucketReader, type ReadableBucket } from './readable-bucket.js';
import type { Commit, Store } from './storage/store.js';
import { bucketRoot, catalogEntries, catalogRoot } from './tree/catalog.js';
import { type TypedReadableBucket, TypedReader } from './typed-reader.js';

/** A bucket and how many entries it has. */
export interface BucketInfo {
  readonly name: string;
  readonly entries: number;
}

/**
 * A stable view across all buckets. It blocks no writer and no writer blocks it, but the pages it sees
 * cannot be used again until it is released: release it when done.
 *
 * @example
 * ```ts
 * using snapshot = db.snapshot();
 * await users.put('bob', 'later');
 * snapshot.bucket('users').has('bob'); // false
 * users.has('bob'); // true
 * ```
 */
export interface Snapshot extends Disposable {
  /** Grows with every commit; two snapshots of one commit have the same. */
  readonly sequence: number;
  /** A bucket by its types; see {@link TypedReadableBucket}. */
  bucket<Key = string, Type extends ValueType = ValueCodec<Uint8Array>>(
    name: string,
    types: BucketTypes<Key, Type>,
  ): TypedReadableBucket<Key, ValueOf<Type>>;
  /** The bucket as the commit left it. Raises INVALID_BUCKET_NAME; reads raise SNAPSHOT_RELEASED after release. */
  bucket(name: string): ReadableBucket;
  /** Every bucket of the commit, by name, with its entry count. Raises SNAPSHOT_RELEASED. */
  buckets(): Iterable<BucketInfo>;
  /**
   * Ends it. Reads begun before go on; later ones raise SNAPSHOT_RELEASED. Safe to call twice.
   *
   * @example
   * ```ts
   * const snapshot = db.snapshot();
   * try {
   *   snapshot.bucket('users').range().count(); // 3
   * } finally {
   *   snapshot.release();
   * }
   * ```
   */
  release(): void;
}

/** Snapshots that were forgotten without release give their pages back when they are collected. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

export class StoreSnapshot implements Snapshot {
  readonly sequence: number;
  private readonly store: Store;
  private readonly commit: Commit;
  private readonly unpin: () => void;
  private released = false;

  constructor(store: Store) {
    store.assertOpen();
    this.store = store;
    this.commit = store.committed;
    this.sequence = this.commit.sequence;
    this.unpin = pinTree(store, this.sequence, catalogRoot(this.commit)).release;
    forgotten.register(this, this.unpin, this);
  }

  bucket<Key, Type extends ValueType>(
    name: string,
    types: BucketTypes<Key, Type>,
  ): TypedReadableBucket<Key, ValueOf<Type>>;
  bucket(name: string): ReadableBucket;
  bucket(name: string, types?: BucketTypes<unknown, ValueType>): unknown {
    checkBucketName(name);
    const bucket = new BucketReader(name, this.viewOf(name));
    return types === undefined ? bucket : new TypedReader(bucket, codecsOf(types));
  }

  buckets(): Iterable<BucketInfo> {
    this.assertLive();
    return bucketInfos(this.store, this.commit);
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    forgotten.unregister(this);
    this.unpin();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  private viewOf(name: string): BucketView {
    const { store, commit } = this;
    const root = () => {
      this.assertLive();
      return bucketRoot(store.pager, catalogRoot(commit), name);
    };
    return { pager: store.pager, root, pin: () => pinTree(store, commit.sequence, root()) };
  }

  private assertLive(): void {
    this.store.assertOpen();
    if (this.released)
      throw new StoreError('SNAPSHOT_RELEASED', 'the snapshot was released: take another one');
  }
}

/**
 * Every bucket of a commit, by name. All at once: whoever loops over them may change buckets or release
 * the snapshot meanwhile, and then the catalog's pages are used again.
 */
export function bucketInfos(store: Store, commit: Commit): BucketInfo[] {
  const infos: BucketInfo[] = [];
  for (const { name, record } of catalogEntries(store.pager, catalogRoot(commit)))
    infos.push({ name, entries: record.root.entries });
  return infos;
}
