// An iteration beside the sorted map that it must follow, entry by entry.

import type { Entry, RangeOptions } from 'btree-store';
import { Violation } from '../crash/oracle.js';
import { indexOf, KEYS, keyOf, type SortedModel, seededValue } from './sorted-model.js';

/** Which keys a range covers, in numbers. */
export interface Bounds {
  readonly first: number;
  readonly last: number;
  readonly reverse: boolean;
  readonly limit: number;
}

export interface Iteration {
  readonly iterator: AsyncIterator<Entry>;
  readonly model: SortedModel;
  readonly bounds: Bounds;
  at: number;
  left: number;
}

const NONE: AsyncIterator<Entry> = { next: () => Promise.reject(new Error('it has no iterator')) };

export function iterationOf(bounds: Bounds, model: SortedModel, iterator = NONE): Iteration {
  return { iterator, model, bounds, at: bounds.reverse ? bounds.last : bounds.first, left: bounds.limit };
}

export function optionsOf({ first, last, reverse, limit }: Bounds): RangeOptions {
  return { gte: keyOf(first), lte: keyOf(last), reverse, ...(limit < KEYS ? { limit } : {}) };
}

/** The entry must be the next one of the model. Raises a Violation. */
export function follow(
  iteration: Iteration,
  [key, value]: readonly [Uint8Array, Uint8Array],
  how: string,
): void {
  const { model, bounds } = iteration;
  const step = bounds.reverse ? -1 : 1;
  const end = bounds.reverse ? bounds.first : bounds.last;
  const expected = iteration.left === 0 ? -1 : model.next(iteration.at, step, end);
  const index = indexOf(key);
  if (index !== expected) throw new Violation(`${how} has key ${index} where ${expected} was expected`);
  if (Buffer.compare(value, seededValue(model.get(index))) !== 0)
    throw new Violation(`${how}: the value of key ${index} is not the one of seed ${model.get(index)}`);
  iteration.at = index + step;
  iteration.left--;
}

/** Raises a Violation if the model has another entry. */
export function expectEnd({ model, bounds, at, left }: Iteration, how: string): void {
  const step = bounds.reverse ? -1 : 1;
  const end = bounds.reverse ? bounds.first : bounds.last;
  const isPast = bounds.reverse ? at < end : at > end;
  const expected = left === 0 || isPast ? -1 : model.next(at, step, end);
  if (expected >= 0) throw new Violation(`${how} ended before key ${expected}`);
}
