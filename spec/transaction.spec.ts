// lib/transaction.ts and transaction-bucket.ts: all or nothing, one writer at a time, over every bucket.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Entry, WriteTransaction } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned, readable } from './helpers/bytes.js';
import { raised, rejected } from './helpers/errors.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

/** Everything that a reader can see, for a comparison before and after. */
function contentsOf(db: Database): Record<string, Array<[string, string]>> {
  const contents: Record<string, Array<[string, string]>> = {};
  for (const { name, entries } of db.buckets()) {
    contents[name] = readable(db.bucket(name).range().toArray());
    expect(entries, name).to.equal(contents[name].length);
  }
  return contents;
}

describe('transaction', () => {
  const stores = useStores();

  describe('its own writes', () => {
    it('are seen by it and by nobody else before commit', async () => {
      const db = await stores.openMemory();
      await db.bucket('b').put('old', '1');
      const tx = await db.begin();
      const bucket = tx.bucket('b');
      bucket.put('new', '2');
      expect(bucket.delete('old')).to.equal(true);
      tx.createBucket('made');
      expect(bucket.get('new')?.toString()).to.equal('2');
      expect(bucket.has('old')).to.equal(false);
      expect(bucket.range().count()).to.equal(1);
      expect(readable(bucket.range().toArray())).to.deep.equal([['new', '2']]);
      expect(db.bucket('b').has('new')).to.equal(false);
      expect(db.bucket('b').get('old')?.toString()).to.equal('1');
      expect([...db.buckets()]).to.deep.equal([{ name: 'b', entries: 1 }]);
      await tx.commit();
      expect(contentsOf(db)).to.deep.equal({ b: [['new', '2']], made: [] });
    });

    it('may be to buckets that come into being, go and come again', async () => {
      const db = await stores.openMemory();
      await putAll(db, 'b', numberedKeys(500), (i) => patterned(100, i));
      await db.write((tx) => {
        expect(tx.dropBucket('b')).to.equal(true);
        expect(tx.dropBucket('b')).to.equal(false);
        expect(tx.bucket('b').range().count()).to.equal(0);
        expect(tx.bucket('b').get(numbered(3))).to.equal(undefined);
        tx.createBucket('b').put('only', '1');
        raised('BUCKET_EXISTS', () => tx.createBucket('b'));
        tx.bucket('brief').put('x', '1');
        expect(tx.dropBucket('brief')).to.equal(true);
      });
      expect(contentsOf(db)).to.deep.equal({ b: [['only', '1']] });
    });

    it('delete and update say whether the key was there, and make no bucket', async () => {
      const db = await stores.openMemory();
      await db.write((tx) => {
        expect(tx.bucket('none').delete('a')).to.equal(false);
        expect(tx.bucket('none').update('a', '1')).to.equal(false);
        expect(tx.bucket('none').deleteRange({})).to.equal(0);
        tx.bucket('b').put('a', '1');
        expect(tx.bucket('b').update('a', '2')).to.equal(true);
        expect(tx.bucket('b').update('c', '2')).to.equal(false);
        expect(tx.bucket('b').delete('c')).to.equal(false);
      });
      expect(contentsOf(db)).to.deep.equal({ b: [['a', '2']] });
    });

    it('refuses keys and values that are none, and goes on', async () => {
      const db = await stores.openMemory();
      await db.write((tx) => {
        const bucket = tx.bucket('b');
        bucket.put('a', '1');
        // From a program without types.
        raised('INVALID_KEY', () => bucket.put(1 as never, '1'));
        raised('INVALID_KEY', () => bucket.delete(null as never));
        raised('INVALID_OPTION', () => bucket.put('a', 1 as never));
        raised('INVALID_OPTION', () => bucket.update('a', undefined as never));
        raised('KEY_TOO_LARGE', () => bucket.put('x'.repeat(1025), '1'));
        raised('INVALID_BUCKET_NAME', () => tx.bucket(''));
        raised('INVALID_BUCKET_NAME', () => tx.createBucket(''));
        raised('INVALID_BUCKET_NAME', () => tx.dropBucket(''));
        raised('INVALID_OPTION', () => bucket.deleteRange({ limit: -1 }));
      });
      expect(contentsOf(db)).to.deep.equal({ b: [['a', '1']] });
    });

    it('may take the caller’s bytes back at once', async () => {
      const db = await stores.openMemory();
      const key = Buffer.from('key');
      const value = Buffer.from('value');
      const large = Buffer.from(patterned(9000, 1));
      await db.write((tx) => {
        tx.bucket('b').put(key, value);
        tx.bucket('b').put('large', large);
        key.fill('x');
        value.fill('x');
        large.fill('x');
      });
      expect(db.bucket('b').get('key')?.toString()).to.equal('value');
      expect(db.bucket('b').get('large')).to.deep.equal(patterned(9000, 1));
    });
  });

  describe('its end', () => {
    const ends: Array<[what: string, end: (tx: WriteTransaction) => PromiseLike<void>]> = [
      ['commit', (tx) => tx.commit()],
      ['rollback', (tx) => tx.rollback()],
      ['dispose', (tx) => tx[Symbol.asyncDispose]()],
    ];
    for (const [what, end] of ends) {
      it(`by ${what} closes it: every call raises TRANSACTION_CLOSED, but for rollback`, async () => {
        const db = await stores.openMemory();
        const tx = await db.begin();
        const bucket = tx.bucket('b');
        bucket.put('a', '1');
        const range = bucket.range();
        await end(tx);
        for (const call of [
          () => bucket.put('b', '2'),
          () => bucket.delete('a'),
          () => bucket.update('a', '2'),
          () => bucket.deleteRange({}),
          () => bucket.get('a'),
          () => bucket.has('a'),
          () => range.toArray(),
          () => range.count(),
          () => range.first(),
          () => range[Symbol.iterator](),
          () => range[Symbol.asyncIterator](),
          () => bucket.range().toArray(),
          () => tx.bucket('b').get('a'),
          () => tx.createBucket('c'),
          () => tx.dropBucket('b'),
        ]) {
          raised('TRANSACTION_CLOSED', call);
        }
        await rejected('TRANSACTION_CLOSED', tx.commit());
        await rejected('TRANSACTION_CLOSED', bucket.createValueReadStream('a').toArray());
        await tx.rollback();
        await tx[Symbol.asyncDispose]();
        expect(db.bucket('b').has('a')).to.equal(what === 'commit');
      });
    }

    it('await using rolls back what was not committed', async () => {
      const db = await stores.openMemory();
      {
        await using tx = await db.begin();
        tx.bucket('b').put('a', '1');
        await tx.commit();
      }
      {
        await using tx = await db.begin();
        tx.bucket('b').put('a', '2');
      }
      expect(contentsOf(db)).to.deep.equal({ b: [['a', '1']] });
    });

    it('write commits and resolves to what was returned, or rolls back and rethrows', async () => {
      const db = await stores.openMemory();
      expect(await db.write((tx) => tx.bucket('b').put('a', '1') ?? 7)).to.equal(7);
      expect(
        await db.write(async (tx) => {
          await sleep(1);
          tx.bucket('b').put('b', '2');
          return 'later';
        }),
      ).to.equal('later');
      const stop = new Error('stop');
      for (const run of [
        (tx: WriteTransaction) => {
          tx.bucket('b').put('c', '3');
          throw stop;
        },
        async (tx: WriteTransaction) => {
          tx.bucket('b').put('c', '3');
          await sleep(1);
          throw stop;
        },
      ]) {
        let thrown: unknown;
        await db.write(run).catch((error: unknown) => {
          thrown = error;
        });
        expect(thrown).to.equal(stop);
      }
      await db.write(async (tx) => {
        tx.bucket('b').put('d', '4');
        await tx.rollback();
      });
      expect(contentsOf(db)).to.deep.equal({
        b: [
          ['a', '1'],
          ['b', '2'],
        ],
      });
    });

    it('an empty transaction commits nothing and costs no sync', async () => {
      const db = await stores.open();
      await db.bucket('b').put('a', '1');
      const { sequence, syncs } = db.stats();
      await db.write(() => undefined);
      await db.write((tx) => tx.bucket('b').delete('none'));
      expect(db.stats().sequence).to.equal(sequence);
      expect(db.stats().syncs).to.equal(syncs);
    });
  });

  describe('rollback', () => {
    const works: Array<[what: string, work: (tx: WriteTransaction) => void]> = [
      [
        'puts',
        (tx) => {
          for (const key of numberedKeys(3000)) tx.bucket('b').put(key, patterned(50, 9));
        },
      ],
      [
        'deletes',
        (tx) => {
          for (const key of numberedKeys(1000)) tx.bucket('b').delete(key);
        },
      ],
      ['a range deleted', (tx) => tx.bucket('b').deleteRange({ gt: numbered(10), lt: numbered(900) })],
      ['all deleted', (tx) => tx.bucket('b').deleteRange({})],
      ['a bucket dropped', (tx) => tx.dropBucket('b')],
      [
        'buckets made',
        (tx) => {
          for (let i = 0; i < 200; i++) tx.createBucket(numbered(i, 'n')).put('x', 'y');
        },
      ],
      [
        'a bucket dropped and made anew',
        (tx) => {
          tx.dropBucket('b');
          for (const key of numberedKeys(500)) tx.bucket('b').put(key, 'new');
          tx.dropBucket('b');
          tx.createBucket('b').put('other', 'new');
        },
      ],
      [
        'large values put, replaced and deleted',
        (tx) => {
          for (const key of numberedKeys(30)) tx.bucket('b').put(key, patterned(20_000, 5));
          for (const key of numberedKeys(30)) tx.bucket('b').put(key, patterned(60_000, 6));
          for (const key of numberedKeys(15)) tx.bucket('b').delete(key);
          tx.bucket('large').deleteRange({});
        },
      ],
    ];
    for (const place of ['memory', 'file'] as const) {
      for (const [what, work] of works) {
        it(`leaves everything as before, in a ${place}: ${what}`, async () => {
          const db = await stores.openIn(place, { cacheBytes: 1 });
          await putAll(db, 'b', numberedKeys(1000), (i) => patterned(60, i));
          await putAll(db, 'large', numberedKeys(10), (i) => patterned(30_000, i));
          const before = contentsOf(db);
          const { freePages, heldPages, pages, sequence } = db.stats();
          const tx = await db.begin();
          work(tx);
          await tx.rollback();
          expect(contentsOf(db)).to.deep.equal(before);
          expect((await db.check()).ok).to.equal(true);
          expect(db.stats().sequence).to.equal(sequence);
          // What the file grew by is free again.
          const after = db.stats();
          expect(after.freePages - freePages).to.equal(after.pages - pages);
          expect(after.heldPages).to.equal(heldPages);
          await db.bucket('b').put('later', '1');
          await db.dropBucket('large');
          expect(db.bucket('b').range().count()).to.equal(1001);
        });
      }
    }
  });

  describe('the one writer', () => {
    it('is each in turn, first come first served', async () => {
      const db = await stores.openMemory();
      const order: number[] = [];
      const first = await db.begin();
      const others = [1, 2, 3, 4, 5].map((turn) =>
        db.write(async (tx) => {
          await sleep(1);
          order.push(turn);
          tx.bucket('b').put(String(turn), String(tx.bucket('b').range().count()));
        }),
      );
      const single = db.bucket('b').put('single', '1');
      await sleep(5);
      expect(order).to.deep.equal([]);
      await first.rollback();
      await Promise.all([...others, single]);
      expect(order).to.deep.equal([1, 2, 3, 4, 5]);
      expect(db.bucket('b').get('5')?.toString()).to.equal('4');
    });

    it('goes on after one that fails or rolls back', async () => {
      const db = await stores.openMemory();
      const stop = new Error('stop');
      const results = await Promise.allSettled([
        db.write((tx) => tx.bucket('b').put('1', 'a')),
        db.write(() => {
          throw stop;
        }),
        db.write(async (tx) => tx.rollback()),
        db.write((tx) => tx.bucket('b').put('2', 'b')),
      ]);
      expect(results.map(({ status }) => status)).to.deep.equal([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
      expect(contentsOf(db)).to.deep.equal({
        b: [
          ['1', 'a'],
          ['2', 'b'],
        ],
      });
    });

    it('may be waited for only so long: CONFLICT', async () => {
      const db = await stores.openMemory();
      const tx = await db.begin();
      const started = performance.now();
      const error = await rejected('CONFLICT', db.begin({ waitMilliseconds: 30 }));
      expect(performance.now() - started).to.be.greaterThan(25);
      expect(error.details).to.deep.equal({ waitMilliseconds: 30 });
      await rejected('CONFLICT', db.begin({ waitMilliseconds: 0 }));
      await tx.rollback();
      const next = await db.begin({ waitMilliseconds: 0 });
      await next.rollback();
    });

    it('may be waited for until a signal: ABORTED, with its reason', async () => {
      const db = await stores.openMemory();
      const tx = await db.begin();
      const controller = new AbortController();
      const reason = new Error('enough');
      const waiting = rejected('ABORTED', db.begin({ signal: controller.signal }));
      const behind = db.begin({ signal: new AbortController().signal });
      controller.abort(reason);
      expect((await waiting).cause).to.equal(reason);
      expect((await rejected('ABORTED', db.begin({ signal: controller.signal }))).cause).to.equal(reason);
      await tx.rollback();
      // Who gave up did not take the turn of the one behind.
      const next = await behind;
      await next.rollback();
      await rejected('ABORTED', db.begin({ signal: controller.signal }));
    });

    it('a signal that fires after the turn came changes nothing', async () => {
      const db = await stores.openMemory();
      const controller = new AbortController();
      const tx = await db.begin({ signal: controller.signal, waitMilliseconds: 5 });
      controller.abort();
      await sleep(10);
      tx.bucket('b').put('a', '1');
      await tx.commit();
      expect(db.bucket('b').has('a')).to.equal(true);
    });

    it('refuses options that are none', async () => {
      const db = await stores.openMemory();
      for (const [name, options] of [
        ['waitMilliseconds', { waitMilliseconds: -1 }],
        ['waitMilliseconds', { waitMilliseconds: 'long' }],
        ['waitMilliseconds', { waitMilliseconds: Number.NaN }],
        ['signal', { signal: 'stop' }],
        ['timeout', { timeout: 5 }],
      ] as const) {
        const begun = db.begin(options as object);
        const error = await rejected('INVALID_OPTION', begun);
        expect(error.message).to.contain(name);
      }
    });

    it('is nobody in a read-only store: READ_ONLY', async () => {
      const path = await stores.path();
      await stores.close(await stores.openAt(path));
      const db = await stores.openAt(path, { readOnly: true });
      await rejected('READ_ONLY', db.begin());
      await rejected(
        'READ_ONLY',
        db.write(() => undefined),
      );
      await rejected('READ_ONLY', db.createBucket('b'));
      await rejected('READ_ONLY', db.dropBucket('b'));
    });
  });

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
    const keyAt = (i: number) => numbered((i * 7919) % COUNT);
    const fill = (tx: WriteTransaction, salt: number) => {
      for (let i = 0; i < COUNT; i++) tx.bucket('b').put(keyAt(i), patterned(1000, i + salt));
    };
    for (const place of ['memory', 'file'] as const) {
      it(`commits what was spilled, then rolls back as much again, in a ${place}`, async function () {
        this.timeout(60_000);
        const db = await stores.openIn(place, { cacheBytes: 1 });
        await db.bucket('b').put('first', '1');
        const committed = await db.begin();
        fill(committed, 0);
        expect(db.stats().pagesWritten, 'pages written before the commit').to.be.greaterThan(8000);
        expect(db.bucket('b').range().count()).to.equal(1);
        expect(committed.bucket('b').range().count()).to.equal(COUNT + 1);
        // Spilled pages are changed again.
        for (let i = 0; i < COUNT; i += 100) committed.bucket('b').put(keyAt(i), 'changed');
        await committed.commit();

        const dropped = await db.begin();
        fill(dropped, 1);
        dropped.bucket('b').deleteRange({ gt: numbered(10) });
        await dropped.rollback();

        let index = 0;
        const rank = new Map(Array.from({ length: COUNT }, (_, i) => [keyAt(i), i]));
        for (const [key, value] of db.bucket('b').range({ prefix: 'k' })) {
          expect(key.toString()).to.equal(numbered(index++));
          const i = rank.get(key.toString()) ?? -1;
          const expected = i % 100 === 0 ? Buffer.from('changed') : patterned(1000, i);
          if (!value.equals(expected)) expect.fail(`another value than was put at ${key.toString()}`);
        }
        expect(index).to.equal(COUNT);
      });
    }
  });

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
      expect(contentsOf(db)).to.deep.equal({
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
