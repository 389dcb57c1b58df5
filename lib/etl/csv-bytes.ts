// What each byte means to a CSV scanner, as tables: one for outside quotes, one for inside.

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
