// Rows of NDJSON: each line's object, and the line's own bytes, which are what is stored.

import type { JsonLine } from './json-line.js';
import { grown, RowBatch, type RowMemory } from './row-batch.js';

const ROWS_INITIAL = 1024;

/** Rows that are JSON objects, one a line. */
export class NdjsonBatch extends RowBatch {
  /** Where each row's JSON begins and ends in `bytes`, white space around it excluded. */
  valueStarts: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  valueEnds: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  /**
   * @internal Where the text of members that were asked for begins and ends, row after row; the end is 0 where it has
   * to be looked for in the object.
   */
  memberStarts: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  memberEnds: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  /** Undefined where nobody has asked for one yet. */
  private readonly objects: (object | undefined)[] = [];

  /** @internal Members whose places each row has. */
  readonly width: number;

  /** @param members Names of the members whose places are told. */
  constructor(readonly members: readonly string[] = []) {
    super();
    this.width = members.length;
  }

  /** A row parsed. A new object for each row; it may be kept. */
  object(row: number): object {
    this.objects[row] ??= JSON.parse(this.value(row).toString()) as object;
    return this.objects[row];
  }

  /** A row's JSON, byte for byte as it stands in the source: a view. */
  value(row: number): Buffer {
    return this.bytes.subarray(this.valueStarts[row], this.valueEnds[row]);
  }

  /** @internal */
  override reset(memory: RowMemory, blockLine: number): void {
    super.reset(memory, blockLine);
    this.objects.length = 0;
  }

  /** @internal Gives the row added last its object, and its JSON's place. */
  setValue(row: number, object: object, start: number, end: number): void {
    const { width } = this;
    this.place(row, start, end);
    this.objects[row] = object;
    this.memberEnds.fill(0, row * width, (row + 1) * width);
  }

  /** @internal As `setValue`, for an object that was seen and is not made yet. */
  setSeen(row: number, seen: JsonLine, start: number, end: number): void {
    const { width } = this;
    this.place(row, start, end);
    for (let member = 0, slot = row * width; member < width; member++, slot++) {
      this.memberStarts[slot] = seen.starts[member];
      this.memberEnds[slot] = seen.ends[member];
    }
  }

  private place(row: number, start: number, end: number): void {
    if (row >= this.valueStarts.length) {
      this.valueStarts = grown(this.valueStarts);
      this.valueEnds = grown(this.valueEnds);
    }
    while ((row + 1) * this.width > this.memberStarts.length) {
      this.memberStarts = grown(this.memberStarts);
      this.memberEnds = grown(this.memberEnds);
    }
    this.valueStarts[row] = start;
    this.valueEnds[row] = end;
  }
}
