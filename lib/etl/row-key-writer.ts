// What writes the keys of rows, whatever they are made of.

import type { KeyCodec } from '../codec/key-codec.js';
import type { ValueIssue } from '../codec/schema-value.js';
import type { ByteArena } from '../stream/byte-arena.js';
import type { RejectReason } from './reject.js';
import type { RowBatch } from './row-batch.js';

/** Writes keys of rows. */
export interface RowKeyWriter<Batch extends RowBatch> {
  /** Appends the row's key to the arena and returns true; appends nothing and returns false if it has none. */
  write(batch: Batch, row: number, arena: ByteArena): boolean;
  /** Why the row of the last `write` has no key, for the message of its reject. */
  readonly problem: string;
  /** What its keys are, where that is more than text. */
  readonly codec?: KeyCodec<unknown>;
  /** The reason of that reject. Default: NO_KEY. */
  readonly reason?: RejectReason;
  /** What a schema found wrong with the row, and where. */
  readonly issues?: readonly ValueIssue[];
}
