// lib/stream/bulk-writer.ts: a bulk load as a loop and as a stream, its end, and what it tells of itself.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkOptions, BulkProgress } from 'btree-store';
import { expect } from 'chai';
import { lastValueFrom } from 'rxjs';
import { expectEntries, patterned } from '../helpers/bytes.js';
import { raised, rejected } from '../helpers/errors.js';
import { expectBucket, load, modelOf, type Pair, pairs, shuffled } from '../helpers/loads.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

describe('bulk writer', () => {
  const stores = useStores();

  describe('an early end', () => {
    it('by destroy drops what is not committed and keeps the rest', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      for (const [key, value] of pairs(0, 100)) writer.add(key, value);
      await writer.commit();
      for (const [key, value] of pairs(100, 20_000)) if (!writer.add(key, value)) await writer.drained();
      writer.destroy();
      await rejected('ABORTED', writer.finish());
      raised('ABORTED', () => writer.add('z', '1'));
      await rejected('ABORTED', writer.drained());
      await rejected('ABORTED', writer.commit());
      expectBucket(db.bucket('b'), modelOf(pairs(0, 100)));
      // The writer's turn was given back.
      await db.bucket('b').put('z', '1');
    });

    it('by destroy with an error rejects with it', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      const stop = new Error('stop');
      const finishing = writer.finish().catch((error: unknown) => error);
      writer.destroy(stop);
      expect(await finishing).to.equal(stop);
    });

    for (const filled of [0, 10, 20_000]) {
      it(`by its signal commits what was added, then rejects with ABORTED: ${filled} entries`, async () => {
        const db = await stores.open();
        const controller = new AbortController();
        const writer = db.bucket('b').bulkWriter({ signal: controller.signal });
        for (const [key, value] of pairs(0, filled)) if (!writer.add(key, value)) await writer.drained();
        const reason = new Error('enough');
        controller.abort(reason);
        const error = await rejected('ABORTED', writer.finish());
        expect(error.cause).to.equal(reason);
        expectBucket(db.bucket('b'), modelOf(pairs(0, filled)));
        raised('ABORTED', () => writer.add('z', '1'));
        await db.bucket('b').put('z', '1');
      });
    }

    it('by a signal that had fired already takes nothing', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ signal: AbortSignal.abort() });
      await rejected('ABORTED', writer.finish());
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('by its signal while another writes does not wait for that', async () => {
      const db = await stores.openMemory();
      const tx = await db.begin();
      const controller = new AbortController();
      const writer = db.bucket('b').bulkWriter({ signal: controller.signal });
      for (const [key, value] of pairs(0, 20_000)) writer.add(key, value);
      await sleep(5);
      controller.abort();
      await rejected('ABORTED', writer.finish());
      await tx.rollback();
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('by a signal after the end changes nothing', async () => {
      const db = await stores.openMemory();
      const controller = new AbortController();
      const report = await load(db.bucket('b'), pairs(0, 10), { signal: controller.signal });
      controller.abort();
      await sleep(1);
      expect(report.entries).to.equal(10);
      expect(db.bucket('b').range().count()).to.equal(10);
    });

    it('by a failure reaches a loop by its calls alone, without an event that nobody hears', async () => {
      const db = await stores.openMemory();
      // An 'error' event without a listener would be an uncaught exception, which fails the test.
      for (const last of ['add', 'drained', 'commit', 'finish'] as const) {
        const writer = db.bucket('b').bulkWriter({ sorted: true });
        writer.add('b', '1');
        writer.add('a', '1');
        await rejected('KEY_OUT_OF_ORDER', writer.commit());
        await sleep(1);
        if (last === 'add') raised('KEY_OUT_OF_ORDER', () => writer.add('c', '1'));
        else await rejected('KEY_OUT_OF_ORDER', writer[last]());
      }
      await sleep(1);
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('by close of the store rejects with STORE_CLOSED', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      await writer.commit();
      writer.add('b', '1');
      stores.forget(db);
      await db.close();
      await rejected('STORE_CLOSED', writer.finish());
      expectBucket((await stores.openAt(db.path)).bucket('b'), modelOf([['a', '1']]));
    });

    it('never comes after finish: add raises TRANSACTION_CLOSED', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      const finishing = writer.finish();
      raised('TRANSACTION_CLOSED', () => writer.add('b', '1'));
      const report = await finishing;
      expect(report.entries).to.equal(1);
      expect(await writer.finish()).to.equal(report);
      raised('TRANSACTION_CLOSED', () => writer.add('b', '1'));
    });
  });

  describe('as a stream', () => {
    it('takes pairs from a pipeline, slowly enough', async () => {
      const db = await stores.open();
      let made = 0;
      let aheadMost = 0;
      const writer = db.bucket('b').bulkWriter({ commitEvery: { entries: 5000 } });
      function* source(): Generator<Pair> {
        for (const pair of pairs(0, 100_000, 0, 100)) {
          made++;
          aheadMost = Math.max(aheadMost, made - writer.report().entriesCommitted);
          yield pair;
        }
      }
      await pipeline(Readable.from(source()), writer);
      expect(made).to.equal(100_000);
      expect(db.bucket('b').range().count()).to.equal(100_000);
      // The blocks being filled and taken, a commit's worth of entries, and what the streams hold.
      expect(aheadMost).to.be.lessThan(20_000);
    });

    it('takes a range of another bucket, and of the same', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await putAll(db, 'a', numberedKeys(5000), (i) => patterned(i % 100 === 0 ? 5000 : 60, i));
      await pipeline(db.bucket('a').range().toReadable(), db.bucket('b').bulkWriter());
      expectEntries(db.bucket('b').range().toArray(), db.bucket('a').range().toArray());
      await pipeline(db.bucket('b').range({ reverse: true }).toReadable(), db.bucket('b').bulkWriter());
      expectEntries(db.bucket('b').range().toArray(), db.bucket('a').range().toArray());
    });

    for (const [what, chunk] of [
      ['a string', 'text'],
      ['a number', 1],
      ['an object', { key: 'a', value: 'b' }],
      ['a single', ['a']],
      ['a triple', ['a', 'b', 'c']],
    ] as const) {
      it(`refuses ${what}, and says what it takes`, async () => {
        const db = await stores.openMemory();
        const source = Readable.from([['a', '1'], chunk]);
        const error = await rejected('INVALID_OPTION', pipeline(source, db.bucket('b').bulkWriter()));
        expect(error.message).to.contain('[key, value]');
        expect([...db.buckets()]).to.deep.equal([]);
      });
    }

    it('refuses keys and values that are none, and commits nothing of it', async () => {
      const db = await stores.openMemory();
      for (const [code, pair] of [
        ['INVALID_KEY', [1, 'x']],
        ['KEY_TOO_LARGE', ['k'.repeat(1025), 'x']],
        ['INVALID_OPTION', ['k', null]],
      ] as const) {
        const source = Readable.from([['a', '1'], pair]);
        await rejected(code, pipeline(source, db.bucket('b').bulkWriter()));
      }
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('is destroyed when its source fails, and drops what is not committed', async () => {
      const db = await stores.openMemory();
      const stop = new Error('stop');
      const source = Readable.from(
        (function* () {
          yield* pairs(0, 5000);
          throw stop;
        })(),
      );
      let thrown: unknown;
      await pipeline(source, db.bucket('b').bulkWriter()).catch((error: unknown) => {
        thrown = error;
      });
      expect(thrown).to.equal(stop);
      expect([...db.buckets()]).to.deep.equal([]);
      await db.bucket('b').put('a', '1');
    });

    it('refuses single entries by add, and goes on', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      // From a program without types.
      raised('INVALID_KEY', () => writer.add(1 as never, '1'));
      raised('KEY_TOO_LARGE', () => writer.add('k'.repeat(1025), '1'));
      raised('INVALID_OPTION', () => writer.add('b', 1 as never));
      writer.add('c', '1');
      const report = await writer.finish();
      expect(report.entries).to.equal(2);
      expectBucket(
        db.bucket('b'),
        modelOf([
          ['a', '1'],
          ['c', '1'],
        ]),
      );
    });

    it('takes the bytes before add returns', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      const key = Buffer.from('k0');
      const small = Buffer.from('v0');
      const large = Buffer.alloc(30_000);
      for (let i = 0; i < 10; i++) {
        key[1] = small[1] = 0x30 + i;
        large.fill(i);
        writer.add(key, i % 2 === 0 ? small : large);
      }
      await writer.finish();
      for (let i = 0; i < 10; i++) {
        const expected = i % 2 === 0 ? Buffer.from(`v${i}`) : Buffer.alloc(30_000, i);
        expect(db.bucket('b').get(`k${i}`)?.equals(expected), `k${i}`).to.equal(true);
      }
    });
  });

  describe('a loop', () => {
    it('is told to wait, and waits until there is room', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter();
      let waits = 0;
      let aheadMost = 0;
      let ahead = 0;
      for (const [key, value] of pairs(0, 50_000, 0, 100)) {
        ahead++;
        if (writer.add(key, value)) continue;
        waits++;
        await writer.drained();
        aheadMost = Math.max(aheadMost, ahead);
        ahead = 0;
      }
      await writer.drained();
      await writer.finish();
      expect(waits).to.be.greaterThan(10);
      // Two blocks of 256 KiB at the most.
      expect(aheadMost).to.be.lessThan(6000);
    });

    it('that does not wait loses nothing', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      for (const [key, value] of pairs(0, 50_000)) writer.add(key, value);
      await writer.finish();
      expectBucket(db.bucket('b'), modelOf(pairs(0, 50_000)));
    });

    for (const [what, keys] of [
      ['sorted', numberedKeys(300_000)],
      ['unsorted', shuffled(numberedKeys(50_000))],
    ] as const) {
      it(`lets the event loop go on where no disk is waited for: ${what}`, async () => {
        const db = await stores.openMemory();
        const writer = db.bucket('b').bulkWriter();
        let fired = 0;
        const timer = setInterval(() => fired++, 1);
        for (const key of keys) if (!writer.add(key, 'value')) await writer.drained();
        await writer.finish();
        clearInterval(timer);
        expect(fired, 'timers during the load').to.be.greaterThan(5);
        expect(db.bucket('b').range().count()).to.equal(keys.length);
      });
    }
  });

  describe('progress$', () => {
    it('tells of entries, bytes and commits, and completes with the report', async () => {
      const db = await stores.open();
      const told: BulkProgress[] = [];
      let completed = false;
      const writer = db.bucket('b').bulkWriter({ commitEvery: { entries: 1000 } });
      writer.progress$.subscribe({
        next: (progress) => told.push(progress),
        complete: () => {
          completed = true;
        },
      });
      for (const [key, value] of pairs(0, 5500, 0, 61)) if (!writer.add(key, value)) await writer.drained();
      const report = await writer.finish();
      expect(completed).to.equal(true);
      const last = told.at(-1);
      for (const facts of [report, last]) {
        expect(facts).to.include({ entries: 5500, bytes: 5500 * 70, entriesCommitted: 5500, commits: 6 });
        expect(facts?.elapsedMilliseconds).to.be.greaterThan(0).and.be.lessThan(10_000);
        const perMillisecond = facts === undefined ? 0 : 5500 / facts.elapsedMilliseconds;
        expect(facts?.entriesPerSecond).to.be.closeTo(perMillisecond * 1000, 1e-6);
      }
      for (let i = 1; i < told.length; i++) {
        expect(told[i].entries).to.be.at.least(told[i - 1].entries);
        expect(told[i].entriesCommitted).to.be.at.least(told[i - 1].entriesCommitted);
      }
    });

    it('has the latest for who subscribes late, also after the end', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ commitEvery: { entries: 10 } });
      for (const [key, value] of pairs(0, 100)) if (!writer.add(key, value)) await writer.drained();
      await writer.commit();
      const told: BulkProgress[] = [];
      const subscription = writer.progress$.subscribe((progress) => told.push(progress));
      expect(told.length).to.equal(1);
      subscription.unsubscribe();
      await writer.finish();
      const last = await lastValueFrom(writer.progress$);
      expect(last).to.include({ entries: 100, entriesCommitted: 100, commits: 10 });
    });

    it('completes with a load that fails, so that looking on does no harm', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ sorted: true });
      let completed = false;
      writer.progress$.subscribe({
        complete: () => {
          completed = true;
        },
      });
      writer.add('b', '1');
      writer.add('a', '1');
      await rejected('KEY_OUT_OF_ORDER', writer.finish());
      expect(completed).to.equal(true);
    });
  });

  describe('options', () => {
    const invalid: Array<[name: string, options: Record<string, unknown>]> = [
      ['sorted', { sorted: 'yes' }],
      ['onDuplicate', { onDuplicate: 'ignore' }],
      ['commitEvery', { commitEvery: 5 }],
      ['commitEvery.entries', { commitEvery: { entries: 0 } }],
      ['commitEvery.entries', { commitEvery: { entries: 1.5 } }],
      ['commitEvery.bytes', { commitEvery: { bytes: -1 } }],
      ['rows', { commitEvery: { rows: 5 } }],
      ['atomic', { atomic: 1 }],
      ['fillFactor', { fillFactor: 0 }],
      ['fillFactor', { fillFactor: 1.1 }],
      ['fillFactor', { fillFactor: Number.NaN }],
      ['checkpoint', { checkpoint: '' }],
      ['checkpoint', { checkpoint: 1 }],
      ['signal', { signal: {} }],
      ['sortbytes', { sortbytes: 1 }],
      ['sortBytes', { sortBytes: 0 }],
      ['sortBytes', { sortBytes: 1.5 }],
      ['sortBytes', { sortBytes: 2 ** 31 + 1 }],
    ];
    for (const [name, options] of invalid) {
      it(`refuses ${name}: ${JSON.stringify(Object.values(options)[0])}`, async () => {
        const db = await stores.openMemory();
        const error = raised('INVALID_OPTION', () => db.bucket('b').bulkWriter(options as BulkOptions));
        expect(error.message).to.contain(name);
      });
    }
  });
});
