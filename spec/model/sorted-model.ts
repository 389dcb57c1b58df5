// A bucket as a sorted map that is cheap to copy, so that each snapshot and each iteration can keep what it must see:
// key numbers ascend as the keys' bytes do, and each has the seed of its value.

import { numbered, patterned } from '../helpers/bytes.js';

/** Keys that a bucket can have. */
export const KEYS = 3000;

/** The key of a number: some end in bytes of their own, none sorts before a lower number's. */
export function keyOf(index: number): string {
  return numbered(index) + '~'.repeat(index % 23);
}

/** The number of a key's bytes. */
export function indexOf(key: Uint8Array): number {
  return Number(Buffer.from(key.buffer, key.byteOffset + 1, 8).toString('latin1'));
}

/** Seeds are above 0. Most values are short, some go to the limit of a leaf, a few take pages of their own. */
export function seededValue(seed: number): Buffer {
  return patterned(lengthOf(seed), seed);
}

function lengthOf(seed: number): number {
  const draw = (Math.imul(seed, 0x9e37_79b1) >>> 8) % 1000;
  if (draw < 700) return draw % 120;
  if (draw < 930) return 120 + (seed % 400);
  if (draw < 985) return 1000 + (seed % 60);
  if (draw < 999) return 4000 + (seed % 9000);
  return 40_000 + (seed % 40_000);
}

/** The seed of each key's value; 0 where there is no such key. */
export class SortedModel {
  private readonly seeds: Uint32Array;
  private entries: number;

  constructor(seeds = new Uint32Array(KEYS), entries = 0) {
    this.seeds = seeds;
    this.entries = entries;
  }

  get size(): number {
    return this.entries;
  }

  clone(): SortedModel {
    return new SortedModel(this.seeds.slice(), this.entries);
  }

  get(index: number): number {
    return this.seeds[index];
  }

  set(index: number, seed: number): void {
    if (this.seeds[index] === 0) this.entries++;
    this.seeds[index] = seed;
  }

  delete(index: number): boolean {
    if (this.seeds[index] === 0) return false;
    this.seeds[index] = 0;
    this.entries--;
    return true;
  }

  /** The next key at or after `index`, or before it where `step` is -1; -1 if there is none up to `end`. */
  next(index: number, step: 1 | -1, end: number): number {
    for (let at = index; at !== end + step; at += step) if (this.seeds[at] !== 0) return at;
    return -1;
  }
}
