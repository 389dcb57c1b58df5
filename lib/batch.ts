/** A batch as callers see it: what `tree/leaf-batch.ts` has, with what is ours left out. */
import type { Entry } from './options.js';

/**
 * Entries of one page: the fastest way through a range. Valid until the next batch.
 *
 * `key` and `value` copy what they give. Values can also be read where they lie, in `bytes`, a copy of the whole page
 * that is made when it is first asked for.
 *
 * @example
 * ```ts
 * await db.bucket('hits').put('monday', Buffer.from([7, 0, 0, 0]));
 * await db.bucket('hits').put('tuesday', Buffer.from([9, 0, 0, 0]));
 * let sum = 0;
 * for await (const batch of db.bucket('hits').range().batches())
 *   for (let i = 0; i < batch.length; i++) {
 *     if (batch.keyLength(i) > 7 || batch.valueLength(i) !== 4) throw new Error('no hits of a day');
 *     sum += batch.bytes.readUInt32LE(batch.valueStart(i));
 *   }
 * sum; // => 16
 * ```
 */
export interface Batch extends Iterable<Entry> {
  /** Entries in it, at least one. */
  readonly length: number;
  /** The key of an entry, in a Buffer that the next call of `key` uses again. */
  key(index: number): Buffer;
  /** The value of an entry, in a Buffer that the next call of `value` uses again. */
  value(index: number): Buffer;
  /** Bytes of an entry's key, without reading it. */
  keyLength(index: number): number;
  /** Bytes of an entry's value, without reading it. */
  valueLength(index: number): number;
  /** What values lie in, at `valueStart`; what lies around them means nothing. */
  readonly bytes: Buffer;
  /** Where in `bytes` an entry's value begins; -1 where it is too large for a page, and only `value` reads it. */
  valueStart(index: number): number;
}
