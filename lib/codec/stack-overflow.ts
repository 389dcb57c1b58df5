// Values nested so deeply that work on them runs out of stack: that is about the value, and ends nothing else.

/** What is said of such a value. */
export const TOO_DEEP =
  'it is nested too deeply to be checked, or its schema refers to itself without end: make it flatter';

export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}
