// Numbers and dates as eight bytes: the number's IEEE 754 double, its bits turned so that bytes sort as numbers do.
//
//      positive   0 eeeeeeeeeee mmmm…   the sign bit set: after all negative ones, greater exponents later
//      negative   1 eeeeeeeeeee mmmm…   every bit inverted: greater magnitudes earlier
//
// -0 is kept as 0, which it equals. NaN has no place in the order, and is refused.

import { dateOfText, isDateForm } from './date-text.js';
import { type KeyPart, notA, notEncoded } from './key-codec.js';

const BYTES = 8;
const SIGN = 0x80;
/** From here on doubles are whole, and not all whole numbers are doubles. */
const WHOLE_FROM = 2 ** 53;
const PARTS = /^[+-]?(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;
/** So many characters without an exponent are no more digits than every double holds, and no fraction so small as to be 0. */
const SURE_LENGTH = 15;
const EXPONENT = /e/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^-?Infinity$/;

/** Any number but NaN. */
export const numberKey: KeyPart<number> = {
  words: 'a number',
  encode(key) {
    if (typeof key !== 'number' || Number.isNaN(key)) throw notA('a number', key);
    return encodeNumber(key);
  },
  decode: (bytes) => decodeNumber(bytes, 'a number'),
  byteLengthAt: () => BYTES,
  from(value) {
    const number = numberOf(value);
    return number !== undefined && holds(number, value) ? number : undefined;
  },
  problemOf(value) {
    const number = numberOf(value);
    if (number === undefined || holds(number, value)) return undefined;
    if (number === 0) return TOO_SMALL;
    return Number.isFinite(number) ? TOO_LONG : TOO_LARGE;
  },
};

const TOO_LONG =
  'a number does not hold all of its digits; a bigint does: give the key that type, as in id:bigint or keys.bigint';
const TOO_LARGE =
  'it is past the largest number, 1.8e308; give the key the type bigint, as in id:bigint, and write out the digits';
const TOO_SMALL = 'it is not 0, but so near to it that a number holds it as 0';

function numberOf(value: unknown): number | undefined {
  const isText = typeof value === 'string' && (DECIMAL.test(value) || INFINITE.test(value));
  const number = isText ? Number(value) : value;
  return typeof number === 'number' && !Number.isNaN(number) ? number : undefined;
}

/**
 * Whether a number is what was written: whole numbers, also those with an exponent or a fraction of zeros, must come back
 * with all their digits, so that no two are one key and what an export or a scan writes can be given again. Fractions
 * are rounded as JavaScript does, so two of their texts may be one key; none but 0 may become 0. Of a number that comes
 * without its digits nobody can tell, once it is so large that whole numbers are rounded.
 */
function holds(number: number, written: unknown): boolean {
  if (typeof written !== 'string') return Math.abs(number) < WHOLE_FROM;
  // Almost every key of an import: the digits need not be taken apart.
  if (written.length <= SURE_LENGTH && !EXPONENT.test(written)) return true;
  if (!Number.isFinite(number)) return false;
  const decimal = decimalOf(written);
  if (decimal.digits === '') return true;
  if (number === 0) return false;
  if (decimal.exponent < 0 && Math.abs(number) < WHOLE_FROM) return true;
  const held = decimalOf(String(number));
  return held.digits === decimal.digits && held.exponent === decimal.exponent;
}

/** A decimal without its sign as digits times a power of ten; no zeros stand at either end, and 0 has no digits. */
function decimalOf(text: string): { digits: string; exponent: number } {
  const [, whole = '', fraction = '', exponent = '0'] = PARTS.exec(text) ?? [];
  const all = whole + fraction;
  let start = 0;
  while (all[start] === '0') start++;
  let end = all.length;
  while (end > start && all[end - 1] === '0') end--;
  return { digits: all.slice(start, end), exponent: Number(exponent) - fraction.length + all.length - end };
}

/** Any Date that is a time, to the millisecond. */
export const dateKey: KeyPart<Date> = {
  words: 'a date',
  encode(key) {
    const time = key instanceof Date ? key.getTime() : Number.NaN;
    if (Number.isNaN(time)) throw notA('a valid Date', key);
    return encodeNumber(time);
  },
  decode(bytes) {
    const date = new Date(decodeNumber(bytes, 'a date'));
    if (Number.isNaN(date.getTime())) throw notEncoded('a date', bytes);
    return date;
  },
  byteLengthAt: () => BYTES,
  from(value) {
    const date = typeof value === 'string' ? dateOfText(value) : value;
    return date instanceof Date && !Number.isNaN(date.getTime()) ? date : undefined;
  },
  problemOf(value) {
    if (typeof value !== 'string' || !isDateForm(value)) return undefined;
    return dateOfText(value) === undefined ? 'there is no such day or time' : undefined;
  },
};

function encodeNumber(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(BYTES);
  // Adding 0 makes 0 of -0.
  bytes.writeDoubleBE(number + 0);
  if (bytes[0] < SIGN) bytes[0] ^= SIGN;
  else for (let at = 0; at < BYTES; at++) bytes[at] ^= 0xff;
  return bytes;
}

function decodeNumber(bytes: Uint8Array, words: string): number {
  if (bytes.length !== BYTES) throw notEncoded(words, bytes);
  const turned = Buffer.from(bytes);
  if (turned[0] >= SIGN) turned[0] ^= SIGN;
  else for (let at = 0; at < BYTES; at++) turned[at] ^= 0xff;
  const number = turned.readDoubleBE();
  if (Number.isNaN(number)) throw notEncoded(words, bytes);
  return number;
}
