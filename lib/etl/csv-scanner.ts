// Finds the rows and cells of CSV (RFC 4180) in the bytes of a block, and the records that are not CSV. Each
// byte is looked at once; nothing is decoded. Strict: a quote opens a cell only as its first byte, and after
// the closing one the cell ends; anything else is refused rather than guessed at.
//
// A record ends with a line feed, a carriage return or both. One that is malformed ends at the next line end,
// whatever quotes are open; one that is longer than `rowBytesMax`, at the next line end beyond that many bytes.
// These rules depend on the bytes alone: however the source is cut into chunks, the same rows come out.

import { CsvBatch } from './csv-batch.js';
import {
  ESCAPED,
  IS_CARRIAGE_RETURN,
  IS_DELIMITER,
  IS_LINE_FEED,
  IS_QUOTE,
  PLAIN,
  QUOTE,
  QUOTED_KINDS,
  unquotedKinds,
} from './csv-bytes.js';
import { CARRIAGE_RETURN, endOfLine, LINE_FEED, lineBreaks } from './line-end.js';
import { OversizeRecord } from './oversize-record.js';
import type { RecordBlock } from './record-block.js';
import type { RecordScanner } from './record-splitter.js';
import type { RejectReason } from './reject.js';
import {
  columnCountMessage,
  rowTooLargeMessage,
  strayQuoteMessage,
  strayTextMessage,
  unterminatedMessage,
} from './reject-messages.js';

// The block ends before the record does.
const INCOMPLETE = -1;
// The record is longer than rows may be.
const OVERSIZE = -2;

/** Most columns that a header may name; of a longer first row only so many cells are kept. */
export const COLUMNS_MAX = 65_536;

/** Scans blocks of one source, in order. */
export class CsvScanner implements RecordScanner<CsvBatch> {
  private readonly batch = new CsvBatch();
  private readonly kinds: Uint8Array;
  private bytes = this.batch.bytes;
  private end = 0;
  private final = false;

  // Of the record being scanned: line ends inside its quotes.
  private breaks = 0;
  // Of the quoted cell being scanned: 1 if its text or JSON is not its bytes; the line it is still open from, or 0.
  private altered = 0;
  private openLine = 0;
  private oversize: OversizeRecord | undefined;

  /**
   * @param width Cells that each row must have; 0 has the first row decide.
   * @param line Line on which the next record begins.
   */
  constructor(
    delimiter: number,
    width: number,
    readonly rowBytesMax: number,
    private line: number,
  ) {
    this.kinds = unquotedKinds(delimiter);
    this.batch.width = width;
  }

  scan(block: RecordBlock): CsvBatch {
    const { batch } = this;
    this.bytes = block.bytes;
    this.end = block.end;
    this.final = block.final;
    batch.reset(block.bytes, block.byteOffset, this.line);
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
      else {
        this.giveUp(block);
        if (!this.skipOversize(block)) return;
      }
    }
  }

  /** Scans the record that begins at `start`; returns where the next one begins, INCOMPLETE or OVERSIZE. */
  private scanRecord(start: number): number {
    const { bytes, kinds, batch } = this;
    const slotFirst = batch.length * batch.width;
    const slotEnd = slotFirst + (batch.width || COLUMNS_MAX);
    let { cellStarts, cellEnds } = batch;
    let slot = slotFirst;
    let at = start;
    this.breaks = 0;
    for (;;) {
      let cellStart = at;
      let cellEnd: number;
      let altered = 0;
      let kind: number;
      if (bytes[at] === QUOTE) {
        cellStart++;
        cellEnd = this.closingQuote(cellStart);
        if (cellEnd === INCOMPLETE) return this.final ? this.refuseUnterminated(start) : INCOMPLETE;
        altered = this.altered;
        at = cellEnd + 1;
        kind = kinds[bytes[at]];
      } else {
        kind = kinds[bytes[at]];
        while (kind === PLAIN) kind = kinds[bytes[++at]];
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

  /** Where the quoted text that begins at `at` is closed, or INCOMPLETE. */
  private closingQuote(at: number): number {
    const { bytes } = this;
    const line = this.line + this.breaks;
    this.altered = 0;
    this.openLine = 0;
    for (;;) {
      let kind = QUOTED_KINDS[bytes[at]];
      while (kind === PLAIN) kind = QUOTED_KINDS[bytes[++at]];
      if (kind === IS_QUOTE) {
        if (bytes[at + 1] !== QUOTE) return at;
        at++;
      } else if (kind === IS_LINE_FEED) {
        if (at === this.end) {
          this.openLine = line;
          return INCOMPLETE;
        }
        this.breaks++;
      } else if (kind === IS_CARRIAGE_RETURN && bytes[at + 1] !== LINE_FEED) {
        this.breaks++;
      }
      this.altered = 1;
      at++;
    }
  }

  /** Takes a record in, now that its cells are known; `at` is where its line end is. */
  private endRecord(start: number, at: number, cells: number): number {
    const { batch } = this;
    const width = batch.width || cells;
    if (cells !== width) return this.refuse(start, at, 'COLUMN_COUNT', columnCountMessage(cells, width));
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (at - start > this.rowBytesMax) return OVERSIZE;
    batch.width = width;
    batch.addRow(start, at, this.line);
    this.line += 1 + this.breaks;
    return next;
  }

  private refuse(start: number, at: number, reason: RejectReason, message: string): number {
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (at - start > this.rowBytesMax) return OVERSIZE;
    this.batch.addReject(start, at, this.line, reason, message);
    this.line += 1 + this.breaks;
    return next;
  }

  /** Refuses a record for the byte at `at`, where its cell of that number neither goes on nor ends. */
  private refuseMalformed(start: number, at: number, cell: number): number {
    const message = this.bytes[at] === QUOTE ? strayQuoteMessage(cell) : strayTextMessage(cell);
    return this.refuse(start, endOfLine(this.bytes, at), 'MALFORMED_CSV', message);
  }

  private refuseUnterminated(start: number): number {
    return this.refuse(start, this.end, 'UNTERMINATED_QUOTE', unterminatedMessage(this.openLine));
  }

  private skipBlankLine(at: number): number {
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return INCOMPLETE;
    this.batch.blankLines++;
    this.line++;
    return next;
  }

  /** Begins to skip the record at the block's start, which does not end within `rowBytesMax` bytes. */
  private giveUp(block: RecordBlock): void {
    const { start, bytes } = block;
    const end = start + this.rowBytesMax;
    const message = rowTooLargeMessage(this.rowBytesMax, this.openLineBefore(start, end));
    const position = { byteOffset: block.byteOffset + start, line: this.line };
    this.oversize = new OversizeRecord(position, lineBreaks(bytes, start, end), message);
    this.oversize.take(block, end);
  }

  /** On which line the quote opens that is open at `end`, or 0. */
  private openLineBefore(start: number, end: number): number {
    const { bytes, final } = this;
    const blockEnd = this.end;
    const byte = bytes[end];
    bytes[end] = LINE_FEED;
    this.end = end;
    this.final = false;
    this.openLine = 0;
    this.scanRecord(start);
    bytes[end] = byte;
    this.end = blockEnd;
    this.final = final;
    return this.openLine;
  }

  /** Skips the oversize record up to its end; false where the block does not reach that far. */
  private skipOversize(block: RecordBlock): boolean {
    const { oversize } = this;
    if (!oversize) return true;
    const at = endOfLine(block.bytes, block.start);
    oversize.take(block, at);
    const next = this.afterLineEnd(at);
    if (next === INCOMPLETE) return false;
    block.start = next;
    this.batch.rejects.push(oversize.reject());
    this.line += 1 + oversize.lineBreaks;
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
