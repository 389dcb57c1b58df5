// Keys and values as text, for people and for command lines: bytes that are no text become escapes.
//
//      \\  a backslash        \n \r \t  as in most languages        \xHH  any byte

import { isUtf8 } from 'node:buffer';
import { usageFailure } from './failure.js';

// Control characters of ASCII and of Latin 1: terminals act on them, and a tab or a line end would look like ours.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const CONTROL_OR_BACKSLASH = new RegExp(`${CONTROL.source.slice(0, -1)}\\\\]`, 'g');
const REPLACEMENT = '\ufffd';
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
const UTF8_BYTES_MAX = 4;

/** Bytes as they are where they are plain text, or else with escapes. */
export function shownText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!CONTROL.test(text) && isText(bytes, text)) return text;
  return escapedText(bytes);
}

/** Bytes with every backslash, control character and byte that is no text as an escape. */
export function escapedText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (isText(bytes, text)) return text.replace(CONTROL_OR_BACKSLASH, escapeCharacter);
  let escaped = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    const character = bytes.subarray(at, at + Math.max(1, length));
    escaped += length === 0 ? escapeBytes(character) : escapedText(character);
    at += character.length;
  }
  return escaped;
}

/** The bytes that a text with escapes stands for. */
export function unescapedBytes(text: string): Buffer {
  const pieces: Buffer[] = [];
  const escapes = /\\(?:([\\nrt])|x([0-9a-fA-F]{2}))/y;
  for (let at = 0; at < text.length; ) {
    const backslash = text.indexOf('\\', at);
    const end = backslash < 0 ? text.length : backslash;
    pieces.push(Buffer.from(text.slice(at, end)));
    if (backslash < 0) break;
    escapes.lastIndex = backslash;
    const [found, name, hex] = escapes.exec(text) ?? [];
    if (found === undefined) {
      const advice = 'with --escapes a backslash begins one of \\\\ \\n \\r \\t \\xHH';
      throw usageFailure(`${JSON.stringify(text)} has an unknown escape: ${advice}`);
    }
    pieces.push(hex === undefined ? Buffer.from(unnamed(name)) : Buffer.from(hex, 'hex'));
    at = backslash + found.length;
  }
  return Buffer.concat(pieces);
}

/** Whether the bytes, which decode to this, are UTF-8. Decoding puts U+FFFD for what is not. */
function isText(bytes: Buffer, text: string): boolean {
  return !text.includes(REPLACEMENT) || isUtf8(bytes);
}

function unnamed(name: string): string {
  return Object.keys(NAMED).find((character) => NAMED[character] === `\\${name}`) ?? name;
}

function escapeCharacter(character: string): string {
  return NAMED[character] ?? escapeBytes(Buffer.from(character));
}

function escapeBytes(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** Bytes of the character that begins at `at`; 0 where none does. */
function characterLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= UTF8_BYTES_MAX && at + length <= bytes.length; length++)
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}
