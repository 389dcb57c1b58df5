// lib/store-writer.ts: single writes that share commits, in order, and the events of commits.

import { expect } from 'chai';
import { LatestView } from '../lib/bucket-view.js';
import { BucketReader } from '../lib/readable-bucket.js';
import { openMemoryStore } from '../lib/storage/store-open.js';
import { StoreWriter } from '../lib/store-writer.js';
import { checkStore } from '../lib/tree/check-store.js';
import { numbered, readable } from './helpers/bytes.js';
import { numberedKeys } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('writes', () => {
  const stores = useStores();

  describe('commit', () => {
    it('emits on commits$ in order, once each, and completes at close', async () => {
      const db = await stores.openMemory();
      const sequences: number[] = [];
      let completed = false;
      db.commits$.subscribe({
        next: ({ sequence }) => {
          sequences.push(sequence);
          expect(db.stats().sequence).to.equal(sequence);
        },
        complete: () => {
          completed = true;
        },
      });
      await db.bucket('b').put('a', '1');
      await db.write((tx) => tx.bucket('b').put('b', '1'));
      await (await db.begin()).rollback();
      await db.createBucket('c');
      await stores.close(db);
      expect(sequences.length).to.equal(3);
      expect([...sequences].sort((a, b) => a - b)).to.deep.equal(sequences);
      expect(completed).to.equal(true);
    });

    it('of writes that come together shares syncs', async () => {
      const db = await stores.open();
      await db.createBucket('b');
      const before = db.stats().syncs;
      await Promise.all(numberedKeys(1000).map((key) => db.bucket('b').put(key, 'value')));
      const together = db.stats().syncs - before;
      expect(together, 'syncs for 1,000 puts that came together').to.be.within(1, 4);
      for (let i = 0; i < 20; i++) await db.bucket('b').put(numbered(i), 'one by one');
      expect(db.stats().syncs - before - together, 'syncs for 20 puts one by one').to.be.at.least(20);
    });

    it('of writes that come while another is under way goes into the next one', async () => {
      const db = await stores.open();
      await db.createBucket('b');
      const before = db.stats().syncs;
      const puts: Promise<void>[] = [];
      for (let i = 0; i < 50; i++) {
        for (let j = 0; j < 20; j++) puts.push(db.bucket('b').put(numbered(i * 20 + j), 'value'));
        await Promise.resolve();
      }
      await Promise.all(puts);
      expect(db.stats().syncs - before).to.be.lessThan(20);
      expect(db.bucket('b').range().count()).to.equal(1000);
    });

    it('is made for the others of a group where one of them fails as it is applied', async () => {
      const { store } = await openMemoryStore({
        readOnly: false,
        create: true,
        pageSize: 4096,
        cacheBytesMax: 1,
        dirtyBytesMax: 1 << 20,
        durable: true,
      });
      const writer = new StoreWriter(store);
      const stop = new Error('stop');
      const results = await Promise.allSettled([
        writer.write((tx) => tx.bucket('b').put('a', '1')),
        writer.write((tx) => {
          tx.bucket('b').put('b', 'half of it');
          throw stop;
        }),
        writer.write((tx) => tx.bucket('b').delete('a')),
        writer.write((tx) => tx.bucket('b').put('c', '3')),
      ]);
      expect(results).to.deep.equal([
        { status: 'fulfilled', value: undefined },
        { status: 'rejected', reason: stop },
        { status: 'fulfilled', value: true },
        { status: 'fulfilled', value: undefined },
      ]);
      const reader = new BucketReader('b', new LatestView(store, 'b'));
      expect(readable(reader.range().toArray())).to.deep.equal([['c', '3']]);
      expect((await checkStore(store)).problems).to.deep.equal([]);
      await store.close();
    });

    it('is not made by a group as a whole where one write of it cannot be made', async () => {
      const db = await stores.open();
      const results = await Promise.allSettled([
        db.bucket('b').put('a', '1'),
        db.bucket('b').put('x'.repeat(2000), '1'),
        db.createBucket('b2'),
        db.createBucket('b2'),
        db.bucket('b').put('c', '1'),
      ]);
      expect(results.map(({ status }) => status)).to.deep.equal([
        'fulfilled',
        'rejected',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(
        Object.fromEntries(
          Array.from(db.buckets(), ({ name }) => [name, readable(db.bucket(name).range().toArray())]),
        ),
      ).to.deep.equal({
        b: [
          ['a', '1'],
          ['c', '1'],
        ],
        b2: [],
      });
    });

    it('in order: what one caller writes without waiting is applied in that order', async () => {
      const db = await stores.openMemory();
      const bucket = db.bucket('b');
      const [, deleted, updated] = await Promise.all([
        bucket.put('a', '1'),
        bucket.delete('a'),
        bucket.update('a', '2'),
        bucket.put('a', '3'),
      ]);
      expect([deleted, updated]).to.deep.equal([true, false]);
      expect(bucket.get('a')?.toString()).to.equal('3');
    });
  });
});
