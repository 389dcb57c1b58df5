/** Stored values as NDJSON: each value a JSON object, a line each. */
import { StoreError } from '../errors.js';
import type { ByteArena } from './byte-arena.js';

const OPEN = 0x7b;
const CLOSE = 0x7d;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const KEY_SHOWN = 64;

/**
 * Writes each value as it is stored where it stands on one line already, as imports leave it; a value
 * with line ends is written anew. Raises ROW_REJECTED, naming the key, for one that is no JSON object.
 */
export class NdjsonEncoder {
  write(key: Uint8Array, value: Uint8Array, arena: ByteArena): void {
    const last = value.length - 1;
    if (last > 0 && value[0] === OPEN && value[last] === CLOSE && !hasLineEnd(value)) {
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
