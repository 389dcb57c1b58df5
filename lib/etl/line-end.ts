// Line ends as bytes. A carriage return and a line feed together are one.

export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;

/** The first line end from `at` on. There must be one: a block of records has one past its end. */
export function endOfLine(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== LINE_FEED && bytes[at] !== CARRIAGE_RETURN) at++;
  return at;
}
