/** Keys, values and names as callers give them, checked and turned into bytes. */
import { StoreError } from './errors.js';
import { keyBytesMax } from './format/node.js';
import type { Bytes } from './options.js';

/** The key's bytes. Raises INVALID_KEY or KEY_TOO_LARGE. */
export function keyBytes(key: Bytes, pageSize: number): Uint8Array {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'utf8') : key;
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
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  if (!(bytes instanceof Uint8Array)) {
    throw new StoreError(
      'INVALID_OPTION',
      `a value must be a string or a Uint8Array, not ${describe(value)}: encode it as one of them`,
    );
  }
  return bytes;
}

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
