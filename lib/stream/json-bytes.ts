// JSON's punctuation and scalars as bytes.

export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BRACKET_OPEN = 0x5b;
export const BACKSLASH = 0x5c;
export const BRACKET_CLOSE = 0x5d;
export const LOWER_N = 0x6e;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

const LITERALS: readonly Buffer[] = ['true', 'false', 'null'].map((literal) => Buffer.from(literal));

/** The first byte from `at` on that is not white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  for (; ; at++) {
    const byte = bytes[at];
    if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) return at;
  }
}

/** Where the number, true, false or null ends that begins at `start`; `start` where there is none. */
export function endOfScalar(bytes: Uint8Array, start: number): number {
  const byte = bytes[start];
  if (byte === MINUS || isDigit(byte)) return endOfNumber(bytes, start);
  for (const literal of LITERALS) {
    if (byte !== literal[0]) continue;
    for (let at = 1; at < literal.length; at++) if (bytes[start + at] !== literal[at]) return start;
    return start + literal.length;
  }
  return start;
}

function endOfNumber(bytes: Uint8Array, start: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  let at = bytes[first] === ZERO ? first + 1 : endOfDigits(bytes, first);
  if (at === first) return start;
  if (bytes[at] === POINT) {
    const end = endOfDigits(bytes, at + 1);
    if (end === at + 1) return start;
    at = end;
  }
  if (bytes[at] !== UPPER_E && bytes[at] !== LOWER_E) return at;
  const exponent = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? at + 2 : at + 1;
  const end = endOfDigits(bytes, exponent);
  return end === exponent ? start : end;
}

function endOfDigits(bytes: Uint8Array, at: number): number {
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
