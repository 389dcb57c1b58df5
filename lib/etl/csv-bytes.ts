// What each byte means to a CSV scanner, as tables, one for outside quotes and one for inside; and the search for the
// end of plain text, which goes by words.

import { fourTimes, HIGH_BITS } from '../stream/word-bytes.js';
import { CARRIAGE_RETURN, LINE_FEED } from './line-end.js';

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** A byte of text that JSON, too, takes as it is. */
export const PLAIN = 0;
/** A byte of text that JSON escapes: a backslash or a control character. */
export const ESCAPED = 1;
export const IS_QUOTE = 2;
/** From here up a cell ends, outside quotes. */
export const IS_DELIMITER = 3;
export const IS_LINE_FEED = 4;
export const IS_CARRIAGE_RETURN = 5;

/** Bytes inside quotes, where a delimiter is text. */
export const QUOTED_KINDS: Uint8Array = quotedKinds();

/** Bytes outside quotes. */
export function unquotedKinds(delimiter: number): Uint8Array {
  const kinds = quotedKinds();
  kinds[delimiter] = IS_DELIMITER;
  return kinds;
}

function quotedKinds(): Uint8Array {
  const kinds = new Uint8Array(256);
  kinds.fill(ESCAPED, 0, SPACE);
  kinds[BACKSLASH] = ESCAPED;
  kinds[QUOTE] = IS_QUOTE;
  kinds[LINE_FEED] = IS_LINE_FEED;
  kinds[CARRIAGE_RETURN] = IS_CARRIAGE_RETURN;
  return kinds;
}

const ONES = fourTimes(1);
const SPACES = fourTimes(SPACE);
const QUOTES = fourTimes(QUOTE);
const BACKSLASHES = fourTimes(BACKSLASH);

/** Where a delimiter is text: in its place quotes are looked for once more. */
export const NO_DELIMITER = QUOTES;

/**
 * Where the first byte at or after `at` stands that is not PLAIN, or is that of `delimiters` (see `fourTimes`): four
 * bytes at a time, however they lie. The caller knows that there is one; three bytes behind it are read too.
 *
 * Subtracting from a byte what it is less than sets its high bit, and that of bytes with the bit set already, which
 * `& ~word` takes out. What it borrows from falsifies the bytes above it alone, and only the lowest counts.
 */
export function endOfPlain(view: DataView, at: number, delimiters: number): number {
  for (let word = at; ; word += 4) {
    const text = view.getInt32(word, true);
    const quote = text ^ QUOTES;
    const backslash = text ^ BACKSLASHES;
    const delimiter = text ^ delimiters;
    const found =
      (((text - SPACES) & ~text) |
        ((quote - ONES) & ~quote) |
        ((backslash - ONES) & ~backslash) |
        ((delimiter - ONES) & ~delimiter)) &
      HIGH_BITS;
    if (found !== 0) return word + ((31 - Math.clz32(found & -found)) >>> 3);
  }
}
