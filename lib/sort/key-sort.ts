/**
 * Sorts records that lie one behind the other in a memory, by their keys and then by their place. Eight bytes
 * of each key, from where keys begin to differ, go into two arrays of words; a radix sort moves those words
 * and the record's offset, and touches no key. Where keys agree in all eight bytes the same is done with
 * their next ones, so that long shared beginnings cost little more than short ones.
 */
import { keyHead } from '../format/key.js';
import type { PageMemory } from '../format/page-memory.js';
import { compareRecords, RECORD_KEY, recordBytes } from './entry-record.js';
import { type Lane, moveByDigit } from './sort-lane.js';

/** Bytes that sorting takes for each record, beside the record: two lanes of three words. */
export const SORT_BYTES_PER_RECORD = 24;

const HEAD_BYTES = 8;
/** Digits of a key, least significant first: how much of it is left, then eight bytes from the last to the first. */
const DIGITS = HEAD_BYTES + 1;
/** Records handled between two steps, well within a millisecond. */
const STEP_RECORDS = 16384;
/** So few records are put in order one by one. */
const FEW_RECORDS = 24;

export class KeySort {
  /** Offsets of the records, in order once all steps were taken. */
  readonly order: Uint32Array;
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  private readonly count: number;
  private readonly lanes: readonly [Lane, Lane];
  private readonly counts = new Uint32Array(DIGITS * 256);
  private readonly next = new Uint32Array(256);
  /** Ranges left to sort: from, to, and how many bytes their keys share for certain. */
  private readonly left: number[] = [];

  /** The first record is at 0; `space`, a multiple of four past the last, has room for what sorting takes. */
  constructor(memory: PageMemory, count: number, space: number) {
    this.bytes = memory.bytes;
    this.words = memory.u32;
    this.count = count;
    const words = (index: number): Uint32Array => {
      const from = (space >>> 2) + index * count;
      return memory.u32.subarray(from, from + count);
    };
    this.lanes = [
      { high: words(0), low: words(1), at: words(2) },
      { high: words(3), low: words(4), at: words(5) },
    ];
    this.order = this.lanes[0].at;
  }

  /** Sorts in short steps. All keys begin with the same `prefix` bytes. */
  *steps(prefix: number): Generator<void, void> {
    yield* this.list();
    this.left.push(0, this.count, prefix);
    while (this.left.length > 0) {
      const depth = this.left.pop() ?? 0;
      const to = this.left.pop() ?? 0;
      const from = this.left.pop() ?? 0;
      const shared = yield* this.sharedBytes(from, to, depth);
      if (shared >= 0) yield* this.sortRange(from, to, shared);
    }
  }

  private *list(): Generator<void, void> {
    const { words } = this;
    const { at } = this.lanes[0];
    for (let i = 0, record = 0; i < this.count; i++) {
      at[i] = record;
      record += recordBytes(words[record >>> 2], words[(record >>> 2) + 1]);
      if (i % STEP_RECORDS === 0) yield;
    }
  }

  /** How many bytes all keys of the range begin with in common, at least `depth`; -1 if the keys are all equal. */
  private *sharedBytes(from: number, to: number, depth: number): Generator<void, number> {
    const { bytes, words } = this;
    const { at } = this.lanes[0];
    const first = at[from];
    const firstLength = words[first >>> 2];
    let shared = firstLength;
    let sameLengths = true;
    for (let i = from + 1; i < to; i++) {
      const record = at[i];
      const length = words[record >>> 2];
      if (length !== firstLength) sameLengths = false;
      const most = length < shared ? length : shared;
      let k = depth;
      while (k < most && bytes[first + RECORD_KEY + k] === bytes[record + RECORD_KEY + k]) k++;
      shared = k;
      if (shared === depth && shared < firstLength) return depth;
      if (i % STEP_RECORDS === 0) yield;
    }
    return sameLengths && shared === firstLength ? -1 : shared;
  }

  private *sortRange(from: number, to: number, depth: number): Generator<void, void> {
    const [first, second] = this.lanes;
    yield* this.readHeads(from, to, depth);
    let source = first;
    let target = second;
    for (let digit = 0; digit < DIGITS; digit++) {
      if (this.isConstant(digit, from, to, depth)) continue;
      yield* this.distribute(source, target, digit, from, to, depth);
      [source, target] = [target, source];
    }
    if (source !== first) {
      first.high.set(second.high.subarray(from, to), from);
      first.low.set(second.low.subarray(from, to), from);
      first.at.set(second.at.subarray(from, to), from);
    }
    yield* this.findTies(from, to, depth);
  }

  /** Takes up the heads of a range's keys from `depth` on, and counts their digits. */
  private *readHeads(from: number, to: number, depth: number): Generator<void, void> {
    const { bytes, words, counts } = this;
    const { high, low, at } = this.lanes[0];
    counts.fill(0);
    for (let start = from; start < to; start += STEP_RECORDS) {
      const end = Math.min(to, start + STEP_RECORDS);
      for (let i = start; i < end; i++) {
        const key = at[i] + RECORD_KEY;
        const keyEnd = key + words[at[i] >>> 2];
        const h = keyHead(bytes, keyEnd, key + depth);
        const l = keyHead(bytes, keyEnd, key + depth + 4);
        high[i] = h;
        low[i] = l;
        counts[remaining(keyEnd - key - depth)]++;
        counts[256 + (l & 255)]++;
        counts[512 + ((l >>> 8) & 255)]++;
        counts[768 + ((l >>> 16) & 255)]++;
        counts[1024 + (l >>> 24)]++;
        counts[1280 + (h & 255)]++;
        counts[1536 + ((h >>> 8) & 255)]++;
        counts[1792 + ((h >>> 16) & 255)]++;
        counts[2048 + (h >>> 24)]++;
      }
      yield;
    }
  }

  /** Whether all keys of the range have this digit in common, so that it has no say in their order. */
  private isConstant(digit: number, from: number, to: number, depth: number): boolean {
    const { high, low, at } = this.lanes[0];
    let value: number;
    if (digit === 0) value = remaining(this.words[at[from] >>> 2] - depth);
    else value = ((digit < 5 ? low[from] : high[from]) >>> (((digit - 1) & 3) * 8)) & 255;
    return this.counts[digit * 256 + value] === to - from;
  }

  /** Moves a range from one lane to the other in the order of a digit, keeping the order of equal ones. */
  private *distribute(
    source: Lane,
    target: Lane,
    digit: number,
    from: number,
    to: number,
    depth: number,
  ): Generator<void, void> {
    const { counts, next } = this;
    for (let value = 0, place = from; value < 256; value++) {
      next[value] = place;
      place += counts[digit * 256 + value];
    }
    for (let start = from; start < to; start += STEP_RECORDS) {
      const end = Math.min(to, start + STEP_RECORDS);
      if (digit === 0) this.moveByRemaining(source, target, start, end, depth);
      else {
        const words = digit < 5 ? source.low : source.high;
        moveByDigit(source, target, words, ((digit - 1) & 3) * 8, next, start, end);
      }
      yield;
    }
  }

  private moveByRemaining(source: Lane, target: Lane, from: number, to: number, depth: number): void {
    const { words, next } = this;
    for (let i = from; i < to; i++) {
      const at = source.at[i];
      const place = next[remaining(words[at >>> 2] - depth)]++;
      target.high[place] = source.high[i];
      target.low[place] = source.low[i];
      target.at[place] = at;
    }
  }

  /** Puts in order, or notes as left to sort, what the heads alone could not tell apart. */
  private *findTies(from: number, to: number, depth: number): Generator<void, void> {
    const { words } = this;
    const { high, low, at } = this.lanes[0];
    let stepEnd = from + STEP_RECORDS;
    for (let i = from; i < to; ) {
      const h = high[i];
      const l = low[i];
      let end = i + 1;
      while (end < to && low[end] === l && high[end] === h) end++;
      if (end - i > FEW_RECORDS) {
        // Shorter keys than eight bytes come first, and are equal where they are as long: nothing to sort.
        let longer = i;
        while (longer < end && words[at[longer] >>> 2] <= depth + HEAD_BYTES) longer++;
        if (end - longer > 1) this.left.push(longer, end, depth + HEAD_BYTES);
      } else if (end - i > 1) this.sortFew(i, end, depth);
      i = end;
      if (i < stepEnd) continue;
      stepEnd = i + STEP_RECORDS;
      yield;
    }
  }

  private sortFew(from: number, to: number, depth: number): void {
    const { bytes, words } = this;
    const { at } = this.lanes[0];
    for (let i = from + 1; i < to; i++) {
      const record = at[i];
      let place = i;
      while (place > from && compareRecords(bytes, words, at[place - 1], record, depth) > 0) {
        at[place] = at[place - 1];
        place--;
      }
      at[place] = record;
    }
  }
}

/** What is left of a key, as far as a head can tell: beyond its end a head has zeros, as some keys have too. */
function remaining(bytes: number): number {
  return bytes > HEAD_BYTES ? HEAD_BYTES + 1 : bytes;
}
