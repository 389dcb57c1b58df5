// A CSV row as the JSON text that is stored: an object of strings, its members in the order of the columns.
// Copied from the block's bytes by words, which lie at any byte: text in between would cost several times as much,
// bytes one by one twice.

import type { ByteArena } from '../stream/byte-arena.js';
import type { CsvBatch } from './csv-batch.js';
import { QUOTE } from './csv-bytes.js';

const SPACE = 0x20;
const BACKSLASH = 0x5c;
// A control character takes the most, as \u001f does.
const ESCAPED_BYTES_MAX = 6;
/** `"}`, as a number whose first byte is the lower one. */
const END = 0x7d22;
/** For the end, and for what whole words are longer than what they copy. */
const END_ROOM = 8;

/**
 * Writes rows as JSON. An object made and stringified would not do: JavaScript moves properties that look like
 * integers to the front.
 */
export class RowJsonWriter {
  /** What stands before each cell, `{"id":"`, then `","name":"` and so on, each begun at a word of its own. */
  private readonly glueWords: Int32Array;
  /** At which word the glue of each column begins; one more for the end. */
  private readonly glueStarts: Uint32Array;
  private readonly glueLengths: Uint32Array;
  private readonly glueBytes: number;

  constructor(columns: readonly string[]) {
    const pieces = columns.map((name, index) =>
      Buffer.from(`${index === 0 ? '{' : '",'}${JSON.stringify(name)}:"`),
    );
    let words = 0;
    this.glueStarts = Uint32Array.from([0, ...pieces.map((piece) => (words += (piece.length + 3) >>> 2))]);
    this.glueWords = new Int32Array(words);
    const bytes = Buffer.from(this.glueWords.buffer);
    for (const [index, piece] of pieces.entries()) piece.copy(bytes, 4 * this.glueStarts[index]);
    this.glueLengths = Uint32Array.from(pieces, (piece) => piece.length);
    this.glueBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** Appends the row's JSON to the arena. */
  write(batch: CsvBatch, row: number, arena: ByteArena): void {
    const { glueWords, glueStarts, glueLengths } = this;
    const { bytes, view: source, cellStarts, cellEnds, width } = batch;
    // Each column at its most, so that one reservation serves until a cell is escaped.
    const room = this.glueBytes + batch.ends[row] - batch.starts[row] + END_ROOM;
    arena.reserve(room);
    let target = arena.view;
    let at = arena.length;
    let slot = row * width;
    for (let column = 0; column < width; column++, slot++) {
      for (let word = glueStarts[column], to = at; word < glueStarts[column + 1]; word++, to += 4)
        target.setInt32(to, glueWords[word], true);
      at += glueLengths[column];
      const start = cellStarts[slot];
      const end = cellEnds[slot];
      if ((end & 1) !== 0) {
        arena.length = at;
        appendEscaped(bytes, start, end >>> 1, arena);
        arena.reserve(room);
        target = arena.view;
        at = arena.length;
      } else {
        // Up to three bytes past the cell, which what comes next is written over.
        const length = (end >>> 1) - start;
        for (let byte = 0; byte < length; byte += 4)
          target.setInt32(at + byte, source.getInt32(start + byte, true), true);
        at += length;
      }
    }
    target.setUint16(at, END, true);
    arena.length = at + 2;
  }
}

/** Appends a cell as JSON.stringify would escape it; a doubled quote is one. */
function appendEscaped(bytes: Uint8Array, start: number, end: number, arena: ByteArena): void {
  arena.reserve((end - start) * ESCAPED_BYTES_MAX);
  const target = arena.bytes;
  let at = arena.length;
  for (let from = start; from < end; from++) {
    const byte = bytes[from];
    if (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) {
      target[at++] = byte;
      continue;
    }
    const escaped = ESCAPES[byte];
    for (let index = 0; index < escaped.length; index++) target[at++] = escaped[index];
    if (byte === QUOTE) from++;
  }
  arena.length = at;
}

/** For each byte that JSON escapes, its escape. */
const ESCAPES: readonly Buffer[] = Array.from({ length: BACKSLASH + 1 }, (_, byte) =>
  Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);
