// Bulk loads for specs: entries on their way in, and what must be there after.

import type { Bucket, BulkOptions, BulkReport, Database } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned } from './bytes.js';
import { ModelBucket } from './model.js';

/** A key and a value on their way into a load. */
export type Pair = readonly [key: string, value: string | Buffer];

/** Loads entries by `add` and `drained`, as a loop does. */
export async function load(
  bucket: Bucket,
  entries: Iterable<Pair>,
  options?: BulkOptions,
): Promise<BulkReport> {
  const writer = bucket.bulkWriter(options);
  for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
  return writer.finish();
}

/** Entries with numbered keys, from one number up to another. */
export function pairs(from: number, to: number, salt = 0, length = 60): Pair[] {
  return Array.from(
    { length: to - from },
    (_, i): Pair => [numbered(from + i), patterned(length, from + i + salt)],
  );
}

/** The entries in another order, the same each time. */
export function shuffled<T>(entries: readonly T[]): T[] {
  const { length } = entries;
  const step = [7919, 7907, 7901].find((prime) => length % prime !== 0) ?? 1;
  return entries.map((_, i) => entries[(i * step + 3) % length]);
}

/** What a bucket holds after these loads. */
export function modelOf(...loads: Iterable<Pair>[]): ModelBucket {
  const model = new ModelBucket();
  for (const entries of loads) for (const [key, value] of entries) model.put(key, Buffer.from(value));
  return model;
}

/** Compares a bucket with its model, and its count. */
export function expectBucket(bucket: Bucket, model: ModelBucket): void {
  expectEntries(bucket.range().toArray(), model.range());
  expect(bucket.range().count()).to.equal(model.size);
}

/** How many leaves the store has. */
export async function leavesOf(db: Database): Promise<number> {
  return (await db.check()).pages.leaf;
}
