// Finds the rows of NDJSON in the bytes of a block: one JSON object a line. A line ends with a line feed; a
// carriage return before it is white space to JSON, as are the spaces around.

import { isAscii, isUtf8 } from 'node:buffer';
import { JsonLine } from './json-line.js';
import { CARRIAGE_RETURN, LINE_FEED } from './line-end.js';
import { NdjsonBatch } from './ndjson-batch.js';
import { OversizeRecord } from './oversize-record.js';
import type { RecordBlock } from './record-block.js';
import type { RecordScanner } from './record-splitter.js';
import {
  invalidUtf8Message,
  notAnObjectMessage,
  notJsonMessage,
  rowTooLargeMessage,
} from './reject-messages.js';

const SPACE = 0x20;
const TAB = 0x09;

/** Scans blocks of one source, in order. */
export class NdjsonScanner implements RecordScanner<NdjsonBatch> {
  private readonly batch: NdjsonBatch;
  /** Looks through lines of which a few members are all that is asked for. */
  private readonly seen: JsonLine | undefined;
  // The block as text, where it is ASCII, so that each byte is one character of it.
  private ascii: string | undefined;
  private textStart = 0;
  // Whether the whole lines of the block are known to be UTF-8.
  private sound = false;
  private oversize: OversizeRecord | undefined;

  /**
   * @param line Line on which the next record begins.
   * @param members What is asked for of each object, so that it need not be made.
   */
  constructor(
    readonly rowBytesMax: number,
    private line: number,
    members?: readonly string[],
  ) {
    this.batch = new NdjsonBatch(members);
    this.seen = members === undefined ? undefined : new JsonLine(members);
  }

  scan(block: RecordBlock): NdjsonBatch {
    const { batch } = this;
    batch.reset(block, this.line);
    if ((!this.oversize || this.skipOversize(block)) && block.start < block.end) this.scanLines(block);
    const here = { byteOffset: block.byteOffset + block.start, line: this.line };
    batch.next = this.oversize?.position ?? here;
    return batch;
  }

  private scanLines(block: RecordBlock): void {
    const { bytes, end, final } = block;
    this.decode(block);
    while (block.start < end) {
      const at = bytes.indexOf(LINE_FEED, block.start);
      const whole = at < end || final;
      const rawEnd = withoutCarriageReturn(bytes, block.start, at);
      if (rawEnd - block.start > this.rowBytesMax && (whole || end - block.start > this.rowBytesMax + 1)) {
        this.giveUp(block);
        if (!this.skipOversize(block)) return;
      } else if (whole) {
        this.scanLine(bytes, block.start, rawEnd);
        this.line++;
        block.start = Math.min(at + 1, end);
      } else return;
    }
  }

  /** Decodes the block's whole lines at once where that is possible. */
  private decode(block: RecordBlock): void {
    const end = block.final ? block.end : block.bytes.lastIndexOf(LINE_FEED, block.end - 1) + 1;
    const lines = block.bytes.subarray(block.start, Math.max(end, block.start));
    this.textStart = block.start;
    // As text only where each line is made an object.
    this.ascii = this.seen === undefined && isAscii(lines) ? lines.toString('latin1') : undefined;
    this.sound = this.ascii !== undefined || isUtf8(lines);
  }

  /** Takes one line in, its line end excluded. */
  private scanLine(bytes: Buffer, lineStart: number, lineEnd: number): void {
    const { batch, line } = this;
    let start = lineStart;
    let end = lineEnd;
    while (start < end && isWhiteSpace(bytes[start])) start++;
    while (end > start && isWhiteSpace(bytes[end - 1])) end--;
    if (start === end) {
      batch.blankLines++;
      return;
    }
    if (!this.sound && !isUtf8(bytes.subarray(lineStart, lineEnd))) {
      const message = invalidUtf8Message(bytes.subarray(lineStart, lineEnd));
      batch.addReject(lineStart, lineEnd, line, 'INVALID_UTF8', message);
      return;
    }
    if (this.seen?.isObject(bytes, batch.view, start, end) === true) {
      batch.addRow(lineStart, lineEnd, line);
      batch.setSeen(batch.length - 1, this.seen, start, end);
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(this.text(bytes, start, end));
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      batch.addReject(lineStart, lineEnd, line, 'INVALID_JSON', notJsonMessage(problem));
      return;
    }
    if (isObject(value)) {
      batch.addRow(lineStart, lineEnd, line);
      batch.setValue(batch.length - 1, value, start, end);
    } else {
      batch.addReject(lineStart, lineEnd, line, 'NOT_AN_OBJECT', notAnObjectMessage(value));
    }
  }

  private text(bytes: Buffer, start: number, end: number): string {
    if (this.ascii === undefined) return bytes.toString('utf8', start, end);
    return this.ascii.slice(start - this.textStart, end - this.textStart);
  }

  /** Begins to skip the line at the block's start, which is longer than `rowBytesMax` bytes. */
  private giveUp(block: RecordBlock): void {
    const position = { byteOffset: block.byteOffset + block.start, line: this.line };
    this.oversize = new OversizeRecord(position, rowTooLargeMessage(this.rowBytesMax));
  }

  /** Skips the oversize line up to its end; false where the block does not reach that far. */
  private skipOversize(block: RecordBlock): boolean {
    const { oversize } = this;
    if (!oversize) return true;
    const at = block.bytes.indexOf(LINE_FEED, block.start);
    // A carriage return waits for the next chunk, which tells whether it is part of the line's end.
    oversize.take(block, withoutCarriageReturn(block.bytes, block.start, at));
    if (at === block.end && !block.final) return false;
    block.start = Math.min(at + 1, block.end);
    this.batch.rejects.push(oversize.reject());
    this.line++;
    this.oversize = undefined;
    return true;
  }
}

function withoutCarriageReturn(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
}

function isWhiteSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
