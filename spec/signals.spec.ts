// AbortSignals, given to every call that can take long: before it, and while it is under way. It ends with ABORTED and
// the reason, lets everything go, and leaves no listener on the signal.

import { getEventListeners } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, importCsv, importNdjson, keys, type Range } from 'btree-store';
import { expect } from 'chai';
import { lastValueFrom, tap } from 'rxjs';
import { numbered, patterned } from './helpers/bytes.js';
import { raised, rejected } from './helpers/errors.js';
import { filled, numberedKeys } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

const ROWS = 3000;
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** Work over a store that a signal can stop; calls `underWay` once, when it has begun. */
type Work = (db: Database, signal: AbortSignal, underWay: () => void) => Promise<unknown>;

/** Ends only when it is told to. */
async function* endless<T>(make: (index: number) => T, underWay: () => void): AsyncGenerator<T> {
  for (let i = 0; ; i++) {
    if (i === 100) underWay();
    if (i % 100 === 0) await nextTurn();
    yield make(i);
  }
}

/** After so many entries, or chunks of a page of them, the work is under way. */
const UNDER_WAY = 5;

const rangeWork =
  (consume: (range: Range, each: () => void) => Promise<unknown>): Work =>
  (db, signal, underWay) => {
    let count = 0;
    return consume(db.bucket('b').range({ signal }), () => {
      if (++count === UNDER_WAY) underWay();
    });
  };

const counting = (each: () => void): Writable =>
  new Writable({
    objectMode: true,
    write: (_chunk, _encoding, done) => {
      each();
      setImmediate(done);
    },
  });

const RANGE_WORK: Record<string, Work> = {
  'for of': rangeWork(async (range, each) => {
    for (const _ of range) each();
  }),
  'for of keys': rangeWork(async (range, each) => {
    for (const _ of range.keys()) each();
  }),
  'for of batches': rangeWork(async (range, each) => {
    for (const batch of range.batches()) for (let i = 0; i < batch.length; i++) each();
  }),
  'for await': rangeWork(async (range, each) => {
    for await (const _ of range) each();
  }),
  'for await of values': rangeWork(async (range, each) => {
    for await (const _ of range.values()) each();
  }),
  'for await of batches': rangeWork(async (range, each) => {
    for await (const batch of range.batches()) for (let i = 0; i < batch.length; i++) each();
  }),
  toReadable: rangeWork((range, each) => pipeline(range.toReadable(), counting(each))),
  'Readable.from': rangeWork((range, each) => pipeline(Readable.from(range), counting(each))),
  toWebStream: rangeWork((range, each) => range.toWebStream().pipeTo(Writable.toWeb(counting(each)))),
  toObservable: rangeWork((range, each) => lastValueFrom(range.toObservable().pipe(tap(each)))),
  toNdjson: rangeWork((range, each) => pipeline(range.toNdjson({ chunkBytes: 16 }), counting(each))),
  toCsv: rangeWork((range, each) => pipeline(range.toCsv({ chunkBytes: 16 }), counting(each))),
  'for await of a typed range': async (db, signal, underWay) => {
    let count = 0;
    for await (const _ of db.bucket('b', { key: keys.bytes }).range({ signal }))
      if (++count === UNDER_WAY) underWay();
  },
};

const WRITE_WORK: Record<string, Work> = {
  'bulkWriter, sorted': (db, signal, underWay) =>
    pipeline(
      endless((i) => [numbered(i), 'v'], underWay),
      db.bucket('load').bulkWriter({ signal, sorted: true }),
    ),
  'bulkWriter, unsorted': (db, signal, underWay) =>
    pipeline(
      endless((i) => [numbered((i * 7919) % 100_003), 'v'], underWay),
      db.bucket('load').bulkWriter({ signal, sorted: false }),
    ),
  'bulkWriter, atomic': (db, signal, underWay) =>
    pipeline(
      endless((i) => [numbered(i), 'v'], underWay),
      db.bucket('load').bulkWriter({ signal, atomic: true }),
    ),
  importCsv: (db, signal, underWay) =>
    importCsv(
      db.bucket('load'),
      endless((i) => Buffer.from(i === 0 ? 'id,a\n' : `${i},x\n`), underWay),
      {
        key: 'id',
        signal,
      },
    ),
  importNdjson: (db, signal, underWay) =>
    importNdjson(
      db.bucket('load'),
      endless((i) => Buffer.from(`{"id":"${i}"}\n`), underWay),
      { key: 'id', signal },
    ),
  createValueReadStream: (db, signal, underWay) =>
    pipeline(db.bucket('files').createValueReadStream('large', { signal }), async (chunks) => {
      for await (const _ of chunks) {
        underWay();
        await nextTurn();
      }
    }),
  createValueWriteStream: (db, signal, underWay) =>
    pipeline(
      endless(() => Buffer.alloc(1000), underWay),
      db.bucket('load').createValueWriteStream('a', { signal }),
    ),
};

/** Calls that do all of their work themselves. */
const CALLS: Record<string, (db: Database, signal: AbortSignal) => Promise<unknown>> = {
  begin: (db, signal) => db.begin({ signal }),
  write: (db, signal) => db.write(() => undefined, { signal }),
  check: (db, signal) => db.check({ signal }),
  compact: (db, signal) => db.compact({ signal }),
  backup: (db, signal) => db.backup(`${db.path}.copy`, { signal }),
};

describe('signals', () => {
  const stores = useStores();
  const reason = new Error('enough');

  async function store(): Promise<Database> {
    const db = await stores.open({ cacheBytes: 1 });
    await filled(db, numberedKeys(ROWS), 40);
    await db.write((tx) => {
      for (const key of numberedKeys(ROWS)) tx.bucket('b').put(key, '{"a":"some text"}');
      tx.bucket('files').put('large', patterned(3_000_000, 1));
    });
    await db.write((tx) => tx.bucket('files').put('large', patterned(3_000_000, 2)));
    return db;
  }

  async function expectReleased(db: Database, signal: AbortSignal): Promise<void> {
    // What a stream lets go when it closes may be let go a turn after its failure is told.
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(listeners(signal), 'listeners').to.equal(0);
    expect(db.stats().snapshots, 'snapshots').to.equal(0);
    const tx = await db.begin({ waitMilliseconds: 1000 });
    await tx.rollback();
  }

  for (const [name, work] of Object.entries({ ...RANGE_WORK, ...WRITE_WORK })) {
    it(`${name}: given before`, async () => {
      const db = await store();
      const signal = AbortSignal.abort(reason);
      const error = await rejected(
        'ABORTED',
        work(db, signal, () => undefined),
      );
      expect(error.cause).to.equal(reason);
      await expectReleased(db, signal);
      expect(db.bucket('load').range().count()).to.equal(0);
    });

    it(`${name}: given while it is under way`, async () => {
      const db = await store();
      const controller = new AbortController();
      const working = work(db, controller.signal, () => controller.abort(reason));
      const error = await rejected('ABORTED', working);
      expect(error.cause).to.equal(reason);
      await expectReleased(db, controller.signal);
    });
  }

  for (const [name, call] of Object.entries(CALLS)) {
    it(`${name}: given before`, async () => {
      const db = await store();
      const signal = AbortSignal.abort(reason);
      const error = await rejected('ABORTED', call(db, signal));
      expect(error.cause).to.equal(reason);
      await expectReleased(db, signal);
    });

    // A backup has a snapshot, and waits for nobody.
    if (name !== 'backup')
      it(`${name}: given while it waits for the writer`, async () => {
        const db = await store();
        const holder = await db.begin();
        const controller = new AbortController();
        const waiting = rejected('ABORTED', call(db, controller.signal));
        await nextTurn();
        controller.abort(reason);
        expect((await waiting).cause).to.equal(reason);
        await holder.rollback();
        await expectReleased(db, controller.signal);
      });

    it(`${name}: leaves no listener where the signal never comes`, async () => {
      const db = await store();
      const { signal } = new AbortController();
      const result = await call(db, signal);
      // Only begin gives something that is to be ended.
      if (name === 'begin') await (result as Awaited<ReturnType<Database['begin']>>).rollback();
      await expectReleased(db, signal);
    });
  }

  for (const name of ['check', 'backup'] as const) {
    it(`${name}: given while it works`, async () => {
      const db = await stores.open();
      await filled(db, numberedKeys(60_000), 200);
      const controller = new AbortController();
      setImmediate(() => controller.abort(reason));
      const error = await rejected('ABORTED', CALLS[name](db, controller.signal));
      expect(error.cause).to.equal(reason);
      await expectReleased(db, controller.signal);
    });
  }

  for (const [name, work] of Object.entries(RANGE_WORK)) {
    it(`${name}: leaves no listener at its end`, async () => {
      const db = await stores.openMemory();
      await db.write((tx) => {
        for (const key of numberedKeys(200)) tx.bucket('b').put(key, '{"a":1}');
      });
      const { signal } = new AbortController();
      await work(db, signal, () => undefined);
      await expectReleased(db, signal);
    });
  }

  describe('a range', () => {
    it('is not counted, collected or looked into once its signal was given', async () => {
      const db = await store();
      const range = db.bucket('b').range({ signal: AbortSignal.abort(reason) });
      for (const read of [() => range.count(), () => range.first(), () => range.toArray()])
        expect(raised('ABORTED', read).cause).to.equal(reason);
      expect(db.stats().snapshots).to.equal(0);
    });

    it('lets its snapshot go at once, also while nobody reads', async () => {
      const db = await store();
      const controller = new AbortController();
      const range = db.bucket('b').range({ signal: controller.signal });
      const iterator = range[Symbol.asyncIterator]();
      await iterator.next();
      const stream = range.toReadable();
      stream.read();
      await nextTurn();
      const failed = new Promise((resolve) => stream.once('error', resolve));
      expect(db.stats().snapshots).to.equal(2);
      controller.abort(reason);
      expect(db.stats().snapshots).to.equal(0);
      expect(await failed).to.have.property('code', 'ABORTED');
      // Entries of the page that it was at are not handed out any more: the page may be another by now.
      const error = await rejected('ABORTED', iterator.next());
      expect(error.cause).to.equal(reason);
      expect(await iterator.next()).to.deep.equal({ done: true, value: undefined });
      await expectReleased(db, controller.signal);
    });

    it('fails a stream that nobody has read yet', async () => {
      const db = await store();
      const controller = new AbortController();
      const stream = db.bucket('b').range({ signal: controller.signal }).toReadable();
      const failed = new Promise((resolve) => stream.once('error', resolve));
      controller.abort(reason);
      expect(await failed).to.include({ code: 'ABORTED', cause: reason });
      await expectReleased(db, controller.signal);
    });

    it('stops inside a transaction, which goes on', async () => {
      const db = await store();
      const controller = new AbortController();
      await db.write((tx) => {
        tx.bucket('b').put('zz', 'new');
        raised('ABORTED', () => {
          for (const _ of tx.bucket('b').range({ signal: controller.signal })) controller.abort(reason);
        });
      });
      expect(db.bucket('b').has('zz')).to.equal(true);
      expect(listeners(controller.signal)).to.equal(0);
    });

    it('is not deleted by a signal: deleteRange refuses one', async () => {
      const db = await store();
      const { signal } = new AbortController();
      const error = await rejected(
        'INVALID_OPTION',
        db.write((tx) => tx.bucket('b').deleteRange({ signal })),
      );
      expect(error.message).to.contain('signal');
    });
  });

  describe('a watch', () => {
    it('completes, and tells nothing after', async () => {
      const db = await stores.openMemory();
      const controller = new AbortController();
      const told: string[] = [];
      db.bucket('b')
        .watch({ signal: controller.signal })
        .subscribe({
          next: ({ type }) => told.push(type),
          complete: () => told.push('complete'),
        });
      await db.bucket('b').put('a', '1');
      controller.abort(reason);
      await db.bucket('b').put('b', '1');
      expect(told).to.deep.equal(['put', 'complete']);
      expect(listeners(controller.signal)).to.equal(0);
    });

    it('completes at once where it was given before, and leaves no listener where it was unsubscribed', async () => {
      const db = await stores.openMemory();
      let completed = 0;
      const complete = () => completed++;
      db.bucket('b').watch({ signal: AbortSignal.abort() }).subscribe({ complete });
      expect(completed).to.equal(1);
      const { signal } = new AbortController();
      const subscription = db.bucket('b').watch({ signal }).subscribe({ complete });
      expect(listeners(signal)).to.equal(1);
      subscription.unsubscribe();
      expect(listeners(signal)).to.equal(0);
      expect(completed).to.equal(1);
    });
  });
});
