// lib/database.ts: the life of a handle, and what it tells of its store.

import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Database, open } from 'btree-store';
import { expect } from 'chai';
import { numbered, patterned, readable } from './helpers/bytes.js';
import { raised, rejected } from './helpers/errors.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('a database', () => {
  const stores = useStores();

  describe('once closed', () => {
    it('raises STORE_CLOSED from every call, and closes again without complaint', async () => {
      const db = await stores.open();
      await db.bucket('b').put('a', '1');
      await db.bucket('b').put('large', patterned(100_000, 1));
      const bucket = db.bucket('b');
      const snapshot = db.snapshot();
      const held = snapshot.bucket('b');
      snapshot.release();
      await stores.close(db);
      for (const call of [
        () => bucket.get('a'),
        () => bucket.has('a'),
        () => bucket.range().toArray(),
        () => bucket.range().count(),
        () => bucket.range().first(),
        () => bucket.bulkWriter(),
        () => bucket.bulkCheckpoint('x'),
        () => held.get('a'),
        () => snapshot.buckets(),
        () => db.bucket('b').get('a'),
        () => db.buckets(),
        () => db.snapshot(),
        () => db.read(() => 1),
        () => db.stats(),
      ]) {
        raised('STORE_CLOSED', call);
      }
      for (const call of [
        () => bucket.put('a', '1'),
        () => bucket.delete('a'),
        () => bucket.update('a', '1'),
        () => db.createBucket('c'),
        () => db.dropBucket('b'),
        () => db.begin(),
        () => db.write(() => 1),
        () => db.check(),
        () => bucket.createValueReadStream('large').toArray(),
      ]) {
        await rejected('STORE_CLOSED', call());
      }
      await db.close();
      await db[Symbol.asyncDispose]();
    });

    for (const what of ['sync', 'async'] as const) {
      it(`ends a running iteration with STORE_CLOSED, or lets it have what it has, ${what}`, async () => {
        const db = await stores.open({ cacheBytes: 1 });
        await putAll(db, 'b', numberedKeys(5000), (i) => patterned(100, i));
        const sync = db.bucket('b').range()[Symbol.iterator]();
        const async = db.bucket('b').range()[Symbol.asyncIterator]();
        sync.next();
        await async.next();
        stores.forget(db);
        await db.close();
        // Another file may have the closed one's descriptor by now.
        const other = await stores.open();
        await putAll(other, 'b', numberedKeys(5000), (i) => patterned(100, i + 1));
        const drain = async () => {
          let index = 1;
          for (;;) {
            const next = what === 'sync' ? sync.next() : await async.next();
            if (next.done === true) return;
            const [key, value] = next.value;
            expect(key.toString()).to.equal(numbered(index));
            expect(value).to.deep.equal(patterned(100, index++));
          }
        };
        await rejected('STORE_CLOSED', drain());
      });
    }

    it('is what await using makes it', async () => {
      const file = await stores.path();
      {
        await using db = await open(file);
        await db.bucket('b').put('a', '1');
      }
      const db = await stores.openAt(file);
      expect(db.bucket('b').has('a')).to.equal(true);
    });

    it('waits for the transaction that is open, and refuses those behind it', async () => {
      const db = await stores.open();
      const tx = await db.begin();
      tx.bucket('b').put('a', '1');
      const behind = db.begin();
      let closed = false;
      const closing = db.close().then(() => {
        closed = true;
      });
      await rejected('STORE_CLOSED', behind);
      await rejected('STORE_CLOSED', db.begin());
      expect(closed).to.equal(false);
      await tx.rollback();
      await closing;
      stores.forget(db);
      expect((await stores.openAt(db.path)).bucket('b').has('a')).to.equal(false);
    });

    it('ends the open transaction that would commit: STORE_CLOSED, and the writer is no longer waited for', async () => {
      const db = await stores.open();
      const tx = await db.begin();
      tx.bucket('b').put('a', '1');
      stores.forget(db);
      const closing = db.close();
      raised('STORE_CLOSED', () => tx.bucket('b').put('b', '1'));
      await rejected('STORE_CLOSED', tx.commit());
      // Without a rollback: whoever learns that it was not committed need not know of another call.
      await closing;
      expect((await stores.openAt(db.path)).bucket('b').has('a')).to.equal(false);
    });

    it('waits for a commit that is under way', async () => {
      const db = await stores.open();
      const tx = await db.begin();
      tx.bucket('b').put('a', '1');
      const committing = tx.commit();
      await Promise.all([committing, db.close()]);
      stores.forget(db);
      expect((await stores.openAt(db.path)).bucket('b').has('a')).to.equal(true);
    });

    it('keeps what single writes had been told, and tells the others', async () => {
      const db = await stores.open();
      const puts = numberedKeys(300).map(async (key) => {
        await db.bucket('b').put(key, 'x');
        return key;
      });
      await puts[0];
      const later = numberedKeys(300, 'z').map((key) => db.bucket('b').put(key, 'x'));
      stores.forget(db);
      const [results] = await Promise.all([Promise.allSettled([...puts, ...later]), db.close()]);
      const kept = results.filter(({ status }) => status === 'fulfilled').length;
      const again = await stores.openAt(db.path);
      expect(again.bucket('b').range().count()).to.equal(kept);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).to.include({ code: 'STORE_CLOSED' });
    });
  });

  describe('buckets', () => {
    for (const [what, name] of [
      ['empty', ''],
      ['too long', 'x'.repeat(1001)],
      ['too long in bytes', 'ü'.repeat(501)],
      ['with half a surrogate pair', 'a\ud800b'],
      ['a number', 7],
      ['null', null],
      ['undefined', undefined],
    ] as const) {
      it(`refuses a name that is ${what}`, async () => {
        const db = await stores.openMemory();
        // Names from a program without types.
        raised('INVALID_BUCKET_NAME', () => db.bucket(name as string));
        await rejected('INVALID_BUCKET_NAME', db.createBucket(name as string));
        await rejected('INVALID_BUCKET_NAME', db.dropBucket(name as string));
        using snapshot = db.snapshot();
        raised('INVALID_BUCKET_NAME', () => snapshot.bucket(name as string));
        await db.write((tx) => {
          raised('INVALID_BUCKET_NAME', () => tx.bucket(name as string));
        });
      });
    }

    it('are told with their counts, in the order of the bytes of their names', async () => {
      const db = await stores.open();
      const names = [
        'b',
        'B',
        'ä',
        '\u{1f33e}',
        '\uffee',
        'a b',
        '\0',
        'x'.repeat(1000),
        'constructor',
        '__proto__',
      ];
      for (const [index, name] of names.entries()) await putAll(db, name, numberedKeys(index + 1), () => 'x');
      await db.createBucket('empty');
      const expected = [...names.map((name, i) => ({ name, entries: i + 1 })), { name: 'empty', entries: 0 }];
      expected.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
      expect([...db.buckets()]).to.deep.equal(expected);
      const again = await stores.reopen(db);
      expect([...again.buckets()]).to.deep.equal(expected);
      expect(again.stats().buckets).to.equal(expected.length);
    });

    it('createBucket rejects with BUCKET_EXISTS, dropBucket says whether there was one', async () => {
      const db = await stores.openMemory();
      const made = await db.createBucket('b');
      expect(made.name).to.equal('b');
      const error = await rejected('BUCKET_EXISTS', db.createBucket('b'));
      expect(error.details).to.deep.equal({ name: 'b' });
      expect(await db.dropBucket('b')).to.equal(true);
      expect(await db.dropBucket('b')).to.equal(false);
      expect([...db.buckets()]).to.deep.equal([]);
      await db.createBucket('b');
    });

    for (const what of ['of the database', 'of a snapshot that is released meanwhile'] as const) {
      it(`may be dropped in a loop over them, ${what}`, async () => {
        const db = await stores.open({ cacheBytes: 1 });
        const names = numberedKeys(600, 'bucket-');
        await db.write((tx) => {
          for (const name of names) tx.createBucket(name).put('a', name);
        });
        const snapshot = db.snapshot();
        const infos = what === 'of the database' ? db.buckets() : snapshot.buckets();
        const seen: string[] = [];
        for (const { name } of infos) {
          if (seen.length === 0) snapshot.release();
          seen.push(name);
          await db.dropBucket(name);
          // What the catalog was is written over.
          if (seen.length % 50 === 0) await putAll(db, 'other', numberedKeys(100), (i) => patterned(100, i));
        }
        expect(seen).to.deep.equal(names);
        expect([...db.buckets()].map(({ name }) => name)).to.deep.equal(['other']);
        expect(db.stats().snapshots).to.equal(0);
      });
    }

    it('drop costs no more for the size of others', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await putAll(db, 'big', numberedKeys(20_000), (i) => patterned(100, i));
      await putAll(db, 'small', numberedKeys(10), (i) => patterned(100, i));
      const before = db.stats();
      await db.dropBucket('small');
      expect(db.stats().pagesRead - before.pagesRead).to.be.lessThan(10);
      expect(db.stats().pagesWritten - before.pagesWritten).to.be.lessThan(10);
    });
  });

  describe('stats', () => {
    it('tell of the file, the cache and the work', async () => {
      const db = await stores.open();
      const empty = db.stats();
      expect(empty).to.include({ pageSize: 4096, sequence: 0, buckets: 0, snapshots: 0 });
      await putAll(db, 'b', numberedKeys(20_000), (i) => patterned(100, i));
      await db.bucket('b').put('last', '1');
      const { buckets, pages, fileBytes, freePages, sequence, syncs, bytesWritten, pagesWritten } =
        db.stats();
      expect(buckets).to.equal(1);
      expect(sequence).to.be.greaterThan(empty.sequence);
      expect(fileBytes)
        .to.be.greaterThan(20_000 * 100)
        .and.be.lessThan(2 * 20_000 * 130);
      expect((await fs.stat(db.path)).size).to.equal(db.stats().fileBytes);
      expect(pages).to.be.greaterThan(550).and.be.greaterThan(freePages);
      expect(syncs).to.be.greaterThan(empty.syncs);
      expect(bytesWritten - empty.bytesWritten).to.be.greaterThan(20_000 * 100);
      expect(pagesWritten - empty.pagesWritten).to.be.greaterThan(550);
      const { hits } = db.stats().cache;
      db.bucket('b').get('last');
      expect(db.stats().cache.hits).to.be.greaterThan(hits);
    });

    it('a small cache keeps few pages, a large one all', async () => {
      const file = await stores.path();
      let db = await stores.openAt(file);
      await putAll(db, 'b', numberedKeys(20_000), (i) => patterned(100, i));
      db = await stores.reopen(db, { cacheBytes: 1 });
      for (let round = 0; round < 2; round++) for (const _ of db.bucket('b').range());
      expect(db.stats().cache.cleanPages).to.be.at.most(128);
      const { pagesRead } = db.stats();
      db = await stores.reopen(db);
      for (let round = 0; round < 2; round++) for (const _ of db.bucket('b').range());
      expect(db.stats().pagesRead).to.be.lessThan(pagesRead * 0.6);
    });
  });

  describe('check', () => {
    it('adds up what is in the file', async () => {
      const db = await stores.open();
      await putAll(db, 'b', numberedKeys(5000), (i) => patterned(100, i));
      await putAll(db, 'large', numberedKeys(3), (i) => patterned(50_000, i));
      const { ok, problems, problemCount, buckets, entries, pages } = await db.check();
      expect({ ok, problems, problemCount, buckets, entries }).to.deep.equal({
        ok: true,
        problems: [],
        problemCount: 0,
        buckets: 2,
        entries: 5003,
      });
      const { total, fixed, branch, leaf, value, free } = pages;
      expect(fixed + branch + leaf + value + free)
        .to.equal(total)
        .and.equal(db.stats().pages);
      expect(value).to.equal(3 * Math.ceil(50_000 / 4064));
      expect(leaf).to.be.greaterThan(100);
    });

    it('waits for the writer while readers go on', async () => {
      const db = await stores.openMemory();
      const tx = await db.begin();
      tx.bucket('b').put('a', '1');
      const checking = db.check();
      expect(db.bucket('b').has('a')).to.equal(false);
      await tx.commit();
      expect((await checking).entries).to.equal(1);
    });

    for (const [what, options] of [
      ['small values', { length: 100, count: 2000 }],
      ['large values', { length: 30_000, count: 20 }],
    ] as const) {
      it(`finds every damaged page and names it, and reads name it too: ${what}`, async () => {
        const file = await stores.path();
        let db = await stores.openAt(file);
        await putAll(db, 'b', numberedKeys(options.count), (i) => patterned(options.length, i));
        const { pages } = await db.check();
        await stores.close(db);
        const whole = await fs.readFile(file);
        // The last page of the file is a page of the bucket.
        const page = whole.length / 4096 - 1;
        expect(pages.total).to.be.at.least(page);
        const changed = Buffer.from(whole);
        changed[page * 4096 + 2000] ^= 1;
        await fs.writeFile(file, changed);

        db = await stores.openAt(file);
        stores.expectDamage(db);
        const report = await db.check();
        expect(report.ok).to.equal(false);
        expect(report.problemCount).to.be.greaterThan(0);
        expect(report.problems.map((problem) => problem.page)).to.include(page);
        const readers: Array<() => unknown> = [
          () => db.bucket('b').range().toArray(),
          () => {
            for (const [key, value] of db.bucket('b').range())
              expect(value.length, key.toString()).to.be.above(0);
          },
          () => {
            for (const value of db.bucket('b').range().values()) expect(value.length).to.be.above(0);
          },
          () => {
            for (const batch of db.bucket('b').range().batches())
              for (let i = 0; i < batch.length; i++) batch.value(i);
          },
          () => numberedKeys(options.count).map((key) => db.bucket('b').get(key)),
        ];
        for (const reader of readers) {
          const error = raised('PAGE_CORRUPT', reader);
          expect(error.details.page).to.equal(page);
          expect(error.message).to.contain(String(page));
          expect(db.stats().snapshots).to.equal(0);
        }
        const drains: Array<() => Promise<unknown>> = [
          async () => {
            for await (const _ of db.bucket('b').range());
          },
          async () => {
            for await (const _ of db.bucket('b').range().values());
          },
          async () => {
            for await (const batch of db.bucket('b').range().batches())
              for (let i = 0; i < batch.length; i++) batch.value(i);
          },
          () => db.bucket('b').range().toReadable().toArray(),
          async () => {
            for await (const _ of db.bucket('b').range().toWebStream());
          },
        ];
        for (const drain of drains) {
          const error = await rejected('PAGE_CORRUPT', drain());
          expect(error.details.page).to.equal(page);
          expect(db.stats().snapshots).to.equal(0);
        }
      });
    }
  });

  it('lets a program end that forgot to close it', async () => {
    const script = `
      import { open } from 'btree-store';
      const db = await open(process.argv[1]);
      await db.bucket('b').put('a', '1');
      console.log('done');
    `;
    const file = await stores.path();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script, file],
      { timeout: 15_000 },
    );
    expect(stdout).to.equal('done\n');
    expect(readable((await stores.openAt(file)).bucket('b').range().toArray())).to.deep.equal([['a', '1']]);
  });

  it('serves many handles on one bucket alike', async () => {
    const db: Database = await stores.openMemory();
    const one = db.bucket('b');
    const two = db.bucket('b');
    await one.put('a', '1');
    expect(two.get('a')?.toString()).to.equal('1');
    await db.dropBucket('b');
    expect(one.has('a')).to.equal(false);
    await two.put('b', '2');
    expect(one.get('b')?.toString()).to.equal('2');
  });
});
