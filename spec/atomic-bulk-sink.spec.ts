// lib/atomic-bulk-sink.ts: loads that are all or nothing, built beside those who write meanwhile.

import { type Bucket, type BulkWriter, type Database, open } from 'btree-store';
import { expect } from 'chai';
import { numbered, patterned } from './helpers/bytes.js';
import { rejected } from './helpers/errors.js';
import { expectBucket, modelOf, type Pair, pairs, shuffled } from './helpers/loads.js';
import { useStores } from './helpers/store.js';

async function addAll(writer: BulkWriter, entries: Iterable<Pair>): Promise<void> {
  for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
}

/** Entries of which some have large values. */
function mixed(from: number, to: number, salt: number): Pair[] {
  return pairs(from, to, salt).map(
    ([key, value], i): Pair => [key, i % 50 === 7 ? patterned(9000, i + salt) : value],
  );
}

describe('an atomic bulk load', () => {
  const stores = useStores();

  for (const place of ['file', 'memory'] as const) {
    for (const order of ['sorted', 'unsorted', 'falls over'] as const) {
      it(`lets others write meanwhile, and is there as a whole in the end: in a ${place}, ${order}`, async () => {
        const db = await stores.openIn(place, { cacheBytes: 1 });
        const bucket = db.bucket('b');
        const [before, coming] = [mixed(0, 3000, 1), mixed(1000, 12_000, 2)];
        await addAllTo(bucket, before);
        const reader = db.snapshot();
        const writer = bucket.bulkWriter({ atomic: true, sorted: order === 'unsorted' ? false : 'auto' });
        const others: Pair[] = [];
        const parts = order === 'sorted' ? coming : shuffled(coming);
        if (order === 'falls over') await addAll(writer, pairs(500, 600, 3));
        for (let from = 0; from < parts.length; from += 1000) {
          await addAll(writer, parts.slice(from, from + 1000));
          const other: Pair = [numbered(from), patterned(5000, from)];
          others.push(other);
          // Would wait for ever if the load had the writer's turn.
          await db.bucket('other').put(...other);
          expect(bucket.range().count()).to.equal(3000);
        }
        await writer.finish();
        const model =
          order === 'falls over' ? modelOf(before, pairs(500, 600, 3), coming) : modelOf(before, coming);
        expectBucket(bucket, model);
        expectBucket(db.bucket('other'), modelOf(others));
        expect(reader.bucket('b').range().count()).to.equal(3000);
        expect(reader.bucket('b').get(numbered(7))?.equals(patterned(9000, 8))).to.equal(true);
        reader.release();
        if (place === 'file') expectBucket((await stores.reopen(db)).bucket('b'), model);
      });
    }
  }

  const CHANGES: Readonly<Record<string, (db: Database, bucket: Bucket) => Promise<unknown>>> = {
    'a put': (_, bucket) => bucket.put('k', 'v'),
    'a delete': (_, bucket) => bucket.delete(numbered(17)),
    'a drop': (db) => db.dropBucket('b'),
    'another load': (_, bucket) => addAllTo(bucket, pairs(5000, 6000)),
  };
  for (const [what, change] of Object.entries(CHANGES)) {
    for (const sorted of ['auto', false] as const)
      it(`is refused where ${what} changed the bucket before its first entries were placed, sorted: ${sorted}`, async () => {
        const db = await stores.open();
        const bucket = db.bucket('b');
        await addAllTo(bucket, mixed(0, 2000, 1));
        const writer = bucket.bulkWriter({ atomic: true, sorted });
        await change(db, bucket);
        const after = bucket.range().toArray();
        writer.add(numbered(3), 'of the load');
        await rejected('CONFLICT', writer.finish());
        expect(bucket.range().toArray()).to.deep.equal(after);
      });

    it(`is refused as a whole where ${what} changed the bucket meanwhile`, async () => {
      const db = await stores.open();
      const bucket = db.bucket('b');
      await addAllTo(bucket, mixed(0, 2000, 1));
      const writer = bucket.bulkWriter({ atomic: true });
      await addAll(writer, mixed(1000, 9000, 2));
      await writer.drained();
      await change(db, bucket);
      const after = bucket.range().toArray();
      const { message } = await rejected('CONFLICT', writer.finish());
      expect(message).to.contain('"b"');
      expect(bucket.range().toArray()).to.deep.equal(after);
      const { entries, problems } = await db.check();
      expect([entries, problems]).to.deep.equal([after.length, []]);
      // It can be done again.
      const again = bucket.bulkWriter({ atomic: true });
      await addAll(again, pairs(0, 10));
      await again.finish();
    });
  }

  it('many at once go into their buckets, beside commits', async () => {
    const db = await stores.open({ cacheBytes: 1 });
    const loads = Array.from({ length: 5 }, async (_, i) => {
      const writer = db.bucket(`bucket ${i}`).bulkWriter({ atomic: true });
      for (let from = 0; from < 5000; from += 500) {
        await addAll(writer, mixed(from, from + 500, i));
        await db.bucket('puts').put(numbered(from + i), patterned(300, i));
      }
      await writer.finish();
    });
    await Promise.all(loads);
    for (let i = 0; i < 5; i++)
      expectBucket(
        db.bucket(`bucket ${i}`),
        modelOf(...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => mixed(500 * n, 500 * n + 500, i))),
      );
    expect(db.bucket('puts').range().count()).to.equal(50);
  });

  it('ends where the store is compacted, or closed, meanwhile, and leaves nothing of itself', async () => {
    const db = await stores.open();
    await addAllTo(db.bucket('b'), mixed(0, 5000, 1));
    await db.bucket('b').delete(numbered(0));
    await addAllTo(db.bucket('gone'), pairs(0, 5000));
    const writer = db.bucket('b').bulkWriter({ atomic: true });
    await addAll(writer, mixed(0, 20_000, 2));
    await db.dropBucket('gone');
    await db.compact();
    // What was moved is not what the load began with.
    const error = await writer.finish().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    if (error !== undefined) await rejected('CONFLICT', Promise.reject(error));
    expect((await db.check()).problems).to.deep.equal([]);
    const { path } = db;
    await stores.close(db);
    // Not one of the stores that are checked: it is closed with a load under way.
    const closing = await open(path);
    const late = closing.bucket('b').bulkWriter({ atomic: true });
    await addAll(late, mixed(0, 20_000, 3));
    await closing.close();
    await rejected('STORE_CLOSED', late.finish());
    const again = await stores.openAt(path);
    expect(again.recovery.clean).to.equal(true);
    expect((await again.check()).problems).to.deep.equal([]);
  });
});

async function addAllTo(bucket: Bucket, entries: Iterable<Pair>): Promise<void> {
  const writer = bucket.bulkWriter();
  await addAll(writer, entries);
  await writer.finish();
}
