// Looks through a line of NDJSON without making anything of it: whether it is an object, and where the values of a
// few members stand. It knows all lines that it takes to be JSON; one that it does not know, be it for its depth or
// a name that is written with escapes, is left to JSON.parse, whose word counts and whose messages are told.

import {
  BACKSLASH,
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  COMMA,
  endOfScalar,
  LOWER_N,
  QUOTE,
  SPACE,
} from '../stream/json-bytes.js';
import { endOfPlain, NO_DELIMITER } from './csv-bytes.js';
import { CARRIAGE_RETURN } from './line-end.js';

const TAB = 0x09;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** The bit that makes a letter a small one. */
const SMALL = 0x20;
const SMALL_A = 0x61;
const SMALL_F = 0x66;
const SMALL_U = 0x75;

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
    if (bytes[start] !== BRACE_OPEN) return false;
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
      let isFilled = false;
      if (first === BRACE_OPEN || first === BRACKET_OPEN) {
        if (++depth > DEPTH_MAX) return false;
        open = (open << 1) | (first === BRACE_OPEN ? 1 : 0);
        this.at++;
        this.skipSpaces();
        isFilled = bytes[this.at] !== first + TO_END;
      } else if (!this.passScalar(first)) return false;
      if (!isFilled) {
        // Behind a value, or in what is empty: what ends here is passed, up to a comma.
        for (;;) {
          if (depth === 0) return true;
          this.skipSpaces();
          const next = bytes[this.at++];
          if (next === COMMA) break;
          if (next !== ((open & 1) === 0 ? BRACKET_CLOSE : BRACE_CLOSE)) return false;
          depth--;
          open >>>= 1;
        }
        this.skipSpaces();
      }
      this.member = -1;
      if ((open & 1) !== 0 && !this.passName(depth === 1)) return false;
    }
  }

  /** Stops at a line feed: nothing behind the line's end is looked at. */
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
    const { bytes } = this;
    this.at = endOfScalar(bytes, start);
    if (this.at === start) return false;
    if (this.member >= 0 && isExact(bytes, start, this.at)) this.note(start, this.at);
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
      at = endOfPlain(view, at, NO_DELIMITER);
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
}

/** Whether a number or word is a key as it stands: a truth value, or whole, and not so long that it may be rounded. */
function isExact(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first > NINE) return first !== LOWER_N;
  const digits = first === MINUS ? start + 1 : start;
  // -0 is the number 0.
  if (end - digits > EXACT_DIGITS || (digits > start && bytes[digits] === ZERO)) return false;
  for (let at = digits; at < end; at++) if (bytes[at] < ZERO || bytes[at] > NINE) return false;
  return true;
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
