// Ranges for specs: a filled bucket beside its model, and every way to have a range's entries.

import { Readable } from 'node:stream';
import type { Bucket, Database, Entry, Range } from 'btree-store';
import { expect } from 'chai';
import { firstValueFrom, toArray } from 'rxjs';
import { numbered, patterned } from './bytes.js';
import { ModelBucket } from './model.js';

/** Every way to have a range's entries. */
export const FACES: Record<string, (range: Range) => Promise<Entry[]>> = {
  'for of': async (range) => copies(range),
  'for await': async (range) => {
    const entries: Entry[] = [];
    for await (const [key, value] of range) entries.push([Buffer.from(key), Buffer.from(value)]);
    return entries;
  },
  // Takes an entry before it hands on the one before, and buffers a few.
  'Readable.from': (range) => Readable.from(range, { highWaterMark: 4 }).toArray(),
  'batches, for of': async (range) => {
    const entries: Entry[] = [];
    for (const batch of range.batches()) {
      expect(batch.length).to.be.greaterThan(0);
      for (let i = 0; i < batch.length; i++)
        entries.push([Buffer.from(batch.key(i)), Buffer.from(batch.value(i))]);
    }
    return entries;
  },
  'batches, for await': async (range) => {
    const entries: Entry[] = [];
    for await (const batch of range.batches()) entries.push(...copies(batch));
    return entries;
  },
  'keys and values, for of': async (range) => {
    const keys = Array.from(range.keys(), (key) => Buffer.from(key));
    const values = Array.from(range.values(), (value) => Buffer.from(value));
    return zipped(keys, values);
  },
  'keys and values, for await': async (range) => {
    const keys: Buffer[] = [];
    const values: Buffer[] = [];
    for await (const key of range.keys()) keys.push(Buffer.from(key));
    for await (const value of range.values()) values.push(Buffer.from(value));
    return zipped(keys, values);
  },
  toArray: async (range) => range.toArray(),
  toReadable: (range) => range.toReadable().toArray(),
  toWebStream: async (range) => {
    const entries: Entry[] = [];
    const reader = range.toWebStream().getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) entries.push(next.value);
    return entries;
  },
  toObservable: (range) => firstValueFrom(range.toObservable().pipe(toArray())),
};

/** Copies of what an iteration hands out. */
export function copies(entries: Iterable<Entry>): Entry[] {
  return Array.from(entries, ([key, value]): Entry => [Buffer.from(key), Buffer.from(value)]);
}

function zipped(keys: readonly Buffer[], values: readonly Buffer[]): Entry[] {
  expect(values.length).to.equal(keys.length);
  return keys.map((key, index) => [key, values[index]]);
}

/** A bucket with these keys, loaded in one transaction, and its model. */
export async function filled(
  db: Database,
  keys: Iterable<Buffer | string>,
  valueLength = 12,
): Promise<{ bucket: Bucket; model: ModelBucket }> {
  const model = new ModelBucket();
  await db.write((tx) => {
    const bucket = tx.bucket('b');
    let salt = 0;
    for (const key of keys) {
      const value = patterned(valueLength, salt++);
      bucket.put(key, value);
      model.put(key, value);
    }
  });
  return { bucket: db.bucket('b'), model };
}

/** So many keys in order. */
export function numberedKeys(count: number, prefix?: string): string[] {
  return Array.from({ length: count }, (_, index) => numbered(index, prefix));
}

/** Puts one value under each of the keys, in one commit. */
export async function putAll(
  db: Database,
  name: string,
  keys: Iterable<string>,
  value: (index: number) => string | Uint8Array,
): Promise<void> {
  await db.write((tx) => {
    let index = 0;
    for (const key of keys) tx.bucket(name).put(key, value(index++));
  });
}
