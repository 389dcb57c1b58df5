// What turns keys of one type into bytes that sort as they do, and back. Two interfaces: any codec makes keys, a part
// can also stand in a tuple beside others and be made of what a row of CSV or JSON holds.

import { StoreError } from '../errors.js';

/**
 * Keys of one type as bytes. The keys of {@link keys} sort as their type does; one of your own must have `encode`
 * do so where ranges are to mean anything, and raise for what it cannot hold.
 *
 * @example
 * ```ts
 * import type { KeyCodec } from 'btree-store';
 *
 * const upperCase: KeyCodec<string> = {
 *   encode: (code) => Buffer.from(code.toUpperCase()),
 *   decode: (bytes) => Buffer.from(bytes).toString(),
 * };
 * const airports = db.bucket('airports', { key: upperCase });
 * await airports.put('lhr', Buffer.from('Heathrow'));
 * airports.has('LHR'); // true
 * upperCase.decode(upperCase.encode('lhr')); // 'LHR'
 * ```
 */
export interface KeyCodec<Key> {
  /** The bytes of a key, which may be used again only by who gets them. */
  encode(key: Key): Uint8Array;
  /** The key of which these are the bytes; they are valid during the call alone. */
  decode(bytes: Uint8Array): Key;
  /** The beginning that all keys share which begin with `prefix`; absent where there is no such thing. */
  encodePrefix?(prefix: unknown): Uint8Array;
}

/** A codec whose keys can be parts of a tuple. Those of {@link keys} are, the tuples excepted. */
export interface KeyPart<Key> extends KeyCodec<Key> {
  /** What its keys are, for messages: 'a number'. */
  readonly words: string;
  /** Bytes that the part at `at` takes, where they tell so themselves; else it ends with the key or a separator. */
  byteLengthAt?(bytes: Uint8Array, at: number): number;
  /** The key that a cell's text or a JSON value stands for; undefined where it stands for none. */
  from(value: unknown): Key | undefined;
  /** What stands against a value that `from` has no key for, where the type alone does not tell; else undefined. */
  problemOf?(value: unknown): string | undefined;
}

/** What a value must be that is no key of a part, as in 'must be a date, not "2024-02-30": there is no such day'. */
export function refusal(part: KeyPart<unknown>, value: unknown): string {
  const problem = part.problemOf?.(value);
  const message = shownRefusal(part.words, typeof value === 'string' ? JSON.stringify(value) : value);
  return problem === undefined ? message : `${message}: ${problem}`;
}

/** The error for a key that a codec cannot hold. */
export function notA(words: string, key: unknown): StoreError {
  return new StoreError('INVALID_KEY', `a key ${shownRefusal(words, key)}`);
}

function shownRefusal(words: string, value: unknown): string {
  const shown =
    typeof value === 'object' && value !== null
      ? Array.isArray(value)
        ? 'an array'
        : 'an object'
      : String(value);
  return `must be ${words}, not ${shown.slice(0, 60)}`;
}

/** The error for bytes that no key of a codec has. */
export function notEncoded(words: string, bytes: Uint8Array): StoreError {
  const hex = Buffer.from(bytes.subarray(0, 24)).toString('hex');
  const message = `the key with the bytes ${hex} is not ${words}: it was put there by other means than a bucket of this type`;
  return new StoreError('INVALID_KEY', message, { details: { key: Buffer.from(bytes) } });
}
