// Walks the members of a JSON object, or the items of an array, in the bytes themselves: in the order in which
// they are written, with each value as it is written. JSON.parse would move names that look like integers to
// the front and round long numbers, and it costs several times as much.

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
  skipSpace,
} from './json-bytes.js';

/**
 * Stands on one member or item after the other. Every method raises SyntaxError where the bytes are not JSON,
 * and a walk to the end has looked at all of them, but for UTF-8, which the caller checks before.
 *
 * @example
 * ```ts
 * const cursor = new JsonCursor(Buffer.from('{"b":1.0,"1":{"c":2}}'));
 * while (cursor.next()) console.log(cursor.name(), cursor.value()); // b 1.0, then 1 {"c":2}
 * ```
 */
export class JsonCursor {
  /** Whether the JSON is an array: its items have no name. */
  isArray = false;
  /** Of the member or item that the cursor stands on, counted from 0. */
  index = -1;
  /** Whether the member has the name that was guessed. */
  isUsual = false;
  /** Where the value begins and ends in the bytes, a string's quotes included. */
  valueStart = 0;
  valueEnd = 0;
  /** Whether the value is a string that has escapes in it. */
  isEscaped = false;

  private bytes: Uint8Array;
  private nameStart = 0;
  private nameEnd = 0;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.reset(bytes);
  }

  /** Goes before the first member of other JSON. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.index = -1;
    this.at = skipSpace(bytes, 0);
    const open = bytes[this.at];
    this.isArray = open === BRACKET_OPEN;
    if (open !== BRACE_OPEN && !this.isArray) this.fail(this.at);
    this.at = skipSpace(bytes, this.at + 1);
  }

  /**
   * Goes to the next member; false after the last one.
   *
   * @param usualName The name, as JSON, that the member probably has; a guess that is right saves time.
   */
  next(usualName?: Uint8Array): boolean {
    const { bytes } = this;
    const byte = bytes[this.at];
    // A comma promises another member.
    if (byte === (this.isArray ? BRACKET_CLOSE : BRACE_CLOSE)) return this.finish();
    if (this.index >= 0) {
      if (byte !== COMMA) this.fail(this.at);
      this.at = skipSpace(bytes, this.at + 1);
    }
    this.index++;
    if (!this.isArray) this.takeName(usualName);
    this.valueStart = this.at;
    this.valueEnd = this.endOfValue(this.at);
    this.at = skipSpace(bytes, this.valueEnd);
    return true;
  }

  /** The member's name. */
  name(): string {
    return JSON.parse(this.text(this.nameStart, this.nameEnd)) as string;
  }

  /** The value as it is written. */
  value(): string {
    return this.text(this.valueStart, this.valueEnd);
  }

  /** Whether the value is a string. */
  isString(): boolean {
    return this.bytes[this.valueStart] === QUOTE;
  }

  /** Whether the value is null. */
  isNull(): boolean {
    // Of JSON's values only this one begins so.
    return this.bytes[this.valueStart] === LOWER_N;
  }

  private text(start: number, end: number): string {
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(buffer, byteOffset + start, end - start).toString('utf8');
  }

  private takeName(usualName: Uint8Array | undefined): void {
    const { bytes } = this;
    this.isUsual = usualName !== undefined && standsAt(bytes, this.at, usualName);
    this.nameStart = this.at;
    if (this.isUsual && usualName) this.nameEnd = this.at + usualName.length;
    else {
      this.nameEnd = this.endOfString(this.at);
      // What escapes may be is left to JSON.parse, here and for values.
      if (this.isEscaped) this.name();
    }
    const colon = skipSpace(bytes, this.nameEnd);
    if (bytes[colon] !== COLON) this.fail(colon);
    this.at = skipSpace(bytes, colon + 1);
  }

  private finish(): boolean {
    const end = skipSpace(this.bytes, this.at + 1);
    if (end !== this.bytes.length) this.fail(end);
    return false;
  }

  private endOfValue(start: number): number {
    const byte = this.bytes[start];
    this.isEscaped = false;
    let end: number;
    if (byte === QUOTE) {
      end = this.endOfString(start);
      if (this.isEscaped) JSON.parse(this.text(start, end));
    } else if (byte === BRACE_OPEN || byte === BRACKET_OPEN) {
      end = this.endOfNested(start);
      this.isEscaped = false;
      JSON.parse(this.text(start, end));
    } else {
      end = endOfScalar(this.bytes, start);
      if (end === start) this.fail(start);
    }
    return end;
  }

  private endOfString(start: number): number {
    const { bytes } = this;
    if (bytes[start] !== QUOTE) this.fail(start);
    this.isEscaped = false;
    for (let at = start + 1; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) {
        this.isEscaped = true;
        at++;
      } else if (byte < SPACE) this.fail(at);
    }
    return this.fail(bytes.length);
  }

  /** Finds the end by counting brackets outside strings. */
  private endOfNested(start: number): number {
    const { bytes } = this;
    let depth = 0;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) at = this.endOfString(at) - 1;
      else if (byte === BRACE_OPEN || byte === BRACKET_OPEN) depth++;
      else if ((byte === BRACE_CLOSE || byte === BRACKET_CLOSE) && --depth === 0) return at + 1;
    }
    return this.fail(bytes.length);
  }

  private fail(at: number): never {
    const found = at < this.bytes.length ? `an unexpected byte 0x${this.bytes[at].toString(16)}` : 'the end';
    throw new SyntaxError(`not JSON at byte ${at + 1}: ${found}`);
  }
}

function standsAt(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[at + index] !== expected[index]) return false;
  }
  return true;
}
