// What the row parsers hand out: the rows of one block of whole records, as offsets into the block's bytes,
// and the rejects among them. A row costs a few integers here and no object.

import { isUtf8 } from 'node:buffer';
import { CARRIAGE_RETURN, LINE_FEED } from './line-end.js';
import type { Reject, RejectReason } from './reject.js';
import { invalidUtf8Message } from './reject-messages.js';

/** A place between two rows of a source. */
export interface SourcePosition {
  /** Bytes of the source, after decompression, that stand before. */
  readonly byteOffset: number;
  /** Line, counted from 1, that begins there. */
  readonly line: number;
}

/** Where a source begins. */
export const SOURCE_START: SourcePosition = Object.freeze({ byteOffset: 0, line: 1 });

/** The stretch of a source that a batch's rows stand in. */
export interface RowMemory {
  readonly bytes: Buffer;
  /** The same bytes. */
  readonly view: DataView;
  /** Where `bytes[0]` stands in the source. */
  readonly byteOffset: number;
}

const ROWS_INITIAL = 1024;

/** Twice as many slots as before, with what they held. */
export function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/**
 * Rows that came in together. The batch and every view into it are valid until the next batch is asked for,
 * as its memory is used again; rejects are copies and may be kept.
 */
export class RowBatch {
  /** The block that the rows stand in; beyond them it holds bytes of no meaning. */
  bytes: Buffer = Buffer.alloc(0);
  /** @internal The same bytes, for words that begin at any of them. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Rows that parsed. */
  length = 0;
  /** Rows that did not, in the order of the source. */
  rejects: Reject[] = [];
  /** Lines that were skipped because nothing stands on them. */
  blankLines = 0;
  /** Where the first row after this batch begins: an import that has stored the batch may resume there. */
  next: SourcePosition = SOURCE_START;

  /** Where each row begins and ends in `bytes`, its line end excluded. */
  starts: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  ends: Uint32Array<ArrayBuffer> = new Uint32Array(ROWS_INITIAL);
  private lines = new Uint32Array(ROWS_INITIAL);
  private blockOffset = 0;
  private blockLine = 1;

  /** Line on which a row begins, counted from 1 as text editors do. */
  line(row: number): number {
    return this.blockLine + this.lines[row];
  }

  /** Where a row's first byte stands in the source. */
  byteOffset(row: number): number {
    return this.blockOffset + this.starts[row];
  }

  /** A row as it stands in the source, without its line end: a view. */
  raw(row: number): Buffer {
    return this.bytes.subarray(this.starts[row], this.ends[row]);
  }

  /** The line end behind a row; a line feed where the source ends without one. */
  lineEnd(row: number): string {
    const end = this.ends[row];
    if (this.bytes[end] !== CARRIAGE_RETURN) return '\n';
    return this.bytes[end + 1] === LINE_FEED ? '\r\n' : '\r';
  }

  /** A reject of a row that parsed but is refused later. It stays in the batch; only the caller counts it. */
  reject(row: number, reason: RejectReason, message: string): Reject {
    const raw = Buffer.from(this.raw(row));
    const at = { line: this.line(row), byteOffset: this.byteOffset(row), byteLength: raw.length };
    return { ...at, reason, message, raw };
  }

  /** @internal Empties the batch for the rows of a block, given the line at its beginning. */
  reset({ bytes, view, byteOffset }: RowMemory, blockLine: number): void {
    this.bytes = bytes;
    this.view = view;
    this.blockOffset = byteOffset;
    this.blockLine = blockLine;
    this.length = 0;
    this.blankLines = 0;
    if (this.rejects.length > 0) this.rejects = [];
  }

  /** @internal */
  addRow(start: number, end: number, line: number): void {
    const row = this.length++;
    if (row === this.starts.length) {
      this.starts = grown(this.starts);
      this.ends = grown(this.ends);
      this.lines = grown(this.lines);
    }
    this.starts[row] = start;
    this.ends[row] = end;
    this.lines[row] = line - this.blockLine;
  }

  /** @internal Refuses the record at `bytes[start, end)`. */
  addReject(start: number, end: number, line: number, reason: RejectReason, message: string): void {
    const raw = Buffer.from(this.bytes.subarray(start, end));
    const byteOffset = this.blockOffset + start;
    this.rejects.push({ line, byteOffset, byteLength: raw.length, reason, message, raw });
  }

  /**
   * @internal Refuses rows that are not UTF-8, given where the block's whole records begin and end. One look
   * at all of them suffices for a sound block; rows begin and end beside ASCII, so that each can be told alone.
   */
  rejectInvalidUtf8(start: number, end: number): void {
    if (isUtf8(this.bytes.subarray(start, end))) return;
    let kept = 0;
    for (let row = 0; row < this.length; row++) {
      const raw = this.raw(row);
      if (isUtf8(raw)) this.moveRow(row, kept++);
      else this.rejects.push(this.reject(row, 'INVALID_UTF8', invalidUtf8Message(raw)));
    }
    this.length = kept;
    this.rejects.sort((a, b) => a.byteOffset - b.byteOffset);
  }

  /** @internal Puts a row in the place of an earlier one that is gone. */
  protected moveRow(from: number, to: number): void {
    this.starts[to] = this.starts[from];
    this.ends[to] = this.ends[from];
    this.lines[to] = this.lines[from];
  }
}
