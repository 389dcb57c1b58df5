// What consumes a range, or is one, and is forgotten: thrown into, returned, or dropped without a word. None of it may
// pin its snapshot for longer than it can be reached.

import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, keys, type ReadableBucket } from 'btree-store';
import { expect } from 'chai';
import { patterned } from '../helpers/bytes.js';
import { collectUntil } from '../helpers/collect.js';
import { filled, numberedKeys } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

/** Something begun over a bucket, that is in the midst of it. */
type Begin = (db: Database, bucket: ReadableBucket) => unknown;

async function readOnce(stream: Readable): Promise<Readable> {
  while (stream.read(1) === null) await nextTurn();
  return stream;
}

async function stepped<T>(iterator: AsyncIterator<T>): Promise<AsyncIterator<T>> {
  await iterator.next();
  return iterator;
}

function steppedSync<T>(iterator: Iterator<T>): Iterator<T> {
  iterator.next();
  return iterator;
}

const ITERATORS: Record<string, Begin> = {
  iterator: (_db, bucket) => steppedSync(bucket.range()[Symbol.iterator]()),
  'iterator of keys': (_db, bucket) => steppedSync(bucket.range().keys()[Symbol.iterator]()),
  'iterator of batches': (_db, bucket) => steppedSync(bucket.range().batches()[Symbol.iterator]()),
  'iterator of a typed range': (db) =>
    steppedSync(db.bucket('b', { key: keys.bytes }).range()[Symbol.iterator]()),
  'async iterator': (_db, bucket) => stepped(bucket.range()[Symbol.asyncIterator]()),
  'async iterator of values': (_db, bucket) => stepped(bucket.range().values()[Symbol.asyncIterator]()),
  'async iterator of batches': (_db, bucket) => stepped(bucket.range().batches()[Symbol.asyncIterator]()),
  'async iterator of a typed range': (db) =>
    stepped(db.bucket('b', { key: keys.bytes }).range()[Symbol.asyncIterator]()),
};

const OTHERS: Record<string, Begin> = {
  toReadable: (_db, bucket) => readOnce(bucket.range().toReadable()),
  'Readable.from': (_db, bucket) => readOnce(Readable.from(bucket.range())),
  'toReadable of a typed range': (db) => readOnce(db.bucket('b', { key: keys.bytes }).range().toReadable()),
  toNdjson: (_db, bucket) => readOnce(bucket.range({ gte: 'row' }).toNdjson({ chunkBytes: 10 })),
  toCsv: (_db, bucket) => readOnce(bucket.range({ gte: 'row' }).toCsv({ chunkBytes: 10 })),
  'a value stream': (_db, bucket) => readOnce(bucket.createValueReadStream('large')),
  'a reader of toWebStream': async (_db, bucket) => {
    const reader = bucket.range().toWebStream().getReader();
    await reader.read();
    return reader;
  },
  'a reader of a typed web stream': async (db) => {
    const reader = db.bucket('b', { key: keys.bytes }).range().toWebStream().getReader();
    await reader.read();
    return reader;
  },
  'a snapshot': (db) => db.snapshot(),
  'a bucket of a snapshot that is forgotten': (db) => db.snapshot().bucket('b'),
};

const UNREAD: Record<string, Begin> = {
  toReadable: (_db, bucket) => bucket.range().toReadable(),
  'Readable.from': (_db, bucket) => Readable.from(bucket.range()),
  'toReadable of a typed range': (db) => db.bucket('b', { key: keys.bytes }).range().toReadable(),
  toNdjson: (_db, bucket) => bucket.range().toNdjson(),
  toCsv: (_db, bucket) => bucket.range().toCsv(),
  toWebStream: (_db, bucket) => bucket.range().toWebStream(),
  toObservable: (_db, bucket) => bucket.range().toObservable(),
  'a value stream': (_db, bucket) => bucket.createValueReadStream('large'),
  'async iterator': (_db, bucket) => bucket.range()[Symbol.asyncIterator](),
};

describe('forgotten', () => {
  const stores = useStores();
  let db: Database;
  let bucket: ReadableBucket;
  beforeEach(async () => {
    db = await stores.openMemory();
    await filled(db, numberedKeys(3000), 60);
    await db.write((tx) => {
      for (const key of numberedKeys(3000, 'row')) tx.bucket('b').put(key, '{"a":"some text of a row"}');
      tx.bucket('b').put('large', patterned(4_000_000, 1));
    });
    bucket = db.bucket('b');
  });
  const pinned = () => db.stats().snapshots;

  /** Writes so much over that pages would be used again if nothing held them. */
  async function overwrite(): Promise<void> {
    for (let round = 0; round < 3; round++)
      await db.write((tx) => {
        for (const key of numberedKeys(3000)) tx.bucket('b').put(key, patterned(60, round));
      });
  }

  for (const [name, begin] of Object.entries({ ...ITERATORS, ...OTHERS })) {
    it(`${name}: is collected, and its snapshot let go`, async () => {
      const isGone = await (async () => {
        // Out of reach when this function has returned.
        const held: { it?: unknown } = { it: await begin(db, bucket) };
        expect(pinned()).to.equal(1);
        await overwrite();
        expect(await collectUntil(() => pinned() === 0, 3), 'collected while it is held').to.equal(false);
        delete held.it;
        return collectUntil(() => pinned() === 0);
      })();
      expect(isGone, 'let go').to.equal(true);
    });
  }

  it('iterators: are let go though many are begun in one turn, and a program has put its own timers in place', async () => {
    const own = globalThis.setImmediate;
    const isGone = await (async () => {
      globalThis.setImmediate = (() => ({ unref: () => undefined })) as unknown as typeof setImmediate;
      try {
        for (let count = 0; count < 1000; count++) steppedSync(bucket.range()[Symbol.iterator]());
      } finally {
        globalThis.setImmediate = own;
      }
      return collectUntil(() => pinned() === 0);
    })();
    expect(isGone).to.equal(true);
  });

  for (const [name, begin] of Object.entries(UNREAD)) {
    it(`${name}: pins nothing before it is read`, async () => {
      const held = await begin(db, bucket);
      await nextTurn();
      expect(pinned()).to.equal(0);
      expect(held).to.not.equal(undefined);
    });
  }

  for (const [name, begin] of Object.entries(ITERATORS)) {
    for (const end of ['return', 'throw'] as const) {
      it(`${name}: ${end} lets its snapshot go, and it is at its end`, async () => {
        const iterator = (await begin(db, bucket)) as Iterator<unknown> | AsyncIterator<unknown>;
        expect(pinned()).to.equal(1);
        const reason = new Error('stop');
        let failure: unknown;
        try {
          await iterator[end]?.(reason);
        } catch (error) {
          failure = error;
        }
        expect(failure).to.equal(end === 'throw' ? reason : undefined);
        expect(pinned()).to.equal(0);
        expect((await iterator.next()).done).to.equal(true);
      });
    }
  }

  it('a stream under a signal that lives on is collected, and leaves no listener', async () => {
    const { signal } = new AbortController();
    const held: { it?: unknown } = { it: await readOnce(bucket.range({ signal }).toReadable()) };
    expect(pinned()).to.equal(1);
    delete held.it;
    const isGone = (): boolean => pinned() === 0 && getEventListeners(signal, 'abort').length === 0;
    expect(await collectUntil(isGone)).to.equal(true);
  });
});
