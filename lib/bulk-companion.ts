/** What goes along with a bulk load, into other buckets, in the same commits. */
import type { WriteTransaction } from './write-transaction.js';

export interface BulkCompanion {
  /** Whether there is nothing to write now. */
  readonly isEmpty: boolean;
  /** Writes what there is; the transaction is committed next, or nothing of the load is any more. */
  write(transaction: WriteTransaction): void;
}
