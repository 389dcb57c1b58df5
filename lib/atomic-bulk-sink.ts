/**
 * A bulk load that is all or nothing. Its tree is built beside transactions, out of the bucket as it is when the load
 * begins, so that other writers never wait for it; one short transaction puts it in the bucket's place in the end.
 */

import { type PinnedTree, pinTree } from './bucket-view.js';
import type { BulkCompanion } from './bulk-companion.js';
import type { BulkSettings } from './bulk-options.js';
import { checkPosition, savePosition } from './bulk-positions.js';
import { BulkRules } from './bulk-rules.js';
import { StoreError } from './errors.js';
import type { TreeRoot } from './format/catalog-record.js';
import { DetachedPages } from './storage/detached-pages.js';
import type { Store } from './storage/store.js';
import type { StoreWriter } from './store-writer.js';
import type { BulkSink } from './stream/bulk-sink.js';
import { Stretch } from './stream/stretch.js';
import type { Transaction } from './transaction.js';
import { bucketRoot, catalogRoot } from './tree/catalog.js';
import type { EntryBlock } from './tree/entry-block.js';
import { SortedLoad } from './tree/sorted-load.js';

/** The tree that is being built. */
interface Build {
  /** The bucket's tree when the load began, held from its first entries on. */
  readonly base: PinnedTree;
  readonly pages: DetachedPages;
  root: TreeRoot;
}

export class AtomicBulkSink implements BulkSink {
  readonly phase = 'loading';
  entriesCommitted = 0;
  commits = 0;
  sorted = true;
  private readonly store: Store;
  private readonly writer: StoreWriter;
  private readonly bucket: string;
  private readonly settings: BulkSettings;
  private readonly companion: BulkCompanion | undefined;
  private readonly rules: BulkRules;
  private readonly stretch = new Stretch();
  private build: Build | undefined;
  private load: SortedLoad | undefined;
  private entries = 0;
  /** The bucket's tree when the load began: a change before the first entries come here is one all the same. */
  private readonly rootAtStart: TreeRoot;
  private bounds: { lower: Uint8Array; upper: Uint8Array } | undefined;

  constructor(
    store: Store,
    writer: StoreWriter,
    bucket: string,
    settings: BulkSettings,
    companion?: BulkCompanion,
  ) {
    this.store = store;
    this.writer = writer;
    this.bucket = bucket;
    this.settings = settings;
    this.companion = companion;
    this.rules = new BulkRules(settings);
    this.rootAtStart = this.committedRoot();
  }

  get duplicates(): number {
    return this.rules.duplicates;
  }

  async writeBatch(block: EntryBlock): Promise<void> {
    if (block.isEmpty) return;
    if (this.stretch.isOver) await this.stretch.pause();
    this.store.assertWritable();
    this.rules.checkOrder(block);
    this.build ??= this.begin();
    for (let next = 0; next < block.count; ) {
      const { pages, root } = this.build;
      this.load ??= new SortedLoad(pages, root, this.settings.fillFactor, this.rules.onDuplicate);
      next = await this.load.append(block, next);
      if (next === block.count) break;
      // Entries that were sorted meet those that had come in order before: they are merged with them.
      this.sorted = false;
      await this.closeLoad(this.build);
    }
    this.entries += block.count;
    this.widen(block);
  }

  private begin(): Build {
    const { store, rootAtStart: root } = this;
    this.refuseChanged(this.committedRoot());
    const pages = new DetachedPages(store.reserve(), store.pager);
    return { base: pinTree(store, store.committed.sequence, root), pages, root };
  }

  private committedRoot(): TreeRoot {
    const { pager, committed } = this.store;
    return bucketRoot(pager, catalogRoot(committed), this.bucket);
  }

  /** A root that was written again has another stamp. */
  private refuseChanged({ page, stamp }: Pick<TreeRoot, 'page' | 'stamp'>): void {
    const { bucket, rootAtStart } = this;
    if (page === rootAtStart.page && stamp === rootAtStart.stamp) return;
    const message = `the bucket ${JSON.stringify(bucket)} was changed while an atomic bulk load into it went on: nothing of the load is there; load again`;
    throw new StoreError('CONFLICT', message, { details: { bucket } });
  }

  /** Takes the keys of an ascending block into the bounds that watchers are told. */
  private widen(block: EntryBlock): void {
    const { bounds } = this;
    const isFirst = bounds === undefined || block.compareWith(0, bounds.lower) < 0;
    const isLast = bounds === undefined || block.compareWith(block.count - 1, bounds.upper) > 0;
    this.bounds = {
      lower: isFirst ? Buffer.from(block.keyView(0)) : bounds.lower,
      upper: isLast ? Buffer.from(block.keyView(block.count - 1)) : bounds.upper,
    };
  }

  private async closeLoad(build: Build): Promise<void> {
    const { load } = this;
    if (load === undefined) return;
    this.load = undefined;
    build.root = await load.finish();
  }

  async commit(): Promise<void> {
    throw new StoreError(
      'INVALID_OPTION',
      'an atomic load has one commit, at its end: call finish, or load without atomic',
    );
  }

  async finish(position?: unknown): Promise<void> {
    const { checkpoint, signal } = this.settings;
    this.store.assertOpen();
    if (position !== undefined) checkPosition(position, checkpoint);
    const { build } = this;
    if (build === undefined && position === undefined && this.companion?.isEmpty !== false) return;
    if (build !== undefined) await this.closeLoad(build);
    const transaction = await this.writer.begin({ signal });
    try {
      if (build !== undefined) await this.attach(transaction, build);
      savePosition(transaction, this.bucket, checkpoint, position);
      this.companion?.write(transaction);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await transaction.commit();
    build?.base.release();
    this.build = undefined;
    this.commits++;
    this.entriesCommitted += this.entries;
  }

  /** Puts the tree in the place of the one that it was made of. */
  private async attach(transaction: Transaction, { pages, root }: Build): Promise<void> {
    this.refuseChanged(transaction.root(this.bucket));
    const { bounds } = this;
    if (bounds !== undefined) transaction.record.load(this.bucket, () => bounds);
    await transaction.build(this.bucket, async () => {
      pages.attachTo(transaction.pages);
      return root;
    });
  }

  /** What was taken is nothing before its end. */
  async stop(): Promise<void> {}

  async abort(): Promise<void> {
    const { build } = this;
    this.build = undefined;
    await this.load?.abandon();
    this.load = undefined;
    build?.pages.abandon();
    build?.base.release();
  }
}
