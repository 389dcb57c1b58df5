/** What the readers of one bucket stand on: the latest commit, a snapshot, or a transaction's own state. */
import type { TreeRoot } from './format/catalog-record.js';
import type { Pager } from './storage/pager.js';
import type { Store } from './storage/store.js';
import { bucketRoot, catalogRoot } from './tree/catalog.js';

/** A tree that stays readable, whatever is written, until it is released. */
export interface PinnedTree {
  readonly root: TreeRoot;
  /** Safe to call twice. */
  release(): void;
}

export interface BucketView {
  readonly pager: Pager;
  /** The bucket's tree as of now, for a read that ends at once. Raises if the view was closed. */
  root(): TreeRoot;
  /** The bucket's tree as of now, for a read that goes on. */
  pin(): PinnedTree;
}

/** Keeps the pages that a reader of `sequence` needs. */
export function pinTree(store: Store, sequence: number, root: TreeRoot): PinnedTree {
  return { root, release: store.snapshots.hold(sequence) };
}

/** The latest commit's state of a bucket, looked up once a commit. */
export class LatestView implements BucketView {
  readonly pager: Pager;
  private readonly store: Store;
  private readonly name: string;
  private sequence = -1;
  private known: TreeRoot | undefined;

  constructor(store: Store, name: string) {
    this.store = store;
    this.pager = store.pager;
    this.name = name;
  }

  root(): TreeRoot {
    const { store } = this;
    store.assertOpen();
    const { committed } = store;
    if (this.known === undefined || this.sequence !== committed.sequence) {
      this.known = bucketRoot(this.pager, catalogRoot(committed), this.name);
      this.sequence = committed.sequence;
    }
    return this.known;
  }

  pin(): PinnedTree {
    return pinTree(this.store, this.store.committed.sequence, this.root());
  }
}
