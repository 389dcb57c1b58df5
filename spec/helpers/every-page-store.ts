// A small store that has every kind of page: trees of one to three levels and more, long values, free pages, both
// copies of map and directory, a catalog with a branch. Kept as it was after each of several commits.

import type { StoreDatabase } from '../../lib/database.js';
import type { PageSize } from '../../lib/format/page.js';
import { numbered, patterned } from './bytes.js';
import { bytesAfter, bytesDuring } from './store-bytes.js';

/** Two and two share nearly all of their bytes: few children fit into a branch, so trees become high. */
const pairedKey = (index: number, length: number): string =>
  `${String(index >>> 1).padStart(5, '0')}${'y'.repeat(length - 6)}${index & 1}`;

/** A name as long as one can be, so that the catalog needs a branch. */
const longName = (index: number): string => `${index}${'n'.repeat(989)}`;

async function first(db: StoreDatabase, pageSize: number): Promise<void> {
  await db.write((tx) => {
    for (let i = 0; i < 44; i++) tx.bucket('high').put(pairedKey(i, pageSize / 4), patterned(i % 9, i));
    for (let i = 0; i < 90; i++) tx.bucket('wide').put(numbered(i), patterned(pageSize / 40, i));
    for (let i = 0; i < 60; i++) tx.bucket('dropped').put(numbered(i), patterned(pageSize / 8, i));
  });
}

async function second(db: StoreDatabase, pageSize: number): Promise<void> {
  const payload = pageSize - 32;
  await db.write((tx) => {
    const long = tx.bucket('long');
    for (const [index, length] of [
      payload,
      3 * payload + pageSize / 8,
      2 * payload + 1,
      5 * payload - 1,
    ].entries())
      long.put(`value ${index}`, patterned(length, index));
    for (let i = 0; i < 20; i++) long.put(`short ${i}`, patterned(i, i));
    for (let i = 0; i < 9; i++) tx.bucket(longName(i)).put('key', `in bucket ${i}`);
  });
  await db.createBucket('empty');
}

async function third(db: StoreDatabase): Promise<void> {
  const load = db.bucket('loaded').bulkWriter({ checkpoint: 'source' });
  for (let i = 0; i < 300; i++) load.add(numbered(i), `loaded ${i}`);
  await load.commit({ offset: 300 });
  await load.finish();
  await db.dropBucket('dropped');
  await db.write((tx) => {
    for (let i = 0; i < 90; i += 4) tx.bucket('wide').delete(numbered(i));
  });
}

async function fourth(db: StoreDatabase, pageSize: number): Promise<void> {
  await db.write((tx) => {
    tx.bucket('high').put(pairedKey(7, pageSize / 4), 'changed');
    tx.bucket('high').put(pairedKey(40, pageSize / 4), 'changed');
    tx.bucket('wide').put(numbered(33), 'changed');
    tx.bucket('long').put('value 1', patterned(2 * pageSize, 77));
    tx.bucket(longName(4)).put('another', 'entry');
  });
}

/** So small that it changes a few pages only, and that the meta page before tells of the commit before. */
async function fifth(db: StoreDatabase): Promise<void> {
  await db.bucket('wide').put(numbered(34), 'changed again');
}

/** The bytes of the file after each commit; the last of them is the store, its two meta pages of two commits. */
export async function everyPageStore(pageSize: PageSize): Promise<Buffer[]> {
  const versions = await bytesAfter(
    pageSize,
    (db) => first(db, pageSize),
    (db) => second(db, pageSize),
    (db) => third(db),
    (db) => fourth(db, pageSize),
  );
  return [...versions, await bytesDuring(versions[versions.length - 1], fifth)];
}
