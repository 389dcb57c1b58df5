/**
 * Where bulk input enters a bucket: ascending entries are merged with what it holds in one pass, and past its last
 * key become full pages from the bottom up. In transactions that commit as often as was asked, between which other
 * writers get their turn.
 */
import type { BulkCompanion } from './bulk-companion.js';
import type { BulkSettings } from './bulk-options.js';
import { checkPosition, savePosition } from './bulk-positions.js';
import { BulkRules } from './bulk-rules.js';
import { StoreError } from './errors.js';
import type { StoreWriter } from './store-writer.js';
import type { BulkSink } from './stream/bulk-sink.js';
import { Stretch } from './stream/stretch.js';
import type { Transaction } from './transaction.js';
import type { EntryBlock } from './tree/entry-block.js';
import { SortedLoad } from './tree/sorted-load.js';

export class TreeBulkSink implements BulkSink {
  readonly phase = 'loading';
  entriesCommitted = 0;
  commits = 0;
  sorted = true;
  private readonly writer: StoreWriter;
  private readonly bucket: string;
  private readonly settings: BulkSettings;
  private readonly companion: BulkCompanion | undefined;
  private readonly rules: BulkRules;
  private transaction: Transaction | undefined;
  private load: SortedLoad | undefined;
  private pendingEntries = 0;
  private pendingBytes = 0;
  private readonly stretch = new Stretch();

  constructor(writer: StoreWriter, bucket: string, settings: BulkSettings, companion?: BulkCompanion) {
    this.writer = writer;
    this.bucket = bucket;
    this.settings = settings;
    this.companion = companion;
    this.rules = new BulkRules(settings);
  }

  get duplicates(): number {
    return this.rules.duplicates;
  }

  async writeBatch(block: EntryBlock): Promise<void> {
    if (block.isEmpty) return;
    // Where no disk is waited for, promises alone would hold up the event loop for the whole load.
    if (this.stretch.isOver) await this.stretch.pause();
    this.rules.checkOrder(block);
    this.transaction ??= await this.takeTurn();
    const { transaction } = this;
    // A bulk load goes to the file as pages.
    transaction.record.load(this.bucket, () => block.keyBounds());
    await this.append(transaction, block);
    this.pendingEntries += block.count;
    this.pendingBytes += block.contentBytes;
    if (this.pendingEntries >= this.settings.commitEntries || this.pendingBytes >= this.settings.commitBytes)
      await this.publish();
  }

  async commit(position?: unknown): Promise<void> {
    if (position !== undefined) checkPosition(position, this.settings.checkpoint);
    await this.publish(position);
  }

  private async publish(position?: unknown): Promise<void> {
    if (this.transaction === undefined && position === undefined && this.companion?.isEmpty !== false) return;
    this.transaction ??= await this.takeTurn();
    const { transaction } = this;
    await this.closeLoad(transaction);
    savePosition(transaction, this.bucket, this.settings.checkpoint, position);
    // Where positions are saved, what goes along waits for the next: no other commit tells how far it is.
    if (position !== undefined || this.settings.checkpoint === undefined) this.companion?.write(transaction);
    this.transaction = undefined;
    await transaction.commit();
    this.commits++;
    this.entriesCommitted += this.pendingEntries;
    this.pendingEntries = 0;
    this.pendingBytes = 0;
  }

  finish(position?: unknown): Promise<void> {
    return this.commit(position);
  }

  async stop(): Promise<void> {
    await this.publish();
  }

  async abort(): Promise<void> {
    const { transaction } = this;
    this.transaction = undefined;
    await this.load?.abandon();
    this.load = undefined;
    await transaction?.rollback();
  }

  /** Begins a transaction. Once the signal was given, what was added before still gets its turn, if that is free. */
  private async takeTurn(): Promise<Transaction> {
    const { signal } = this.settings;
    if (signal?.aborted !== true) return this.writer.begin({ signal });
    try {
      return await this.writer.begin({ waitMilliseconds: 0 });
    } catch (cause) {
      if (!(cause instanceof StoreError) || cause.code !== 'CONFLICT') throw cause;
      const message =
        'the bulk load was stopped by its signal while another transaction was writing: what it had committed is in the store';
      throw new StoreError('ABORTED', message, { cause });
    }
  }

  private async append(transaction: Transaction, block: EntryBlock): Promise<void> {
    for (let next = 0; next < block.count; ) {
      this.load ??= new SortedLoad(
        transaction.pages,
        transaction.root(this.bucket),
        this.settings.fillFactor,
        this.rules.onDuplicate,
      );
      next = await this.load.append(block, next);
      if (next === block.count) return;
      // Entries that were sorted meet those that had come in order before: they are merged with them.
      this.sorted = false;
      await this.closeLoad(transaction);
    }
  }

  /** Hands the tree that was built to the transaction. */
  private async closeLoad(transaction: Transaction): Promise<void> {
    const { load } = this;
    if (load === undefined) return;
    this.load = undefined;
    await transaction.build(this.bucket, () => load.finish());
  }
}
