// lib/transaction.ts and transaction-bucket.ts: all or nothing, one writer at a time, over every bucket.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, WriteTransaction } from 'btree-store';
import { expect } from 'chai';
import { numbered, patterned, readable } from './helpers/bytes.js';
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
          () => bucket.range().toArray(),
          () => tx.bucket('b').get('a'),
          () => tx.createBucket('c'),
          () => tx.dropBucket('b'),
        ]) {
          raised('TRANSACTION_CLOSED', call);
        }
        await rejected('TRANSACTION_CLOSED', tx.commit());
        await rejected('TRANSACTION_CLOSED', range[Symbol.asyncIterator]().next());
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
});
