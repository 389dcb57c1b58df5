// lib/transaction-bucket.ts: iterations inside a transaction, and transactions larger than memory holds.

import type { Database, Entry, WriteTransaction } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned } from './helpers/bytes.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('transaction', () => {
  const stores = useStores();

  describe('iteration inside', () => {
    async function begun(
      place: 'file' | 'memory' = 'memory',
    ): Promise<{ db: Database; tx: WriteTransaction }> {
      const db = await stores.openIn(place, { cacheBytes: 1 });
      await putAll(db, 'b', numberedKeys(1000), (i) => patterned(60, i));
      return { db, tx: await db.begin() };
    }

    for (const reverse of [false, true]) {
      it(`sees the state at its start while the loop deletes and puts, reverse ${reverse}`, async () => {
        const { db, tx } = await begun();
        const bucket = tx.bucket('b');
        bucket.put('k-before', 'own');
        const expected = bucket.range({ reverse }).toArray();
        const seen: Entry[] = [];
        for (const [key, value] of bucket.range({ reverse })) {
          seen.push([Buffer.from(key), Buffer.from(value)]);
          bucket.delete(key);
          bucket.put(`${key}!`, 'new');
          bucket.put(numbered(seen.length, 'z'), 'new');
        }
        expectEntries(seen, expected);
        expect(bucket.range({ prefix: 'z' }).count()).to.equal(1001);
        expect(bucket.range({ prefix: 'k' }).count()).to.equal(1001);
        await tx.commit();
        expect(db.stats().snapshots).to.equal(0);
        expect(db.bucket('b').range().count()).to.equal(2002);
      });
    }

    it('sees the state at its start when many run at once, each begun at another time', async () => {
      const { db, tx } = await begun();
      const bucket = tx.bucket('b');
      const running: Array<{ iterator: Iterator<Entry>; expected: Entry[]; seen: Entry[] }> = [];
      const step = (steps: number) => {
        for (const { iterator, seen } of running) {
          for (let i = 0; i < steps; i++) {
            const next = iterator.next();
            if (next.done === true) break;
            seen.push([Buffer.from(next.value[0]), Buffer.from(next.value[1])]);
          }
        }
      };
      for (let round = 0; round < 12; round++) {
        running.push({
          iterator: bucket.range()[Symbol.iterator](),
          expected: bucket.range().toArray(),
          seen: [],
        });
        for (let i = round; i < 1000; i += 12) bucket.put(numbered(i), patterned(70, round));
        for (let i = round; i < 1000; i += 50) bucket.delete(numbered(i));
        step(37);
      }
      step(2000);
      for (const { expected, seen } of running) expectEntries(seen, expected);
      await tx.commit();
      expect(db.stats().snapshots).to.equal(0);
    });

    for (const end of ['commit', 'rollback'] as const) {
      it(`outlives ${end}, and what is written after`, async () => {
        const { db, tx } = await begun('file');
        const bucket = tx.bucket('b');
        for (let i = 0; i < 1000; i += 3) bucket.put(numbered(i), 'changed');
        for (let i = 0; i < 1000; i += 7) bucket.delete(numbered(i));
        bucket.put('large', patterned(50_000, 1));
        const expected = bucket.range().toArray();
        const sync = bucket.range()[Symbol.iterator]();
        const async = bucket.range()[Symbol.asyncIterator]();
        const stream = bucket.range().toReadable();
        stream.read(0);
        const value = bucket.createValueReadStream('large');
        value.read(0);
        const seen: Entry[][] = [[], []];
        const take = ([key, value]: Entry, into: Entry[]) =>
          into.push([Buffer.from(key), Buffer.from(value)]);
        take(sync.next().value as Entry, seen[0]);
        take((await async.next()).value as Entry, seen[1]);
        bucket.deleteRange({ gt: numbered(500) });
        await tx[end]();
        for (let round = 0; round < 3; round++)
          await putAll(db, 'b', numberedKeys(1500), (i) => patterned(80, i + round));
        await db.dropBucket('b');
        for (let next = sync.next(); next.done !== true; next = sync.next()) take(next.value, seen[0]);
        for (let next = await async.next(); next.done !== true; next = await async.next())
          take(next.value, seen[1]);
        expectEntries(seen[0], expected, 'sync');
        expectEntries(seen[1], expected, 'async');
        expectEntries(await stream.toArray(), expected, 'stream');
        expect(Buffer.concat(await value.toArray())).to.deep.equal(patterned(50_000, 1));
        expect(db.stats().snapshots).to.equal(0);
        // A commit too large for the log is a checkpoint: after it no reader and no meta page holds a page.
        await putAll(db, 'b', numberedKeys(2000), (i) => patterned(1000, i));
        await db.bucket('b').put('a', '1');
        expect(db.stats().heldPages).to.be.lessThan(10);
      });
    }

    it('that outlives rollback takes no page away from those who write after', async () => {
      const db = await stores.openMemory();
      await db.bucket('other').put('a', '1');
      const tx = await db.begin();
      // Pages come and go within the transaction before anything looks at it.
      for (const key of numberedKeys(2000)) tx.bucket('b').put(key, patterned(60, 1));
      for (const key of numberedKeys(2000)) tx.bucket('b').delete(key);
      const iterator = tx.bucket('other').range()[Symbol.iterator]();
      iterator.next();
      await tx.rollback();
      await putAll(db, 'later', numberedKeys(2000), (i) => patterned(60, i));
      iterator.return?.();
      await putAll(db, 'last', numberedKeys(2000), (i) => patterned(60, i));
      for (const name of ['later', 'last']) {
        expectEntries(
          db.bucket(name).range().toArray(),
          numberedKeys(2000).map((key, i): Entry => [Buffer.from(key), patterned(60, i)]),
          name,
        );
      }
    });
  });

  describe('larger than what memory may hold of it', () => {
    // 48 MiB of values: half as much again as the bound for changed pages.
    const COUNT = 48_000;
    const STEP = 7919;
    const keyAt = (i: number) => numbered((i * STEP) % COUNT);
    const value = Buffer.alloc(1000, 'v');
    /** The same memory each time: a thousand bytes that tell which entry they are of. */
    const valueAt = (i: number, salt: number): Buffer => {
      value.writeUInt32LE(i, 0);
      value.writeUInt32LE(salt, 996);
      return value;
    };
    const fill = (tx: WriteTransaction, salt: number) => {
      for (let i = 0; i < COUNT; i++) tx.bucket('b').put(keyAt(i), valueAt(i, salt));
    };
    for (const place of ['memory', 'file'] as const) {
      it(`commits what was spilled, then rolls back as much again, in a ${place}`, async function () {
        this.timeout(60_000);
        const db = await stores.openIn(place, { cacheBytes: 1 });
        await db.bucket('b').put('first', '1');
        const committed = await db.begin();
        fill(committed, 1);
        expect(db.stats().pagesWritten, 'pages written before the commit').to.be.greaterThan(4000);
        expect(db.bucket('b').range().count()).to.equal(1);
        expect(committed.bucket('b').range().count()).to.equal(COUNT + 1);
        // Spilled pages are changed again.
        for (let i = 0; i < COUNT; i += 100) committed.bucket('b').put(keyAt(i), 'changed');
        await committed.commit();

        const dropped = await db.begin();
        fill(dropped, 2);
        dropped.bucket('b').deleteRange({ gt: numbered(10) });
        await dropped.rollback();

        const entryOf = new Uint32Array(COUNT);
        for (let i = 0; i < COUNT; i++) entryOf[(i * STEP) % COUNT] = i;
        let seen = 0;
        for (const [key, found] of db.bucket('b').range({ prefix: 'k' })) {
          const i = entryOf[seen];
          const expected = i % 100 === 0 ? Buffer.from('changed') : valueAt(i, 1);
          if (key.toString() !== numbered(seen++)) expect.fail(`the key ${key.toString()} comes out of turn`);
          if (!found.equals(expected)) expect.fail(`another value than was put at ${key.toString()}`);
        }
        expect(seen).to.equal(COUNT);
      });
    }
  });
});
