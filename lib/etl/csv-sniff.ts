// Guesses which delimiter a CSV source uses, from its first rows.

import { delimiterByte } from '../stream/csv-delimiter.js';
import { QUOTE } from './csv-bytes.js';
import { CARRIAGE_RETURN, LINE_FEED } from './line-end.js';

const CANDIDATES = [',', ';', '\t', '|'] as const;
const ROWS_LOOKED_AT = 20;

/** Bytes from the source's beginning that the guess needs, unless the source is shorter. */
export const SNIFF_BYTES: number = 64 * 1024;

/**
 * The delimiter that stands equally often, and at least once, in each of the first rows; among several the
 * one that stands there most often; without any the one that stands most often in the first row, or a comma.
 */
export function sniffDelimiter(head: Uint8Array): string {
  const rows = delimiterCounts(head);
  const first = rows[0] ?? new Uint32Array(CANDIDATES.length);
  let best = 0;
  let bestScore = 0;
  CANDIDATES.forEach((_, candidate) => {
    const count = first[candidate];
    const steady = rows.every((row) => row[candidate] === count);
    const score = steady ? count + head.length : count;
    if (count > 0 && score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  });
  return CANDIDATES[best];
}

/** How often each candidate stands outside quotes in each of the first rows that ends within the head. */
function delimiterCounts(head: Uint8Array): Uint32Array[] {
  const bytes = CANDIDATES.map(delimiterByte);
  const rows: Uint32Array[] = [];
  let counts = new Uint32Array(CANDIDATES.length);
  let quoted = false;
  let rowStart = 0;
  for (let at = 0; at < head.length && rows.length < ROWS_LOOKED_AT; at++) {
    const byte = head[at];
    if (byte === QUOTE) quoted = !quoted;
    if (quoted) continue;
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      if (at > rowStart) rows.push(counts);
      counts = new Uint32Array(CANDIDATES.length);
      rowStart = at + 1;
    }
    const candidate = bytes.indexOf(byte);
    if (candidate >= 0) counts[candidate]++;
  }
  // The head may cut a row short; one that is the source's only one is looked at all the same.
  if (rows.length === 0) rows.push(counts);
  return rows;
}
