// Keys that are their own bytes: strings as UTF-8, byte strings, and booleans as one byte.

import { isUtf8 } from 'node:buffer';
import { StoreError } from '../errors.js';
import { type KeyPart, notA, notEncoded } from './key-codec.js';

/**
 * Strings, the same bytes as in a bucket without types. They sort by their code points, which is how `<` has them but
 * for characters past U+FFFF: those come last here, and before U+E000 there.
 */
export const stringKey: KeyPart<string> = {
  words: 'a string',
  encode(key) {
    if (typeof key !== 'string') throw notA('a string', key);
    if (!key.isWellFormed()) {
      const message = `the key ${JSON.stringify(key.slice(0, 60))} has half of a surrogate pair, which UTF-8 cannot hold: mend the text`;
      throw new StoreError('INVALID_KEY', message);
    }
    return Buffer.from(key, 'utf8');
  },
  decode(bytes) {
    if (!isUtf8(bytes)) throw notEncoded('a string', bytes);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  },
  encodePrefix: (prefix) => stringKey.encode(prefix as string),
  from(value) {
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
      return String(value);
    // An empty cell or string is no key, as in imports without types.
    return typeof value === 'string' && value !== '' && value.isWellFormed() ? value : undefined;
  },
};

/** Byte strings, which sort as unsigned bytes, the shorter first where one begins with the other. */
export const bytesKey: KeyPart<Uint8Array> = {
  words: 'a Uint8Array',
  encode(key) {
    if (!(key instanceof Uint8Array)) throw notA('a Uint8Array', key);
    return Buffer.from(key);
  },
  decode: (bytes) => Buffer.from(bytes),
  encodePrefix: (prefix) => bytesKey.encode(prefix as Uint8Array),
  from: (value) => (value instanceof Uint8Array ? value : undefined),
};

/** false, then true. */
export const booleanKey: KeyPart<boolean> = {
  words: 'true or false',
  encode(key) {
    if (typeof key !== 'boolean') throw notA('true or false', key);
    return Buffer.from([key ? 1 : 0]);
  },
  decode(bytes) {
    if (bytes.length !== 1 || bytes[0] > 1) throw notEncoded('true or false', bytes);
    return bytes[0] === 1;
  },
  byteLengthAt: () => 1,
  from(value) {
    if (value === 'true' || value === 'false') return value === 'true';
    return typeof value === 'boolean' ? value : undefined;
  },
};
