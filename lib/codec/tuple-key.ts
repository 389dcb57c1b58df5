// Keys of several parts, which sort by the first, then by the second, and so on.
//
// Parts that tell their own length (numbers, dates, bigints, booleans) stand as they are. Of the others each zero
// byte is followed by ff, and two zero bytes end them where another part follows: the same bytes as an import makes
// of several columns.
//
//      'DE', 'Berlin'      44 45 00 00 42 65 72 6c 69 6e
//      true, 'a', 1n       01 61 00 00 81 01
//      'a\0', 'b'          61 00 ff 00 00 62

import { StoreError } from '../errors.js';
import { type KeyCodec, type KeyPart, notA, notEncoded } from './key-codec.js';

const ZERO_ESCAPE = 0xff;
const SEPARATOR = Buffer.from([0, 0]);

/** A codec for each part. */
type Parts<Key extends readonly unknown[]> = { readonly [Index in keyof Key]: KeyPart<Key[Index]> };

/** A codec of tuples. */
export interface TupleKeyCodec<Key extends readonly unknown[]> extends KeyCodec<Key> {
  readonly parts: Parts<Key>;
}

export function tupleKey<Key extends readonly unknown[]>(...parts: Parts<Key>): TupleKeyCodec<Key> {
  const all: readonly KeyPart<unknown>[] = parts;
  if (all.length === 0) throw new StoreError('INVALID_OPTION', 'keys.tuple: at least one part is needed');
  const words = `a tuple of ${all.map((part) => part.words).join(', ')}`;
  const encodeParts = (key: unknown, isPrefix: boolean): Buffer => {
    const counts = Array.isArray(key) && (isPrefix ? key.length <= all.length : key.length === all.length);
    if (!counts)
      throw notA(
        isPrefix ? `the first parts of ${words}` : words,
        Array.isArray(key) ? `${key.length} parts` : key,
      );
    const pieces: Uint8Array[] = [];
    // Gaps are no parts: they are met as undefined, which no part takes.
    Array.from(key).forEach((value: unknown, index) => {
      const part = all[index];
      const bytes = encodePart(part, value, index);
      if (part.byteLengthAt !== undefined) pieces.push(bytes);
      else pieces.push(all.length > 1 ? escaped(bytes) : bytes);
      if (part.byteLengthAt === undefined && index < all.length - 1) pieces.push(SEPARATOR);
    });
    return Buffer.concat(pieces);
  };
  return {
    parts,
    encode: (key) => encodeParts(key, false),
    encodePrefix: (prefix) => encodeParts(prefix, true),
    // As many parts as `Key` has, each of its type.
    decode: (bytes) => decodeParts(all, bytes, words) as readonly unknown[] as Key,
  };
}

function encodePart(part: KeyPart<unknown>, value: unknown, index: number): Uint8Array {
  try {
    return part.encode(value);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `part ${index + 1} of the key: ${error.message}`, { cause: error });
  }
}

function decodeParts(parts: readonly KeyPart<unknown>[], bytes: Uint8Array, words: string): unknown[] {
  let at = 0;
  const values = parts.map((part, index) => {
    const isLast = index === parts.length - 1;
    if (part.byteLengthAt !== undefined) {
      const end = at < bytes.length ? at + part.byteLengthAt(bytes, at) : Number.POSITIVE_INFINITY;
      if (end > bytes.length) throw notEncoded(words, bytes);
      const value = part.decode(bytes.subarray(at, end));
      at = end;
      return value;
    }
    if (parts.length === 1) {
      at = bytes.length;
      return part.decode(bytes);
    }
    const { content, end } = unescaped(bytes, at);
    const isEnded = end < bytes.length;
    if (isEnded === isLast) throw notEncoded(words, bytes);
    at = isEnded ? end + SEPARATOR.length : end;
    return part.decode(content);
  });
  if (at !== bytes.length) throw notEncoded(words, bytes);
  return values;
}

function escaped(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0)) return bytes;
  return Buffer.from(Array.from(bytes).flatMap((byte) => (byte === 0 ? [0, ZERO_ESCAPE] : [byte])));
}

/** The part that begins at `at`, and where it ends: at a separator, or with the bytes. */
function unescaped(bytes: Uint8Array, at: number): { content: Uint8Array; end: number } {
  const content: number[] = [];
  let end = at;
  for (; end < bytes.length; end++) {
    content.push(bytes[end]);
    if (bytes[end] !== 0) continue;
    if (bytes[end + 1] !== ZERO_ESCAPE) {
      content.pop();
      break;
    }
    end++;
  }
  // A zero byte that neither stands for itself nor separates is found by who asks: two must follow each other.
  if (end < bytes.length && bytes[end + 1] !== 0) throw notEncoded('a tuple', bytes);
  return { content: Buffer.from(content), end };
}
