// Where property tests get their randomness: one seed for the whole run, printed, so that any failure can be
// had again.

import type { Parameters } from 'fast-check';

const given = process.env.BTREE_STORE_SEED;

/** The seed of this run: BTREE_STORE_SEED, or a random one. */
export const seed = given === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(given);

/** How many times as many runs as usual: BTREE_STORE_RUNS, a number of 1 or more or a part of 1. */
const runsFactor = Number(process.env.BTREE_STORE_RUNS ?? 1);

if (!Number.isInteger(seed)) throw new Error(`BTREE_STORE_SEED must be a whole number, not ${given}`);
if (!(runsFactor > 0)) throw new Error('BTREE_STORE_RUNS must be a number above 0');

console.log(`property tests: BTREE_STORE_SEED=${seed} BTREE_STORE_RUNS=${runsFactor}`);

/** Parameters of `fc.assert` for a property that usually runs so many times. */
export function seeded<T>(runs: number, more: Parameters<T> = {}): Parameters<T> {
  return { seed, numRuns: scaledTimes(runs), ...more };
}

/** How many rounds to do of what usually takes so many; at least one. */
export function scaledTimes(usual: number): number {
  return Math.max(1, Math.ceil(usual * runsFactor));
}

/** The time that a test with such properties may take, given what it takes with the usual number of runs. */
export function scaledMilliseconds(usual: number): number {
  return Math.max(usual, usual * runsFactor);
}
