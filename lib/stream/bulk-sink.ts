/**
 * The seam that bulk input goes through: blocks of entries in, commits out. What stands behind it
 * (a tree built from the bottom up, ordinary transactions, one day another engine) is not known here.
 */
import type { EntryBlock } from '../tree/entry-block.js';
import type { BulkPhase } from './bulk-report.js';

export interface BulkSink {
  /** Takes the block's entries; resolves once it may be filled again. Its promise is the backpressure. */
  writeBatch(block: EntryBlock): Promise<void>;
  /** Makes all that was written so far durable and visible, with the position if one is given. */
  commit(position?: unknown): Promise<void>;
  /** Commits what is left, with the position if one is given. */
  finish(position?: unknown): Promise<void>;
  /** The load ends early: commits what was written, unless it is to be all or nothing. */
  stop(): Promise<void>;
  /** The load was given up while a call may be under way: that ends soon, with this error. `abort` comes after it. */
  interrupt?(error: Error): void;
  /** Gives up what is not committed. Safe at any time, also twice. */
  abort(error: Error): Promise<void>;
  readonly phase: BulkPhase;
  readonly entriesCommitted: number;
  readonly commits: number;
  readonly duplicates: number;
  readonly sorted: boolean;
}
