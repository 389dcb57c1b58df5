// Writes cells and rows of CSV, quoting only what would not come back the same without quotes.

import type { ByteArena } from './byte-arena.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Appends cells to rows, and rows to one output. */
export class CsvCellWriter {
  /** 1 for each byte that must stand in quotes. */
  private readonly special = new Uint8Array(256);
  private cells = 0;
  private rowEmpty = true;
  private firstRow = true;

  constructor(private readonly delimiter: number) {
    for (const byte of [delimiter, QUOTE, LINE_FEED, CARRIAGE_RETURN]) this.special[byte] = 1;
  }

  /** Appends a cell that has nothing in it. */
  empty(arena: ByteArena): void {
    this.beginCell(arena);
  }

  /** Appends a cell of text. */
  text(text: string, arena: ByteArena): void {
    const bytes = Buffer.from(text);
    this.bytes(bytes, 0, bytes.length, arena);
  }

  /** Appends a cell whose text is these bytes. */
  bytes(source: Uint8Array, start: number, end: number, arena: ByteArena): void {
    this.beginCell(arena);
    if (start < end) this.rowEmpty = false;
    const first = this.firstRow && this.cells === 1;
    if (!this.writePlain(source, start, end, arena) || (first && beginsWithMark(source, start, end))) {
      appendQuoted(source, start, end, arena);
    } else arena.length += end - start;
  }

  /** Writes the cell behind the arena's end, without counting it in; false where it must stand in quotes. */
  private writePlain(source: Uint8Array, start: number, end: number, arena: ByteArena): boolean {
    const { special } = this;
    arena.reserve(end - start);
    const target = arena.bytes;
    for (let from = start, at = arena.length; from < end; from++) {
      const byte = source[from];
      if (special[byte] !== 0) return false;
      target[at++] = byte;
    }
    return true;
  }

  endRow(arena: ByteArena): void {
    arena.reserve(3);
    // Without quotes the one empty cell of a row would be a blank line, which is no row.
    if (this.cells === 1 && this.rowEmpty) {
      arena.appendByte(QUOTE);
      arena.appendByte(QUOTE);
    }
    arena.appendByte(LINE_FEED);
    this.cells = 0;
    this.rowEmpty = true;
    this.firstRow = false;
  }

  private beginCell(arena: ByteArena): void {
    if (this.cells++ > 0) arena.appendByte(this.delimiter);
  }
}

/** Whether a reader would take the cell's beginning, first in the output, for a byte order mark and drop it. */
function beginsWithMark(source: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= BYTE_ORDER_MARK.length &&
    BYTE_ORDER_MARK.every((byte, index) => source[start + index] === byte)
  );
}

function appendQuoted(source: Uint8Array, start: number, end: number, arena: ByteArena): void {
  arena.reserve((end - start) * 2 + 2);
  const target = arena.bytes;
  let at = arena.length;
  target[at++] = QUOTE;
  for (let from = start; from < end; from++) {
    const byte = source[from];
    target[at++] = byte;
    if (byte === QUOTE) target[at++] = QUOTE;
  }
  target[at++] = QUOTE;
  arena.length = at;
}
