/** The part of a tree that a range covers, as bytes. */
import { compareKeys } from '../format/key.js';

export interface KeyBounds {
  /** Undefined: from the first key on. */
  readonly lower?: Uint8Array;
  /** Whether a key equal to `lower` is outside. */
  readonly lowerOpen?: boolean;
  /** Undefined: up to the last key. */
  readonly upper?: Uint8Array;
  readonly upperOpen?: boolean;
}

export const ALL_KEYS: KeyBounds = {};

/** The first key after all that begin with `prefix`; undefined if there is none (it is all 0xFF). */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const end = Uint8Array.prototype.slice.call(prefix, 0, length);
  end[length - 1]++;
  return end;
}

/** The keys that lie in both. */
export function intersectBounds(a: KeyBounds, b: KeyBounds): KeyBounds {
  const lower = later(a, b);
  const upper = earlier(a, b);
  return { lower: lower.lower, lowerOpen: lower.lowerOpen, upper: upper.upper, upperOpen: upper.upperOpen };
}

function later(a: KeyBounds, b: KeyBounds): KeyBounds {
  if (a.lower === undefined) return b;
  if (b.lower === undefined) return a;
  const order = compareKeys(a.lower, a.lower.length, b.lower, b.lower.length);
  if (order === 0) return a.lowerOpen === true ? a : b;
  return order > 0 ? a : b;
}

function earlier(a: KeyBounds, b: KeyBounds): KeyBounds {
  if (a.upper === undefined) return b;
  if (b.upper === undefined) return a;
  const order = compareKeys(a.upper, a.upper.length, b.upper, b.upper.length);
  if (order === 0) return a.upperOpen === true ? a : b;
  return order < 0 ? a : b;
}

/** The least bounds that cover both. */
export function unionBounds(a: KeyBounds, b: KeyBounds): KeyBounds {
  const lower = a.lower === undefined || later(a, b) === b ? a : b;
  const upper = a.upper === undefined || earlier(a, b) === b ? a : b;
  return { lower: lower.lower, lowerOpen: lower.lowerOpen, upper: upper.upper, upperOpen: upper.upperOpen };
}

/** Whether the bounds leave no place for a key, one ending where the other begins. */
export function areBoundsEmpty({ lower, lowerOpen, upper, upperOpen }: KeyBounds): boolean {
  if (upper === undefined) return false;
  // Nothing sorts before the empty key.
  if (lower === undefined) return upper.length === 0 && upperOpen === true;
  const order = compareKeys(lower, lower.length, upper, upper.length);
  return order > 0 || (order === 0 && (lowerOpen === true || upperOpen === true));
}

/** Whether `key` lies inside. */
export function isInBounds(bounds: KeyBounds, key: Uint8Array): boolean {
  const { lower, upper } = bounds;
  if (lower !== undefined) {
    const order = compareKeys(key, key.length, lower, lower.length);
    if (order < 0 || (order === 0 && bounds.lowerOpen === true)) return false;
  }
  if (upper !== undefined) {
    const order = compareKeys(key, key.length, upper, upper.length);
    if (order > 0 || (order === 0 && bounds.upperOpen === true)) return false;
  }
  return true;
}
