// Line ends as bytes. A carriage return and a line feed together are one.

export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;

/** The first line end from `at` on. There must be one: a block of records has one past its end. */
export function endOfLine(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== LINE_FEED && bytes[at] !== CARRIAGE_RETURN) at++;
  return at;
}

/** How many lines end between two places. */
export function lineBreaks(bytes: Uint8Array, start: number, end: number): number {
  let breaks = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] === LINE_FEED || (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] !== LINE_FEED)) breaks++;
  }
  return breaks;
}
