/** What a radix sort moves from one place to another and back: the inner loop of the sort. */

/** Three words of each record, which move together. */
export interface Lane {
  /** Bytes 0 to 3 of the head, big-endian. */
  readonly high: Uint32Array;
  /** Bytes 4 to 7. */
  readonly low: Uint32Array;
  /** The record's offset. */
  readonly at: Uint32Array;
}

/**
 * Moves the records of `source` from `from` to `to` to the places that `next` says for their digits, the eight bits
 * at `shift` of `digits`; `next` moves on with each.
 */
export function moveByDigit(
  source: Lane,
  target: Lane,
  digits: Uint32Array,
  shift: number,
  next: Uint32Array,
  from: number,
  to: number,
): void {
  const { high, low, at } = source;
  const { high: toHigh, low: toLow, at: toAt } = target;
  for (let i = from; i < to; i++) {
    const place = next[(digits[i] >>> shift) & 255]++;
    toHigh[place] = high[i];
    toLow[place] = low[i];
    toAt[place] = at[i];
  }
}
