// Batches of rows on their way into a bulk writer. A row costs no object and no promise here: a loop that never
// waits takes rows until the writer, or a reject, says that it is time to.

import { StoreError } from '../errors.js';
import type { BulkWriter } from '../stream/bulk-writer.js';
import { ByteArena } from '../stream/byte-arena.js';
import { ArenaViews } from './arena-views.js';
import { throwIfAborted } from './interruptible.js';
import type { Reject } from './reject.js';
import type { RejectLog } from './reject-log.js';
import type { RowBatch } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';

/** What is stored of a row. */
export interface RowValues<Batch extends RowBatch> {
  /** The row's value: a view that is valid until the next call. */
  value(batch: Batch, row: number): Uint8Array;
  /** Appends the row's value to the arena, next to its key: where it has to be made, or a view of it would cost more. */
  writeValue?(batch: Batch, row: number, arena: ByteArena): void;
}

const KEY_BYTES_INITIAL = 1024;

export class RowLoader<Batch extends RowBatch> {
  /** Has one row's key, and its value where that is written here too. */
  private readonly arena = new ByteArena(KEY_BYTES_INITIAL);
  private readonly keyViews = new ArenaViews(this.arena);
  /** The row that made the last call of `addRows` return before its end. */
  private refused: Reject | undefined;

  constructor(
    private readonly keys: RowKeyWriter<Batch>,
    private readonly values: RowValues<Batch>,
    private readonly writer: BulkWriter,
    private readonly rejects: RejectLog,
    private readonly signal: AbortSignal | undefined,
    /** Rows handed to the writer, those of an earlier run included. */
    public rows = 0,
  ) {}

  /** Takes the rows and the rejects of a batch, in the order of the source. */
  async load(batch: Batch): Promise<void> {
    let row = 0;
    for (const reject of batch.rejects) {
      let end = row;
      while (end < batch.length && batch.byteOffset(end) < reject.byteOffset) end++;
      await this.loadRows(batch, row, end);
      await this.rejects.take(reject);
      row = end;
    }
    await this.loadRows(batch, row, batch.length);
  }

  private async loadRows(batch: Batch, from: number, end: number): Promise<void> {
    for (let row = from; row < end; ) {
      row = this.addRows(batch, row, end);
      if (this.refused) await this.rejects.take(this.refused);
      else await this.writer.drained();
      // The writer has committed what it had when the signal came: rows that it would take now are lost.
      throwIfAborted(this.signal, 'the rows');
    }
  }

  /** Hands rows to the writer until it is time to wait, or one is refused; returns the row to go on with. */
  private addRows(batch: Batch, from: number, end: number): number {
    const { keys, values, writer, arena, keyViews } = this;
    let row = from;
    this.refused = undefined;
    try {
      for (let more = true; more && row < end; row++) {
        arena.clear();
        if (!keys.write(batch, row, arena)) {
          this.refused = refusal(batch, row, keys);
          return row + 1;
        }
        if (values.writeValue === undefined) more = writer.add(keyViews.content(), values.value(batch, row));
        else {
          const keyLength = arena.length;
          arena.align();
          const valueAt = arena.length;
          values.writeValue(batch, row, arena);
          more = writer.addPlaced(arena.memory, keyLength, arena.length - valueAt);
        }
        this.rows++;
      }
      return row;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'KEY_TOO_LARGE') throw error;
      this.refused = batch.reject(row, 'KEY_TOO_LARGE', error.message);
      return row + 1;
    }
  }
}

function refusal<Batch extends RowBatch>(batch: Batch, row: number, keys: RowKeyWriter<Batch>): Reject {
  const reject = batch.reject(row, keys.reason ?? 'NO_KEY', keys.problem);
  return keys.issues === undefined ? reject : { ...reject, issues: keys.issues };
}
