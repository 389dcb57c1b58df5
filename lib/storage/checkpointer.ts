/**
 * Carries out checkpoints, one at a time: beside commits where it can, and keeps what the file holds
 * meanwhile from being used again.
 */
import type { StoreError } from '../errors.js';
import type { Meta } from '../format/meta-page.js';
import { pageNumberAt } from '../format/page.js';
import {
  type CheckpointParts,
  type CheckpointPlan,
  type CheckpointState,
  eraseMeta,
  planCheckpoint,
  spanPages,
  writeCheckpointPlan,
  writeMeta,
} from './checkpoint.js';
import type { PageCache } from './page-cache.js';
import { isUnwritten } from './page-writer.js';
import type { PendingLog } from './pending-log.js';
import { asStoreError } from './store-file.js';

export interface CheckpointerParts extends CheckpointParts {
  readonly cache: PageCache;
  readonly log: PendingLog | undefined;
  /** Called with the error after which no one can tell what the file holds. */
  readonly onFailure: (error: StoreError) => void;
  /** Called when pages may have come free. */
  readonly onDurable: () => void;
}

export class Checkpointer {
  private readonly parts: CheckpointerParts;
  private current: Meta;
  private running: Promise<void> | undefined;
  private sequence = -1;
  /** The file may have the last checkpoint, or the one that failed: from then on what either reaches is kept. */
  private failed = false;
  /** One meta page is missing, until the next checkpoint writes it. */
  private metaErased = false;
  private count = 0;

  constructor(parts: CheckpointerParts, meta: Meta) {
    this.parts = parts;
    this.current = meta;
  }

  /** What the last durable meta page says. */
  get meta(): Meta {
    return this.current;
  }

  /** Checkpoints made since the store was opened. */
  get checkpoints(): number {
    return this.count;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /**
   * Whether the file needs a page that was made at `birth` and given up at `death`. While a checkpoint is
   * under way it keeps all that was there when it began, reached or not: its writes must not meet others
   * to the same pages.
   */
  needs(birth: number, death: number): boolean {
    const durable = this.current.sequence;
    return (birth <= durable && durable < death) || birth <= this.sequence;
  }

  /** Resolves when no checkpoint is under way; never rejects. */
  async idle(): Promise<void> {
    while (this.running !== undefined) await this.running.catch(() => undefined);
  }

  /**
   * Writes all that is in memory only, and a meta page that reaches `state`. What is to be written is
   * settled before it returns; none may be under way. Rejects with DISK_FULL or IO_ERROR; unless
   * `onFailure` was called too, all is as before and it can be tried again.
   */
  start(state: CheckpointState): Promise<void> {
    this.running = this.run(state).finally(() => {
      this.running = undefined;
      if (this.failed) return;
      this.parts.writer.forgetProgress();
      this.sequence = -1;
      this.parts.onDurable();
    });
    return this.running;
  }

  /**
   * Makes both meta pages tell of the same state, if there was a checkpoint or one that failed: of a store
   * that is at rest either of them may be damaged then, and nothing is lost.
   */
  async evenOut(state: CheckpointState): Promise<void> {
    if (this.count > 0 || this.metaErased) await this.start(state);
  }

  private async run(state: CheckpointState): Promise<void> {
    const { cache, writer, log } = this.parts;
    // From here on commits are told in the other half: this one is done with once the meta page is durable.
    if (log !== undefined && log.currentGeneration === this.current.generation)
      log.switchTo(this.current.generation + 1);
    this.sequence = state.sequence;
    const pages = cache.dirtyBases().map((base) => pageNumberAt(cache.memory, base));
    const plan = planCheckpoint(this.parts.space, state, this.current);
    try {
      spanPages(this.parts, plan);
      await writer.write(cache, pages, state.sequence);
      await writeCheckpointPlan(this.parts, plan);
    } catch (error) {
      plan.undo();
      throw error;
    }
    await this.sync();
    await this.writeMeta(plan);
    try {
      await this.sync();
    } catch (error) {
      // The system goes on showing what the disk may not have got: whoever opens the store next must not meet
      // the meta page there and build on it. The last checkpoint and the log have all that was committed.
      await eraseMeta(this.parts, plan).catch(() => undefined);
      throw error;
    }
    plan.install();
    this.metaErased = false;
    this.current = plan.meta;
    this.count++;
    for (const page of pages) this.settle(page, state.sequence);
  }

  /** A failed sync is final: no later write may build on what the disk has, or has not. */
  private async sync(): Promise<void> {
    try {
      await this.parts.writer.sync();
    } catch (error) {
      throw this.fail(error);
    }
  }

  private fail(error: unknown): StoreError {
    const failure = asStoreError(error);
    this.failed = true;
    this.parts.onFailure(failure);
    return failure;
  }

  /** Where it cannot be written, all of it may be there or nothing: it is taken back for certain, or all is over. */
  private async writeMeta(plan: CheckpointPlan): Promise<void> {
    try {
      await writeMeta(this.parts, plan);
    } catch (error) {
      try {
        await eraseMeta(this.parts, plan);
        await this.parts.writer.sync();
      } catch {
        throw this.fail(error);
      }
      this.metaErased = true;
      plan.undo();
      throw error;
    }
  }

  /** A page that was written is clean, if it is still here and was not written by a spill already. */
  private settle(page: number, sequence: number): void {
    const { cache } = this.parts;
    const base = cache.find(page);
    if (base >= 0 && isUnwritten(cache, base, sequence)) cache.markClean(base);
  }
}
