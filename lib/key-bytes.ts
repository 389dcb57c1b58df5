/** Keys, values and names as callers give them, checked and turned into bytes. */
import { StoreError } from './errors.js';
import { keyBytesMax } from './format/node.js';
import type { Bytes } from './options.js';

/** The key's bytes. Raises INVALID_KEY or KEY_TOO_LARGE. */
export function keyBytes(key: Bytes, pageSize: number): Uint8Array {
  const bytes = typeof key === 'string' ? textBytes(key, 'INVALID_KEY', 'a key') : key;
  if (!(bytes instanceof Uint8Array)) {
    throw new StoreError(
      'INVALID_KEY',
      `a key must be a string or a Uint8Array, not ${describe(key)}: encode it as one of them`,
    );
  }
  const most = keyBytesMax(pageSize);
  if (bytes.length > most) {
    const message = `the key has ${bytes.length} bytes, with pages of ${pageSize} a key has at most ${most}: shorten it, or make the store with larger pages`;
    throw new StoreError('KEY_TOO_LARGE', message, { details: { bytes: bytes.length, bytesMax: most } });
  }
  return bytes;
}

/** The value's bytes. Raises INVALID_OPTION. */
export function valueBytes(value: Bytes): Uint8Array {
  const bytes = typeof value === 'string' ? textBytes(value, 'INVALID_OPTION', 'a value') : value;
  if (!(bytes instanceof Uint8Array)) {
    throw new StoreError(
      'INVALID_OPTION',
      `a value must be a string or a Uint8Array, not ${describe(value)}: encode it as one of them`,
    );
  }
  return bytes;
}

/** Raises where a text has half of a surrogate pair: its encoding would be another text's, with U+FFFD in it. */
export function checkText(text: string, code: 'INVALID_KEY' | 'INVALID_OPTION', what: string): void {
  if (text.isWellFormed()) return;
  const at = text.search(LONE_SURROGATE);
  const unit = text.charCodeAt(at).toString(16);
  const message = `${what} has half of a surrogate pair (\\u${unit}) as its character ${at + 1}, which UTF-8 cannot hold: mend the text, or encode it yourself`;
  throw new StoreError(code, message, { details: { at } });
}

function textBytes(text: string, code: 'INVALID_KEY' | 'INVALID_OPTION', what: string): Uint8Array {
  checkText(text, code, what);
  return Buffer.from(text, 'utf8');
}

// With the flag u, a surrogate that has its other half beside it does not match.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** Raises INVALID_BUCKET_NAME. A name takes at most as many bytes as a key of the smallest pages. */
export function checkBucketName(name: string): void {
  const problem =
    typeof name !== 'string'
      ? `is not a string but ${describe(name)}`
      : name.length === 0
        ? 'is empty'
        : Buffer.byteLength(name, 'utf8') > NAME_BYTES_MAX
          ? `takes more than ${NAME_BYTES_MAX} bytes`
          : !name.isWellFormed()
            ? 'has half a surrogate pair, which UTF-8 cannot hold'
            : undefined;
  if (problem === undefined) return;
  throw new StoreError('INVALID_BUCKET_NAME', `the bucket name ${problem}: choose another`, {
    details: { name },
  });
}

const NAME_BYTES_MAX = 1000;

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
