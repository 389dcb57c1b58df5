/** The write transaction: the one writer's view of every bucket, to be committed or dropped as a whole. */
import type { BucketView, PinnedTree } from './bucket-view.js';
import { pinTree } from './bucket-view.js';
import type { ChangeRecorder } from './change-recorder.js';
import { type BucketTypes, codecsOf } from './codec/bucket-types.js';
import type { ValueOf, ValueType } from './codec/value-codec.js';
import { StoreError } from './errors.js';
import {
  type CatalogRecord,
  decodeCatalogRecord,
  EMPTY_TREE,
  encodeCatalogRecord,
  type TreeRoot,
} from './format/catalog-record.js';
import { checkBucketName } from './key-bytes.js';
import type { PageTransaction } from './storage/page-transaction.js';
import type { Pager } from './storage/pager.js';
import type { Commit, Store } from './storage/store.js';
import { type BucketEditor, BucketWriter, type TransactionBucket } from './transaction-bucket.js';
import { TransactionJournal } from './transaction-journal.js';
import { catalogEntries, catalogRoot } from './tree/catalog.js';
import { deleteEntry } from './tree/delete.js';
import { deleteRange } from './tree/delete-range.js';
import { freeTree } from './tree/free-tree.js';
import { insertEntry } from './tree/insert.js';
import type { KeyBounds } from './tree/key-bounds.js';
import { lookup } from './tree/lookup.js';
import { newEntry } from './tree/new-entry.js';
import { countEntries } from './tree/rank.js';
import { type RelocationLimits, relocateTree } from './tree/relocate.js';
import { WritableTree } from './tree/writable-tree.js';
import { TypedBucketWriter, type TypedTransactionBucket } from './typed-transaction-bucket.js';
import type { WriteTransaction } from './write-transaction.js';

interface OpenBucket {
  readonly tree: WritableTree;
  readonly created: number;
  checkpoint: string | undefined;
  /** Whether the catalog must be told. */
  changed: boolean;
}

/** What some transactions have and others have not. */
export interface TransactionParts {
  /** A commit of the log is done again: see `Store.begin`. */
  readonly replaying?: boolean;
  /** Takes down what watchers are to be told once it is committed. */
  readonly changes?: ChangeRecorder;
}

export class Transaction implements WriteTransaction, BucketEditor {
  readonly pages: PageTransaction;
  readonly record: TransactionJournal;
  private readonly store: Store;
  private readonly catalog: WritableTree;
  private readonly open = new Map<string, OpenBucket>();
  private readonly onEnd: (commit: Commit | undefined) => void;
  private readonly replaying: boolean;
  private state: 'open' | 'committing' | 'ended' = 'open';
  /** What left the trees half changed: the transaction can only be rolled back. */
  private failure: unknown;

  /** The caller holds the writer's lock; `onEnd` gives it back, and learns of what was committed. */
  constructor(
    store: Store,
    onEnd: (commit: Commit | undefined) => void,
    { replaying = false, changes }: TransactionParts = {},
  ) {
    this.store = store;
    this.onEnd = onEnd;
    this.replaying = replaying;
    this.record = new TransactionJournal(changes);
    this.pages = store.begin(this.replaying);
    this.catalog = new WritableTree(this.pages, catalogRoot(store.committed), 0);
  }

  get isEnded(): boolean {
    return this.state === 'ended';
  }

  bucket<Key, Type extends ValueType>(
    name: string,
    types: BucketTypes<Key, Type>,
  ): TypedTransactionBucket<Key, ValueOf<Type>>;
  bucket(name: string): TransactionBucket;
  bucket(name: string, types?: BucketTypes<unknown, ValueType>): unknown {
    checkBucketName(name);
    const bucket = new BucketWriter(name, this.viewOf(name), this);
    return types === undefined ? bucket : new TypedBucketWriter(bucket, codecsOf(types));
  }

  createBucket(name: string): TransactionBucket {
    checkBucketName(name);
    this.assertUsable();
    if (this.find(name) !== undefined) {
      throw new StoreError(
        'BUCKET_EXISTS',
        `the bucket ${JSON.stringify(name)} exists: use it, or drop it first`,
        { details: { name } },
      );
    }
    this.change(() => this.create(name));
    this.record.create(name);
    return this.bucket(name);
  }

  dropBucket(name: string): boolean {
    checkBucketName(name);
    this.assertUsable();
    const bucket = this.find(name);
    if (bucket === undefined) return false;
    this.change(() => {
      freeTree(this.pages, bucket.tree.root, bucket.created);
      const key = Buffer.from(name, 'utf8');
      deleteEntry(this.catalog, key, key.length);
      this.open.delete(name);
    });
    this.record.drop(name);
    return true;
  }

  /** The bucket's tree for a read, as it is now. */
  root(name: string): TreeRoot {
    this.assertUsable();
    return this.find(name)?.tree.root ?? EMPTY_TREE;
  }

  /** Runs `work` on the bucket's tree, created if need be; a failure half-way spoils the transaction. */
  write<T>(name: string, work: (tree: WritableTree) => T): T {
    this.assertUsable();
    return this.change(() => {
      const bucket = this.find(name) ?? this.create(name);
      const result = work(bucket.tree);
      bucket.changed = true;
      return result;
    });
  }

  /** As `write`, for a tree that an asynchronous builder makes. */
  async build(name: string, work: (root: TreeRoot) => Promise<TreeRoot>): Promise<void> {
    this.assertUsable();
    this.record.overflow();
    try {
      const bucket = this.find(name) ?? this.create(name);
      const root = await work(bucket.tree.root);
      this.open.set(name, {
        tree: new WritableTree(this.pages, root, bucket.created),
        created: bucket.created,
        checkpoint: bucket.checkpoint,
        changed: true,
      });
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** Makes a value whose pages are in the file already the key's; `record` is what a leaf keeps of it. */
  putExtents(name: string, key: Uint8Array, record: Uint8Array): void {
    const entry = { key, keyLength: key.length, value: record, valueLength: record.length, large: true };
    this.write(name, (tree) => insertEntry(tree, entry));
    this.record.putExtents(name, key);
  }

  /** Moves pages of every tree to the front of the file; returns whether any lay beyond the boundary. */
  relocate(limits: RelocationLimits): boolean {
    this.assertUsable();
    // The log cannot tell of pages: this commit is a checkpoint.
    this.record.overflow();
    return this.change(() => {
      let beyond = false;
      for (const { name } of [...catalogEntries(this.store.pager, this.catalog.root)]) {
        const bucket = this.find(name);
        if (bucket === undefined || !relocateTree(bucket.tree, limits)) continue;
        bucket.changed = true;
        beyond = true;
      }
      return relocateTree(this.catalog, limits) || beyond;
    });
  }

  /** Deletes what lies in the bounds and tells the log; a bucket that is not there is left so. */
  deleteBounds(name: string, bounds: KeyBounds): number {
    // Where there is nothing to delete nothing is changed, told or committed.
    if (countEntries(this.pages, this.root(name), bounds) === 0) return 0;
    const deleted = this.write(name, (tree) => deleteRange(tree, bounds));
    this.record.deleteRange(name, bounds);
    return deleted;
  }

  checkpoint(name: string): string | undefined {
    return this.find(name)?.checkpoint;
  }

  setCheckpoint(name: string, checkpoint: string): void {
    this.assertUsable();
    const bucket = this.find(name) ?? this.change(() => this.create(name));
    bucket.checkpoint = checkpoint;
    bucket.changed = true;
    this.record.checkpoint(name, checkpoint);
  }

  async commit(): Promise<void> {
    try {
      this.assertUsable();
    } catch (error) {
      // It can never be committed: whoever waits for the writer must not wait for a rollback as well.
      await this.rollback();
      throw error;
    }
    this.state = 'committing';
    try {
      this.writeCatalog();
      const { page, stamp, entries } = this.catalog;
      const commit = await this.store.commit(
        this.pages,
        {
          catalogPage: page,
          catalogStamp: stamp,
          buckets: entries,
        },
        this.replaying ? undefined : this.record.log,
      );
      // Where nothing was changed there was no commit, and the latest one was told of already.
      this.end(commit.sequence === this.pages.sequence ? commit : undefined);
    } catch (error) {
      this.undo();
      throw error;
    }
  }

  async rollback(): Promise<void> {
    if (this.state === 'open') this.undo();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rollback();
  }

  private undo(): void {
    this.store.rollback(this.pages);
    this.end(undefined);
  }

  private end(commit: Commit | undefined): void {
    this.state = 'ended';
    this.open.clear();
    this.onEnd(commit);
  }

  private viewOf(name: string): BucketView {
    const pager: Pager = this.store.pager;
    return { pager, root: () => this.root(name), pin: () => this.pin(name) };
  }

  /**
   * Fixes the bucket's state for a reader that goes on while the transaction writes: what was written
   * so far is no longer changed in place.
   */
  private pin(name: string): PinnedTree {
    const root = this.root(name);
    return pinTree(this.store, this.pages.freeze(), root);
  }

  private find(name: string): OpenBucket | undefined {
    const open = this.open.get(name);
    if (open !== undefined) return open;
    const key = Buffer.from(name, 'utf8');
    const bytes = lookup(this.store.pager, this.catalog.root, key, key.length);
    if (bytes === undefined) return undefined;
    return this.remember(name, decodeCatalogRecord(bytes, name), false);
  }

  private create(name: string): OpenBucket {
    const record: CatalogRecord = { root: EMPTY_TREE, created: this.pages.sequence, checkpoint: undefined };
    this.putRecord(name, record);
    return this.remember(name, record, true);
  }

  private remember(name: string, record: CatalogRecord, changed: boolean): OpenBucket {
    const bucket: OpenBucket = {
      tree: new WritableTree(this.pages, record.root, record.created),
      created: record.created,
      checkpoint: record.checkpoint,
      changed,
    };
    this.open.set(name, bucket);
    return bucket;
  }

  private writeCatalog(): void {
    for (const [name, { tree, created, checkpoint, changed }] of this.open) {
      if (changed) this.putRecord(name, { root: tree.root, created, checkpoint });
    }
  }

  private putRecord(name: string, record: CatalogRecord): void {
    const key = Buffer.from(name, 'utf8');
    insertEntry(this.catalog, newEntry(this.pages, key, encodeCatalogRecord(record)));
  }

  private change<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  private assertUsable(): void {
    this.store.assertOpen();
    if (this.state !== 'open')
      throw new StoreError('TRANSACTION_CLOSED', 'the transaction has ended: begin another one');
    if (this.failure !== undefined) {
      throw new StoreError(
        'TRANSACTION_CLOSED',
        'an earlier step of the transaction failed half-way: roll it back, then begin another one',
        {
          cause: this.failure,
        },
      );
    }
  }
}
