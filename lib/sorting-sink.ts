/**
 * Stands before a bulk load into a tree and puts in order what does not ascend: entries are sorted first, in
 * memory and in temporary files, without a transaction, and go on in ascending blocks when the load commits.
 */
import type { Subscription } from 'rxjs';
import type { BulkSettings } from './bulk-options.js';
import { checkPosition } from './bulk-positions.js';
import { StoreError } from './errors.js';
import { ExternalSort, type RunFiles } from './sort/external-sort.js';
import { sortShape } from './sort/sort-shape.js';
import type { StoreWriter } from './store-writer.js';
import type { BulkPhase } from './stream/bulk-report.js';
import type { BulkSink } from './stream/bulk-sink.js';
import { Stretch } from './stream/stretch.js';
import type { EntryBlock } from './tree/entry-block.js';

/** The temporary files of the load. */
export interface SinkFiles extends RunFiles {
  /** Takes away their names at once: the store was closed. */
  forsake(): void;
}

export class SortingSink implements BulkSink {
  phase: BulkPhase = 'loading';
  /** Whether all keys ascended so far. */
  sorted = true;
  private readonly target: BulkSink;
  private readonly writer: StoreWriter;
  private readonly settings: BulkSettings;
  private readonly files: SinkFiles;
  /** Fires where the load is given up, with why. */
  private readonly givenUp = new AbortController();
  private readonly stretch = new Stretch();
  /** There from the first block on that is sorted. */
  private sort: ExternalSort | undefined;
  private watch: Subscription | undefined;
  /** Whether the sort has work under way, or was left by work that failed. */
  private isBusy = false;
  private previousKey: Uint8Array | undefined;
  /** What the target has taken since its last commit. */
  private pendingEntries = 0;
  private pendingBytes = 0;
  private dropped = 0;
  private droppedCommitted = 0;

  /** `makeTarget` makes the sink that takes ascending blocks. */
  constructor(
    writer: StoreWriter,
    settings: BulkSettings,
    files: SinkFiles,
    makeTarget: (settings: BulkSettings) => BulkSink,
  ) {
    this.writer = writer;
    this.settings = settings;
    this.files = files;
    this.target = makeTarget(this.targetSettings());
  }

  /**
   * Blocks of a merge ascend, and wait for the writer's turn also once the signal was given: others had it while
   * entries were sorted, and all that was taken is to be committed.
   */
  private targetSettings(): BulkSettings {
    const { settings } = this;
    const signal = (): AbortSignal | undefined =>
      this.sort === undefined ? settings.signal : this.givenUp.signal;
    return {
      ...settings,
      sorted: 'auto',
      get signal() {
        return signal();
      },
    };
  }

  get entriesCommitted(): number {
    return this.target.entriesCommitted + this.droppedCommitted;
  }

  get commits(): number {
    return this.target.commits;
  }

  get duplicates(): number {
    return this.target.duplicates + this.dropped;
  }

  async writeBatch(block: EntryBlock): Promise<void> {
    if (block.isEmpty) return;
    this.givenUp.signal.throwIfAborted();
    this.noteOrder(block);
    if (this.sort === undefined && this.sorted && this.settings.sorted === 'auto') {
      await this.target.writeBatch(block);
      return;
    }
    this.sort ??= await this.beginSort();
    this.phase = 'sorting';
    this.isBusy = true;
    await this.sort.add(block);
    this.isBusy = false;
    this.dropped = this.sort.duplicates;
  }

  async commit(position?: unknown): Promise<void> {
    if (!this.settings.atomic) {
      // Before anything is merged, and so committed.
      if (position !== undefined) checkPosition(position, this.settings.checkpoint);
      await this.drain();
    }
    await this.target.commit(position);
    this.droppedCommitted = this.dropped;
  }

  async finish(position?: unknown): Promise<void> {
    if (position !== undefined) checkPosition(position, this.settings.checkpoint);
    await this.drain();
    await this.target.finish(position);
    this.droppedCommitted = this.dropped;
    await this.release();
  }

  async stop(): Promise<void> {
    if (!this.settings.atomic) await this.drain();
    await this.target.stop();
    if (!this.settings.atomic) this.droppedCommitted = this.dropped;
  }

  interrupt(error: Error): void {
    this.givenUp.abort(error);
  }

  async abort(error: Error): Promise<void> {
    await this.release();
    await this.target.abort(error);
  }

  private noteOrder(block: EntryBlock): void {
    if (!this.sorted) return;
    const { previousKey } = this;
    const goesOn = previousKey === undefined || block.compareWith(0, previousKey) >= 0;
    this.sorted = goesOn && block.findDisorder() === block.count;
    this.previousKey = Uint8Array.prototype.slice.call(block.keyView(block.count - 1));
  }

  /** Others have their turn while entries are sorted, so what went in before is committed; if it may be. */
  private async beginSort(): Promise<ExternalSort> {
    const { settings, files } = this;
    if (!settings.atomic) await this.target.commit();
    this.watch = this.writer.commits.subscribe({ complete: () => this.storeClosed() });
    const { sortBytes, onDuplicate } = settings;
    return new ExternalSort({ shape: sortShape(sortBytes), onDuplicate, files, pause: () => this.pause() });
  }

  /** Hands all that was taken to the target, in order. */
  private async drain(): Promise<void> {
    const { sort, target } = this;
    // What was taken may be gone already: that must not pass for a load that is done.
    this.givenUp.signal.throwIfAborted();
    if (sort === undefined || sort.isEmpty) return;
    this.phase = 'merging';
    this.isBusy = true;
    const { commitEntries, commitBytes } = this.settings;
    await sort.drain(
      async (block) => {
        this.dropped = sort.duplicates;
        const { commits } = target;
        this.pendingEntries += block.count;
        this.pendingBytes += block.contentBytes;
        await target.writeBatch(block);
        if (target.commits !== commits) this.pendingEntries = this.pendingBytes = 0;
      },
      () => ({ entries: commitEntries - this.pendingEntries, bytes: commitBytes - this.pendingBytes }),
    );
    this.isBusy = false;
    this.dropped = sort.duplicates;
    // The target commits what it has now, before it is given more.
    this.pendingEntries = this.pendingBytes = 0;
  }

  /** Lets others have their turn where it is time to, and ends the sort where it was given up. */
  private async pause(): Promise<void> {
    const { atomic, signal } = this.settings;
    this.givenUp.signal.throwIfAborted();
    // What is not atomic goes on to the end: all that was taken is to be committed.
    if (atomic && signal?.aborted === true) {
      const message = 'the atomic bulk load was stopped by its signal: nothing of it is in the store';
      throw new StoreError('ABORTED', message, { cause: signal.reason });
    }
    if (this.stretch.isOver) await this.stretch.pause();
  }

  private storeClosed(): void {
    this.files.forsake();
    const message = 'the store was closed during a bulk load: finish or destroy the load first';
    this.interrupt(new StoreError('STORE_CLOSED', message));
    // The load may never be heard of again.
    if (!this.isBusy) void this.release();
  }

  /** Gives up the memory and the files of the sort. */
  private async release(): Promise<void> {
    const { sort } = this;
    this.sort = undefined;
    this.watch?.unsubscribe();
    await sort?.discard();
  }
}
