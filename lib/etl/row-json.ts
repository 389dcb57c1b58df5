// A CSV row as the JSON text that is stored: an object of strings, its members in the order of the columns.
// Written byte by byte from the block's bytes, as text in between would cost several times as much.

import type { ByteArena } from '../stream/byte-arena.js';
import type { CsvBatch } from './csv-batch.js';
import { QUOTE } from './csv-bytes.js';

const SPACE = 0x20;
const BACKSLASH = 0x5c;
// A control character takes the most, as \u001f does.
const ESCAPED_BYTES_MAX = 6;
const END = Buffer.from('"}');

/**
 * Writes rows as JSON. An object made and stringified would not do: JavaScript moves properties that look like
 * integers to the front.
 */
export class RowJsonWriter {
  /** What stands before each cell: `{"id":"`, then `","name":"` and so on, one after the other. */
  private readonly glue: Buffer;
  private readonly glueEnds: Uint32Array;

  constructor(columns: readonly string[]) {
    const pieces = columns.map((name, index) =>
      Buffer.from(`${index === 0 ? '{' : '",'}${JSON.stringify(name)}:"`),
    );
    this.glue = Buffer.concat(pieces);
    let end = 0;
    this.glueEnds = Uint32Array.from(pieces, (piece) => (end += piece.length));
  }

  /** Appends the row's JSON to the arena. */
  write(batch: CsvBatch, row: number, arena: ByteArena): void {
    const { glue, glueEnds } = this;
    const { bytes, cellStarts, cellEnds, width } = batch;
    arena.reserve(glue.length + batch.ends[row] - batch.starts[row] + END.length);
    let target = arena.bytes;
    let at = arena.length;
    let slot = row * width;
    for (let column = 0, from = 0; column < width; column++, slot++) {
      for (const end = glueEnds[column]; from < end; from++) target[at++] = glue[from];
      const end = cellEnds[slot];
      if ((end & 1) !== 0) {
        arena.length = at;
        appendEscaped(bytes, cellStarts[slot], end >>> 1, arena);
        // What the rest of the row needs was reserved without the bytes that escapes add.
        arena.reserve(glue.length - from + batch.ends[row] - (end >>> 1) + END.length);
        target = arena.bytes;
        at = arena.length;
      } else {
        for (let byte = cellStarts[slot], cellEnd = end >>> 1; byte < cellEnd; byte++)
          target[at++] = bytes[byte];
      }
    }
    target[at++] = END[0];
    target[at++] = END[1];
    arena.length = at;
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
