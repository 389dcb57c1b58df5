/** Stored values as NDJSON: each value a JSON object, a line each. */
import { StoreError } from '../errors.js';
import type { LeafBatch } from '../tree/leaf-batch.js';
import type { ByteArena } from './byte-arena.js';
import { BRACE_CLOSE, BRACE_OPEN, SPACE } from './json-bytes.js';
import { fourTimes, HIGH_BITS } from './word-bytes.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const KEY_SHOWN = 64;
const SPACES = fourTimes(SPACE);
const EMPTY = new Uint8Array(0);

/**
 * Writes each value as it is stored where it stands on one line already, as imports leave it; a value
 * with line ends is written anew. Raises ROW_REJECTED, naming the key, for one that is no JSON object.
 */
export class NdjsonEncoder {
  private page: Uint8Array = EMPTY;
  private words: DataView = new DataView(EMPTY.buffer);

  /** What has a control character, which may be a line end, is for `write` to look at more closely. */
  writeInPlace(batch: LeafBatch, index: number, arena: ByteArena): boolean {
    const start = batch.valueStart(index);
    if (start < 0) return false;
    const length = batch.valueLength(index);
    const { bytes } = batch;
    if (length < 2 || bytes[start] !== BRACE_OPEN || bytes[start + length - 1] !== BRACE_CLOSE) return false;
    if (bytes !== this.page) {
      this.page = bytes;
      this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return appendLine(this.words, start, length, arena);
  }

  write(key: Uint8Array, value: Uint8Array, arena: ByteArena): void {
    const last = value.length - 1;
    if (last > 0 && value[0] === BRACE_OPEN && value[last] === BRACE_CLOSE && !hasLineEnd(value)) {
      arena.append(value, 0, value.length);
    } else {
      arena.appendText(oneLine(key, value));
    }
    arena.appendByte(LINE_FEED);
  }

  end(): void {
    // Every line has ended already.
  }
}

/** Appends a value and a line feed, by words, unless one of its bytes is less than a space. */
function appendLine(source: DataView, start: number, length: number, arena: ByteArena): boolean {
  arena.reserve(length + 4);
  const { view: target, length: at } = arena;
  let controls = 0;
  // Values are padded to whole words, so that the last one can be read; what follows in it is none of the value.
  const whole = length & ~3;
  for (let byte = 0; byte < whole; byte += 4) {
    const word = source.getInt32(start + byte, true);
    controls |= (word - SPACES) & ~word;
    target.setInt32(at + byte, word, true);
  }
  if (whole < length) {
    const word = source.getInt32(start + whole, true) | (SPACES << (8 * (length - whole)));
    controls |= (word - SPACES) & ~word;
    target.setInt32(at + whole, word, true);
  }
  if ((controls & HIGH_BITS) !== 0) return false;
  target.setUint8(at + length, LINE_FEED);
  arena.length = at + length + 1;
  return true;
}

function hasLineEnd(value: Uint8Array): boolean {
  return value.includes(LINE_FEED) || value.includes(CARRIAGE_RETURN);
}

function oneLine(key: Uint8Array, value: Uint8Array): string {
  let row: unknown;
  let cause: unknown;
  try {
    row = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8'));
  } catch (error) {
    cause = error;
  }
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return JSON.stringify(row);
  const shown = JSON.stringify(Buffer.from(key).toString('utf8').slice(0, KEY_SHOWN));
  const message = `the value of key ${shown} is not a JSON object, which a line of NDJSON must be: export a range without it`;
  throw new StoreError('ROW_REJECTED', message, { cause, details: { key: Buffer.from(key) } });
}
