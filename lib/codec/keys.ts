// The key codecs that the library has, under the names that callers use.

import { bigintKey } from './bigint-key.js';
import type { KeyPart } from './key-codec.js';
import { dateKey, numberKey } from './number-key.js';
import { booleanKey, bytesKey, stringKey } from './text-key.js';
import { type TupleKeyCodec, tupleKey } from './tuple-key.js';

/**
 * Keys that sort as their type does.
 *
 * @example
 * ```ts
 * const visits = db.bucket('visits', { key: keys.tuple(keys.string, keys.date) });
 * await visits.put(['ada', new Date('2024-03-01')], Buffer.from('London'));
 * await visits.put(['ada', new Date('1843-09-01')], Buffer.from('Paris'));
 * for (const [[name, day]] of visits.range({ prefix: ['ada'] })) console.log(name, day.getUTCFullYear());
 * // prints ada 1843
 * // prints ada 2024
 * ```
 */
export const keys = {
  /** Strings by their code points; the same bytes as in a bucket without types. */
  string: stringKey,
  /** Any number but NaN, in eight bytes. -0 is 0. A text of digits that do not come back is none. */
  number: numberKey,
  /** Whole numbers of up to 1016 bits, in as few bytes as they need. */
  bigint: bigintKey,
  /** Dates, to the millisecond, in eight bytes. A text without a zone is in UTC; 30 February is no date. */
  date: dateKey,
  /** false, then true. */
  boolean: booleanKey,
  /** Byte strings; what is read is a Buffer of its own. */
  bytes: bytesKey,
  /** Keys of several of the others, which sort by the first part, then by the second, and so on. */
  tuple: tupleKey,
} as const;

const KEY_TYPE_NAMES = ['string', 'number', 'bigint', 'date', 'boolean'] as const;

/** What a part of an import's key may be said to be, as in `id:number`. */
export type KeyTypeName = (typeof KEY_TYPE_NAMES)[number];

const TYPED_NAME = new RegExp(`^(.+):(${KEY_TYPE_NAMES.join('|')})$`, 's');
const NAME_AND_WORD = /^(.+):(\w+)$/s;

/** A name with the type that stands behind its last colon, if one does. */
export function typedName(text: string): { readonly name: string; readonly type: KeyTypeName | undefined } {
  const [, name, type] = TYPED_NAME.exec(text) ?? [];
  return name === undefined ? { name: text, type: undefined } : { name, type: type as KeyTypeName };
}

/**
 * What to say of a name that is not there, where it looks as one with a type behind it and `isThere` holds for the
 * name before: that there is no such type, or, for a type that there is, that none belongs here.
 */
export function typeAdvice(text: string, isThere: (name: string) => boolean): string | undefined {
  const [, name, word] = NAME_AND_WORD.exec(text) ?? [];
  if (name === undefined || !isThere(name)) return undefined;
  if (typedName(text).type !== undefined)
    return `the keys have the types of the bucket: name ${JSON.stringify(name)} alone`;
  const types = `${KEY_TYPE_NAMES.slice(0, -1).join(', ')} or ${KEY_TYPE_NAMES.at(-1)}`;
  return `there is no type ${JSON.stringify(word)}: behind ${JSON.stringify(name)} may stand :${types}`;
}

/** The codec for parts of one type each: that of the only one, or a tuple. */
export function partsCodec(
  parts: readonly KeyPart<unknown>[],
): KeyPart<unknown> | TupleKeyCodec<readonly unknown[]> {
  return parts.length === 1 ? parts[0] : tupleKey(...parts);
}
