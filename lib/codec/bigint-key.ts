// Whole numbers of any size: a byte that says sign and length, then the magnitude, the highest byte first.
//
//      0            80
//      positive     80 + n   n bytes of the magnitude          1: 81 01      256: 82 01 00
//      negative     7f - n   n bytes of it, inverted          -1: 7e fe     -256: 7d fe ff
//
// So longer positive ones come later and longer negative ones earlier, and among those of one length the bytes decide.

import { type KeyPart, notA, notEncoded } from './key-codec.js';

const ZERO = 0x80;
const MAGNITUDE_BYTES_MAX = 127;
const WORDS = 'a bigint';

/** Any bigint of up to 127 bytes, which is 1016 bits. */
export const bigintKey: KeyPart<bigint> = {
  words: WORDS,
  encode(key) {
    if (typeof key !== 'bigint') throw notA(WORDS, key);
    const negative = key < 0n;
    const hex = key === 0n ? '' : (negative ? -key : key).toString(16);
    const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
    if (magnitude.length > MAGNITUDE_BYTES_MAX)
      throw notA(`${WORDS} of at most ${MAGNITUDE_BYTES_MAX * 8} bits`, key);
    if (!negative) return Buffer.from([ZERO + magnitude.length, ...magnitude]);
    return Buffer.from([ZERO - 1 - magnitude.length, ...magnitude.map((byte) => byte ^ 0xff)]);
  },
  decode(bytes) {
    const length = bytes.length === 0 ? 0 : magnitudeBytes(bytes[0]);
    const negative = bytes[0] < ZERO;
    const magnitude = Buffer.from(bytes.subarray(1));
    if (negative) for (let at = 0; at < magnitude.length; at++) magnitude[at] ^= 0xff;
    // One number has one encoding: without zeros before it, and 0 is not negative.
    if (bytes.length !== length + 1 || magnitude[0] === 0 || (negative && length === 0))
      throw notEncoded(WORDS, bytes);
    const number = length === 0 ? 0n : BigInt(`0x${magnitude.toString('hex')}`);
    return negative ? -number : number;
  },
  byteLengthAt: (bytes, at) => 1 + magnitudeBytes(bytes[at]),
  from(value) {
    if (typeof value === 'bigint') return value;
    const isWhole =
      typeof value === 'number'
        ? Number.isSafeInteger(value)
        : typeof value === 'string' && WHOLE.test(value);
    return isWhole ? BigInt(value as string | number) : undefined;
  },
};

const WHOLE = /^-?\d+$/;

function magnitudeBytes(first: number): number {
  return first >= ZERO ? first - ZERO : ZERO - 1 - first;
}
