// Finds the rows and cells of CSV (RFC 4180) in the bytes of a block, and the records that are not CSV. Plain
// text is passed over by words, nothing is decoded. Strict: a quote opens a cell only as its first byte, and after
// the closing one the cell ends; anything else is refused rather than guessed at.
//
// A record ends with a line feed, a carriage return or both. One that is malformed, that is longer than
// `rowBytesMax`, or whose quote is not closed within `quotedLinesMax` lines, costs its first line alone, whatever
// quotes are open: a quote too many is a slip in one row, and must not take those after it along. Lines are looked
// at again for this only once: none that lies inside an open quote can open one that goes on past its own end.
// These rules depend on the bytes alone: however the source is cut into chunks, the same rows come out.

import { fourTimes } from '../stream/word-bytes.js';
import { CsvBatch } from './csv-batch.js';
import { ESCAPED, endOfPlain, IS_DELIMITER, QUOTE, unquotedKinds } from './csv-bytes.js';
import { CARRIAGE_RETURN, endOfLine, LINE_FEED } from './line-end.js';
import { OversizeRecord } from './oversize-record.js';
import { INCOMPLETE, QuotedText } from './quoted-text.js';
import type { RecordBlock } from './record-block.js';
import type { RecordScanner } from './record-splitter.js';
import type { RejectReason } from './reject.js';
import {
  columnCountMessage,
  openAtBoundMessage,
  openTooLongMessage,
  rowTooLargeMessage,
  strayQuoteMessage,
  strayTextMessage,
  unterminatedMessage,
} from './reject-messages.js';

// The record is longer than rows may be.
const OVERSIZE = -2;

/** Most columns that a header may name; of a longer first row only so many cells are kept. */
export const COLUMNS_MAX = 65_536;

/** Scans blocks of one source, in order. */
export class CsvScanner implements RecordScanner<CsvBatch> {
  private readonly batch = new CsvBatch();
  private readonly kinds: Uint8Array;
  private readonly delimiters: number;
  private bytes = this.batch.bytes;
  private end = 0;
  private final = false;

  private readonly quoted: QuotedText;
  private oversize: OversizeRecord | undefined;

  /**
   * @param width Cells that each row must have; 0 has the first row decide.
   * @param line Line on which the next record begins.
   */
  constructor(
    delimiter: number,
    width: number,
    readonly rowBytesMax: number,
    private readonly quotedLinesMax: number,
    private line: number,
  ) {
    this.kinds = unquotedKinds(delimiter);
    this.delimiters = fourTimes(delimiter);
    this.quoted = new QuotedText(quotedLinesMax);
    this.batch.width = width;
  }

  scan(block: RecordBlock): CsvBatch {
    const { batch } = this;
    this.bytes = block.bytes;
    this.end = block.end;
    this.final = block.final;
    batch.reset(block, this.line);
    if (!this.oversize || this.skipOversize(block)) {
      const { start } = block;
      this.scanRecords(block);
      batch.rejectInvalidUtf8(start, block.start);
    }
    const here = { byteOffset: block.byteOffset + block.start, line: this.line };
    batch.next = this.oversize?.position ?? here;
    return batch;
  }

  private scanRecords(block: RecordBlock): void {
    while (block.start < block.end) {
      const at = block.start;
      const byte = block.bytes[at];
      const blank = byte === LINE_FEED || byte === CARRIAGE_RETURN;
      const next = blank ? this.skipBlankLine(at) : this.scanRecord(at);
      if (next >= 0) block.start = next;
      else if (next === INCOMPLETE && block.end - at <= this.rowBytesMax + 1) return;
      else if (!this.giveUp(block)) return;
    }
  }

  /** Scans the record that begins at `start`; returns where the next one begins, INCOMPLETE or OVERSIZE. */
  private scanRecord(start: number): number {
    const { bytes, kinds, delimiters, batch, quoted } = this;
    const { view } = batch;
    const slotFirst = batch.length * batch.width;
    const slotEnd = slotFirst + (batch.width || COLUMNS_MAX);
    let { cellStarts, cellEnds } = batch;
    let slot = slotFirst;
    let at = start;
    quoted.breaks = 0;
    for (;;) {
      let cellStart = at;
      let cellEnd: number;
      let altered = 0;
      let kind: number;
      if (bytes[at] === QUOTE) {
        cellStart++;
        cellEnd = quoted.close(bytes, view, cellStart, this.end, this.line);
        if (cellEnd < 0) return this.refuseOpen(start, cellEnd);
        altered = quoted.altered;
        at = cellEnd + 1;
        kind = kinds[bytes[at]];
      } else {
        at = endOfPlain(view, at, delimiters);
        kind = kinds[bytes[at]];
        if (kind === ESCAPED) altered = 1;
        while (kind <= ESCAPED) kind = kinds[bytes[++at]];
        cellEnd = at;
      }
      if (kind < IS_DELIMITER) return this.refuseMalformed(start, at, slot - slotFirst + 1);
      if (slot < slotEnd) {
        if (slot === cellStarts.length) ({ cellStarts, cellEnds } = batch.growCells());
        cellStarts[slot] = cellStart;
        cellEnds[slot] = cellEnd * 2 + altered;
      }
      slot++;
      if (kind !== IS_DELIMITER) return this.endRecord(start, at, slot - slotFirst);
      at++;
    }
  }

  /** Takes a record in, now that its cells are known; `at` is where its line end is. */
  private endRecord(start: number, at: number, cells: number): number {
    const { batch } = this;
    const width = batch.width || cells;
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (at - start > this.rowBytesMax) return OVERSIZE;
    if (cells !== width) {
      const message = columnCountMessage(cells, width, this.quoted.breaks + 1);
      batch.addReject(start, at, this.line, 'COLUMN_COUNT', message);
    } else {
      batch.width = width;
      batch.addRow(start, at, this.line);
    }
    this.line += 1 + this.quoted.breaks;
    return next;
  }

  /** Refuses a record for what stands at `at`. The next one begins with the line after its first. */
  private refuse(start: number, at: number, reason: RejectReason, message: string): number {
    if (at - start > this.rowBytesMax) return OVERSIZE;
    const end = endOfLine(this.bytes, start);
    const next = this.afterLineEnd(end);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (end - start > this.rowBytesMax) return OVERSIZE;
    this.batch.addReject(start, end, this.line, reason, message);
    this.line++;
    return next;
  }

  /** Refuses a record for the byte at `at`, where its cell of that number neither goes on nor ends. */
  private refuseMalformed(start: number, at: number, cell: number): number {
    const message = this.bytes[at] === QUOTE ? strayQuoteMessage(cell) : strayTextMessage(cell);
    return this.refuse(start, at, 'MALFORMED_CSV', message);
  }

  /** Refuses a record for a quote that is not closed, if it is known by now that it will not be. */
  private refuseOpen(start: number, outcome: number): number {
    if (outcome === INCOMPLETE && !this.final) return INCOMPLETE;
    const { quotedLinesMax } = this;
    const { openLine, openEnd } = this.quoted;
    const message =
      outcome === INCOMPLETE ? unterminatedMessage(openLine) : openTooLongMessage(openLine, quotedLinesMax);
    return this.refuse(start, openEnd, 'UNTERMINATED_QUOTE', message);
  }

  private skipBlankLine(at: number): number {
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return INCOMPLETE;
    this.batch.blankLines++;
    this.line++;
    return next;
  }

  /** Refuses the record at the block's start, longer than `rowBytesMax`; false where its line passes the block. */
  private giveUp(block: RecordBlock): boolean {
    const { start, bytes } = block;
    const { rowBytesMax, line } = this;
    const bound = start + rowBytesMax;
    const lineEnd = endOfLine(bytes, start);
    const openLine = this.openLineBefore(start, bound);
    if (lineEnd <= bound) {
      const message =
        openLine > 0 ? openAtBoundMessage(openLine, rowBytesMax) : rowTooLargeMessage(rowBytesMax);
      const reason = openLine > 0 ? 'UNTERMINATED_QUOTE' : 'ROW_TOO_LARGE';
      this.batch.addReject(start, lineEnd, line, reason, message);
      block.start = this.afterLineEnd(lineEnd);
      this.line++;
      return true;
    }
    const position = { byteOffset: block.byteOffset + start, line };
    this.oversize = new OversizeRecord(position, rowTooLargeMessage(rowBytesMax, openLine));
    this.oversize.take(block, bound);
    return this.skipOversize(block);
  }

  /** On which line the quote opens that is open at `end`, or 0. */
  private openLineBefore(start: number, end: number): number {
    const { bytes, final } = this;
    const blockEnd = this.end;
    const byte = bytes[end];
    bytes[end] = LINE_FEED;
    this.end = end;
    this.final = false;
    this.quoted.openLine = 0;
    this.scanRecord(start);
    bytes[end] = byte;
    this.end = blockEnd;
    this.final = final;
    return this.quoted.openLine;
  }

  /** Skips the oversize line up to its end; false where the block does not reach that far. */
  private skipOversize(block: RecordBlock): boolean {
    const { oversize } = this;
    if (!oversize) return true;
    const at = endOfLine(block.bytes, block.start);
    oversize.take(block, at);
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return false;
    block.start = next;
    this.batch.rejects.push(oversize.reject());
    this.line++;
    this.oversize = undefined;
    return true;
  }

  /** Where the line after the line end at `at` begins. INCOMPLETE while the next chunk may hold its second byte. */
  private afterLineEnd(at: number): number {
    if (at === this.end) return this.final ? at : INCOMPLETE;
    if (this.bytes[at] === LINE_FEED) return at + 1;
    if (at + 1 === this.end) return this.final ? at + 1 : INCOMPLETE;
    return this.bytes[at + 1] === LINE_FEED ? at + 2 : at + 1;
  }
}
