// Rows of NDJSON: each line's object, and the line's own bytes, which are what is stored.

import { grown, RowBatch } from './row-batch.js';

const ROWS_INITIAL = 1024;

/** Rows that are JSON objects, one a line. */
export class NdjsonBatch extends RowBatch {
  /** Where each row's JSON begins and ends in `bytes`, white space around it excluded. */
  valueStarts: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  valueEnds: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  private readonly objects: object[] = [];

  /** A row parsed. A new object for each row; it may be kept. */
  object(row: number): object {
    return this.objects[row];
  }

  /** A row's JSON, byte for byte as it stands in the source: a view. */
  value(row: number): Buffer {
    return this.bytes.subarray(this.valueStarts[row], this.valueEnds[row]);
  }

  /** @internal */
  override reset(bytes: Buffer, blockOffset: number, blockLine: number): void {
    super.reset(bytes, blockOffset, blockLine);
    this.objects.length = 0;
  }

  /** @internal Gives the row added last its object, and its JSON's place. */
  setValue(row: number, object: object, start: number, end: number): void {
    if (row >= this.valueStarts.length) {
      this.valueStarts = grown(this.valueStarts);
      this.valueEnds = grown(this.valueEnds);
    }
    this.objects[row] = object;
    this.valueStarts[row] = start;
    this.valueEnds[row] = end;
  }
}
