/**
 * Carries out checkpoints, one at a time: beside commits where it can, and keeps what the file holds
 * meanwhile from being used again.
 */
import { StoreError } from '../errors.js';
import type { Meta } from '../format/meta-page.js';
import {
  type CheckpointParts,
  type CheckpointState,
  finishCheckpoint,
  planCheckpoint,
  spanPages,
  writeCheckpointPlan,
} from './checkpoint.js';
import type { PageCache } from './page-cache.js';
import { isUnwritten } from './page-writer.js';
import { pageNumberAt } from './pager.js';
import type { PendingLog } from './pending-log.js';

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
      this.sequence = -1;
      this.parts.onDurable();
    });
    return this.running;
  }

  /**
   * Makes both meta pages tell of the same state, if there was a checkpoint: of a store that is at rest
   * either of them may be damaged then, and nothing is lost.
   */
  async evenOut(state: CheckpointState): Promise<void> {
    if (this.count > 0) await this.start(state);
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
    try {
      await writer.sync();
      await finishCheckpoint(this.parts, plan);
    } catch (error) {
      // Whether the new meta page or its pages reached the disk cannot be known, so no later write may
      // build on either answer.
      const failure =
        error instanceof StoreError ? error : new StoreError('IO_ERROR', String(error), { cause: error });
      this.failed = true;
      this.parts.onFailure(failure);
      throw failure;
    }
    this.current = plan.meta;
    this.count++;
    for (const page of pages) this.settle(page, state.sequence);
  }

  /** A page that was written is clean, if it is still here and was not written by a spill already. */
  private settle(page: number, sequence: number): void {
    const { cache } = this.parts;
    const base = cache.find(page);
    if (base >= 0 && isUnwritten(cache, base, sequence)) cache.markClean(base);
  }
}
