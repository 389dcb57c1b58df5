// Looks through a line of NDJSON without making anything of it: whether it is an object, and where the values of a
// few members stand. It knows all lines that it takes to be JSON; one that it does not know, be it for its depth or
// a name that is written with escapes, is left to JSON.parse, whose word counts and whose messages are told.

import { endOfPlain, fourTimes, QUOTE } from './csv-bytes.js';

const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LEFT_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const RIGHT_BRACKET = 0x5d;
const LEFT_BRACE = 0x7b;
const RIGHT_BRACE = 0x7d;
/** The bit that makes a letter a small one. */
const SMALL = 0x20;
const SMALL_E = 0x65;
const SMALL_A = 0x61;
const SMALL_F = 0x66;
const SMALL_T = 0x74;
const SMALL_U = 0x75;

const QUOTES = fourTimes(QUOTE);
/** `true`, `null` and the end of `false`, as numbers whose first byte is the lowest. */
const TRUE = 0x65_75_72_74;
const NULL = 0x6c_6c_75_6e;
const ALSE = 0x65_73_6c_61;
/** `[` and `{` differ from what ends them by so much. */
const TO_END = 2;
/** One bit of a number for each open object or array. */
const DEPTH_MAX = 30;
/** All whole numbers of so many digits are exact, and are written as they stand. */
const EXACT_DIGITS = 15;

/** What may follow a backslash, but for `u`. */
const ESCAPES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

export class JsonLine {
  /**
   * Where the text of each member's value stands: within the quotes, or a number's or truth value's own. The end is
   * 0 where nothing stands, and for what cannot be taken as it is written.
   */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  private readonly names: readonly Buffer[];
  private bytes: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;
  /** Whether the string passed last has escapes. */
  private hasEscapes = false;
  /** The member whose value comes next, -1 for one that nobody asked for. */
  private member = -1;

  /** @param members Names of members of the object itself. */
  constructor(members: readonly string[]) {
    this.names = members.map((name) => Buffer.from(name));
    this.starts = new Uint32Array(members.length);
    this.ends = new Uint32Array(members.length);
  }

  /** Whether members of this name can be found: one that JSON can write without escapes. */
  static canFind(name: string): boolean {
    return JSON.stringify(name) === `"${name}"`;
  }

  /**
   * Whether `bytes[start, end)` are known to be an object. They are UTF-8, no white space is at either end, and
   * behind them stands a line end, with three bytes more to be read.
   */
  isObject(bytes: Buffer, view: DataView, start: number, end: number): boolean {
    if (bytes[start] !== LEFT_BRACE) return false;
    this.bytes = bytes;
    this.view = view;
    this.at = start;
    this.member = -1;
    this.ends.fill(0);
    return this.passValue() && this.at === end;
  }

  /** Passes a value with all that is in it, by a loop: `open` has a bit for each level, set for objects. */
  private passValue(): boolean {
    const { bytes } = this;
    let depth = 0;
    let open = 0;
    for (;;) {
      const first = bytes[this.at];
      let isOpened = false;
      if (first === LEFT_BRACE || first === LEFT_BRACKET) {
        if (++depth > DEPTH_MAX) return false;
        open = (open << 1) | (first === LEFT_BRACE ? 1 : 0);
        this.at++;
        this.skipSpaces();
        isOpened = bytes[this.at] !== first + TO_END;
      } else if (!this.passScalar(first)) return false;
      if (!isOpened) {
        // What was passed is whole, be it an empty object, and so may be what it is the last of.
        if (first === LEFT_BRACE || first === LEFT_BRACKET) {
          depth--;
          open >>>= 1;
          this.at++;
        }
        for (;;) {
          if (depth === 0) return true;
          this.skipSpaces();
          const next = bytes[this.at++];
          if (next === COMMA) break;
          if (next !== ((open & 1) === 0 ? RIGHT_BRACKET : RIGHT_BRACE)) return false;
          depth--;
          open >>>= 1;
        }
        this.skipSpaces();
      }
      this.member = -1;
      if ((open & 1) !== 0 && !this.passName(depth === 1)) return false;
    }
  }

  private skipSpaces(): void {
    const { bytes } = this;
    let byte = bytes[this.at];
    while (byte <= SPACE && (byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN))
      byte = bytes[++this.at];
  }

  /** Passes a member's name and its colon. */
  private passName(isOwn: boolean): boolean {
    const { bytes } = this;
    if (bytes[this.at] !== QUOTE) return false;
    const start = this.at + 1;
    if (!this.passString()) return false;
    if (isOwn) {
      // It may be any name, and so one that was asked for.
      if (this.hasEscapes) return false;
      this.findMember(start, this.at - 1 - start);
    }
    this.skipSpaces();
    if (bytes[this.at] !== COLON) return false;
    this.at++;
    this.skipSpaces();
    return true;
  }

  private findMember(start: number, length: number): void {
    const { names, bytes } = this;
    for (let member = 0; member < names.length; member++) {
      const name = names[member];
      if (name.length !== length) continue;
      let at = 0;
      while (at < length && name[at] === bytes[start + at]) at++;
      if (at < length) continue;
      this.member = member;
      // Of several members of one name the last counts.
      this.ends[member] = 0;
      return;
    }
  }

  /** Passes a string, a number, a truth value or null; notes it where it was asked for. */
  private passScalar(first: number): boolean {
    const start = this.at;
    if (first === QUOTE) {
      if (!this.passString()) return false;
      if (this.member >= 0 && !this.hasEscapes && this.at - start > 2) this.note(start + 1, this.at - 1);
      return true;
    }
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.passNumber(start);
    const { view } = this;
    const isFalse = first === SMALL_F;
    const word = view.getInt32(isFalse ? start + 1 : start, true);
    if (word !== (isFalse ? ALSE : first === SMALL_T ? TRUE : NULL)) return false;
    this.at = start + (isFalse ? 5 : 4);
    if (word !== NULL && this.member >= 0) this.note(start, this.at);
    return true;
  }

  private note(start: number, end: number): void {
    this.starts[this.member] = start;
    this.ends[this.member] = end;
  }

  /** Passes a string, from its first quote to behind its last. The line feed behind the line ends all search. */
  private passString(): boolean {
    const { bytes, view } = this;
    this.hasEscapes = false;
    let at = this.at + 1;
    for (;;) {
      at = endOfPlain(view, at, QUOTES);
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) return false;
      this.hasEscapes = true;
      if (ESCAPES[bytes[at + 1]] === 1) at += 2;
      else if (bytes[at + 1] === SMALL_U && isHexadecimal(bytes, at + 2)) at += 6;
      else return false;
    }
    this.at = at + 1;
    return true;
  }

  private passNumber(start: number): boolean {
    const { bytes } = this;
    let at = start;
    if (bytes[at] === MINUS) at++;
    const digits = at;
    at = endOfDigits(bytes, at);
    const length = at - digits;
    if (length === 0 || (length > 1 && bytes[digits] === ZERO)) return false;
    const whole = at;
    if (bytes[at] === POINT) {
      at = endOfDigits(bytes, at + 1);
      if (at === whole + 1) return false;
    }
    if ((bytes[at] | SMALL) === SMALL_E) {
      const sign = bytes[at + 1];
      const exponent = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
      at = endOfDigits(bytes, exponent);
      if (at === exponent) return false;
    }
    this.at = at;
    const isMinusZero = digits > start && bytes[digits] === ZERO;
    if (this.member >= 0 && at === whole && length <= EXACT_DIGITS && !isMinusZero) this.note(start, at);
    return true;
  }
}

function endOfDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] >= ZERO && bytes[at] <= NINE) at++;
  return at;
}

function isHexadecimal(bytes: Uint8Array, at: number): boolean {
  for (let digit = at; digit < at + 4; digit++) {
    const byte = bytes[digit];
    const letter = byte | SMALL;
    // A line end is neither, so that nothing behind it is looked at.
    if ((byte < ZERO || byte > NINE) && (letter < SMALL_A || letter > SMALL_F)) return false;
  }
  return true;
}
