// What is wrong with a record, for people.

import { isUtf8 } from 'node:buffer';
import { StoreError } from '../errors.js';
import type { Reject } from './reject.js';

/** `lines` is how many the row spans, which is more than one only where quotes hold line ends. */
export function columnCountMessage(cells: number, columns: number, lines: number): string {
  const spans = lines > 1 ? `; it spans ${lines} lines, as a quote opens on one and closes on another` : '';
  return `the row has ${cells} ${cells === 1 ? 'cell' : 'cells'} where there are ${columns} columns${spans}`;
}

export function strayQuoteMessage(cell: number): string {
  return `cell ${cell} has a quote though it does not begin with one; put the cell in quotes and double those inside`;
}

export function strayTextMessage(cell: number): string {
  return `cell ${cell} has text after its closing quote; double the quotes inside a quoted cell`;
}

const ONE_LINE_REFUSED = 'its row was refused up to the line end, and reading went on after that';

export function unterminatedMessage(openLine: number): string {
  return `the quote that opens on line ${openLine} is not closed before the source ends; ${ONE_LINE_REFUSED}`;
}

export function openTooLongMessage(openLine: number, quotedLinesMax: number): string {
  const lines = `${quotedLinesMax} ${quotedLinesMax === 1 ? 'line' : 'lines'}`;
  return `the quote that opens on line ${openLine} is not closed within ${lines}, the most that quotedLinesMax allows; ${ONE_LINE_REFUSED}`;
}

export function openAtBoundMessage(openLine: number, rowBytesMax: number): string {
  return `the quote that opens on line ${openLine} is not closed within ${rowBytesMax} bytes, the most that rowBytesMax allows; ${ONE_LINE_REFUSED}`;
}

/** `openLine` is the line from which a quote is open where the row becomes too long, or 0. */
export function rowTooLargeMessage(rowBytesMax: number, openLine = 0): string {
  const advice = openLine > 0 ? `; the quote that opens on line ${openLine} is not closed within them` : '';
  return `the row is longer than ${rowBytesMax} bytes${advice}`;
}

export function notJsonMessage(problem: string): string {
  return `the line is not JSON: ${problem}`;
}

/** For JSON that is no object. */
export function notAnObjectMessage(value: unknown): string {
  const kind = Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return `the line is ${value === null ? 'null' : kind}, not an object`;
}

/** For bytes that are not UTF-8. */
export function invalidUtf8Message(raw: Buffer): string {
  // Decoding puts U+FFFD in place of what is invalid, so encoding again differs from there on.
  const mended = Buffer.from(raw.toString('utf8'));
  let valid = 0;
  while (raw[valid] === mended[valid]) valid++;
  // The offender may begin as U+FFFD does: it begins where the text before it is whole.
  while (!isUtf8(raw.subarray(0, valid))) valid--;
  const byte = raw[valid].toString(16).padStart(2, '0');
  return `byte ${valid + 1} of the row, 0x${byte}, is not valid UTF-8; convert the source to UTF-8`;
}

/** The error of work that a row ends; `others` says how many rows were refused before, if any may be. */
export function rowRefused({ line, byteOffset, reason, message }: Reject, others = ''): StoreError {
  const text = `the row on line ${line} was refused${others}: ${message}`;
  return new StoreError('ROW_REJECTED', text, { details: { line, byteOffset, reason } });
}
