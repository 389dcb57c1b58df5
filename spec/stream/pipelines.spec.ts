// Streams that compose: every way into a bulk writer and every way out of a range, what they carry, and that whatever
// fails in between ends all of it with that error and lets the snapshot and the writer's turn go.

import fs from 'node:fs/promises';
import * as stream from 'node:stream';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BulkOptions, type BulkWriter, type Database, type Entry, keys, type Range } from 'btree-store';
import { expect } from 'chai';
import { concatMap, from, lastValueFrom, map, toArray } from 'rxjs';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { raised, rejected } from '../helpers/errors.js';
import { inTime } from '../helpers/in-time.js';
import { useStores } from '../helpers/store.js';

/** The runtime has it since version 16.9, its types do not. */
const { compose } = stream as unknown as {
  compose: (source: AsyncIterable<Entry>, transform: Transform) => Transform;
};

const ROWS = 2500;
/** A pipeline that takes longer hangs. */
const HANG_MILLISECONDS = 20_000;

const rows = Array.from({ length: ROWS }, (_, i): Entry => [Buffer.from(numbered(i)), patterned(20, i)]);

const passing = (): Transform => new PassThrough({ objectMode: true });

function webSource(entries: Iterable<Entry>): ReadableStream<Entry> {
  const iterator = entries[Symbol.iterator]();
  return new ReadableStream<Entry>({
    pull(controller) {
      const next = iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
}

async function* oneByOne(entries: Iterable<Entry> | AsyncIterable<Entry>): AsyncGenerator<Entry> {
  for await (const entry of entries) yield entry;
}

/** Ways into a bulk writer. Each resolves when the load is done. */
const WAYS_IN: Record<string, (entries: Iterable<Entry>, writer: BulkWriter) => Promise<unknown>> = {
  'Readable.pipe': (entries, writer) => {
    const source = Readable.from(entries);
    // `pipe` hands no error on: whoever uses it listens to each stream.
    source.on('error', (error) => writer.destroy(error));
    return finished(source.pipe(writer), { readable: false });
  },
  'pipeline of an iterable': (entries, writer) => pipeline(entries, writer),
  'pipeline of a Readable': (entries, writer) => pipeline(Readable.from(entries), writer),
  'pipeline with a Transform': (entries, writer) => pipeline(Readable.from(entries), passing(), writer),
  'pipeline of an async generator': (entries, writer) => pipeline(oneByOne(entries), writer),
  'pipeline with an async generator': (entries, writer) => pipeline(Readable.from(entries), oneByOne, writer),
  'pipeline of a composition': (entries, writer) =>
    pipeline(compose(Readable.from(entries), passing()), writer),
  'pipeline of a web stream': (entries, writer) => pipeline(webSource(entries), writer),
  'pipeline of Readable.fromWeb': (entries, writer) =>
    // The web's own type and Node's are of one class here, and of two in the types.
    pipeline(Readable.fromWeb(webSource(entries) as NodeReadableStream<Entry>, { objectMode: true }), writer),
  'web pipeTo': (entries, writer) => webSource(entries).pipeTo(Writable.toWeb(writer)),
  'web pipeThrough and pipeTo': (entries, writer) =>
    webSource(entries).pipeThrough(new TransformStream<Entry, Entry>()).pipeTo(Writable.toWeb(writer)),
};

/** Keeps what it is given, and is never in a hurry. */
function slowSink(into: Entry[], fails?: () => void): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 3,
    write(entry: Entry, _encoding, done) {
      try {
        fails?.();
      } catch (error) {
        done(error as Error);
        return;
      }
      into.push(entry);
      if (into.length % 50 === 0) setImmediate(done);
      else done();
    },
  });
}

function webSink(into: Entry[], fails?: () => void): WritableStream<Entry> {
  return new WritableStream<Entry>({
    async write(entry) {
      fails?.();
      into.push(entry);
      if (into.length % 50 === 0) await nextTurn();
    },
  });
}

/** Ways out of a range into a consumer that keeps what it is given; `fails` may raise at an entry. */
const WAYS_OUT: Record<string, (range: Range, into: Entry[], fails?: () => void) => Promise<unknown>> = {
  'for await': async (range, into, fails) => {
    for await (const [key, value] of range) {
      fails?.();
      into.push([Buffer.from(key), Buffer.from(value)]);
      if (into.length % 50 === 0) await nextTurn();
    }
  },
  'toReadable, for await': async (range, into, fails) => {
    for await (const entry of range.toReadable()) {
      fails?.();
      into.push(entry);
    }
  },
  'toReadable, pipeline to a Writable': (range, into, fails) =>
    pipeline(range.toReadable(), slowSink(into, fails)),
  'toReadable, pipeline with a Transform': (range, into, fails) =>
    pipeline(range.toReadable(), passing(), slowSink(into, fails)),
  'toReadable, pipeline with an async generator': (range, into, fails) =>
    pipeline(range.toReadable(), oneByOne, slowSink(into, fails)),
  'toReadable, pipeline to a web WritableStream': (range, into, fails) =>
    // The runtime takes a web stream here, its types do not.
    pipeline(range.toReadable(), webSink(into, fails) as unknown as Writable),
  'toReadable, composed': (range, into, fails) =>
    pipeline(compose(range.toReadable(), passing()), slowSink(into, fails)),
  'toReadable, mapped several at a time': (range, into, fails) =>
    pipeline(
      range.toReadable().map(
        async (entry: Entry) => {
          await nextTurn();
          return entry;
        },
        { concurrency: 4 },
      ),
      slowSink(into, fails),
    ),
  'the range itself, pipeline': (range, into, fails) => pipeline(range, slowSink(into, fails)),
  'the range itself, pipeline with a Transform': (range, into, fails) =>
    pipeline(range, passing(), slowSink(into, fails)),
  'the range itself, composed': (range, into, fails) =>
    pipeline(compose(range, passing()), slowSink(into, fails)),
  'Readable.from': (range, into, fails) => pipeline(Readable.from(range), slowSink(into, fails)),
  'Readable.from, buffered': (range, into, fails) =>
    pipeline(Readable.from(range, { highWaterMark: 100 }), slowSink(into, fails)),
  'Readable.from of keys': async (range, into, fails) => {
    const collected: Buffer[] = [];
    await pipeline(Readable.from(range.keys(), { highWaterMark: 10 }), async (chunks) => {
      for await (const key of chunks) {
        fails?.();
        collected.push(key);
      }
    });
    for (const [i, key] of collected.entries()) into.push([key, rows[i][1]]);
  },
  'ReadableStream.from': async (range, into, fails) => {
    for await (const entry of NodeReadableStream.from(range)) {
      fails?.();
      into.push(entry);
    }
  },
  'toWebStream, pipeTo': (range, into, fails) => range.toWebStream().pipeTo(webSink(into, fails)),
  'toWebStream, pipeThrough': (range, into, fails) =>
    range.toWebStream().pipeThrough(new TransformStream<Entry, Entry>()).pipeTo(webSink(into, fails)),
  'toWebStream, pipeline': (range, into, fails) => pipeline(range.toWebStream(), slowSink(into, fails)),
  'toWebStream, tee': async (range, into, fails) => {
    const [one, other] = range.toWebStream().tee();
    await Promise.all([one.pipeTo(webSink(into, fails)), other.pipeTo(webSink([], fails))]);
  },
  'an Observable of the range itself': (range, into, fails) =>
    lastValueFrom(
      from(range).pipe(
        // An entry is good until the next step, and concatMap keeps those that come while it waits.
        map(([key, value]): Entry => [Buffer.from(key), Buffer.from(value)]),
        concatMap(async (entry) => {
          fails?.();
          into.push(entry);
        }),
        toArray(),
      ),
    ),
};

describe('pipelines', () => {
  const stores = useStores();

  /** Resolves once all that streams let go in turns of their own is let go. */
  async function expectReleased(db: Database): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(db.stats().snapshots, 'snapshots').to.equal(0);
    const transaction = await db.begin({ waitMilliseconds: 1000 });
    await transaction.rollback();
  }

  async function filledStore(place: 'file' | 'memory' = 'memory'): Promise<Database> {
    const db = await stores.openIn(place, { cacheBytes: 1 });
    await db.write((tx) => {
      for (const [key, value] of rows) tx.bucket('b').put(key, value);
    });
    return db;
  }

  /** The error that the work rejects with; it must not hang. */
  async function failureOf(work: Promise<unknown>): Promise<unknown> {
    let failure: unknown;
    const settled = work.then(
      () => {
        throw new Error('nothing failed');
      },
      (error: unknown) => {
        failure = error;
      },
    );
    await inTime(settled, HANG_MILLISECONDS);
    return failure;
  }

  describe('into a bulk writer', () => {
    const modes: Record<string, BulkOptions> = {
      sorted: { sorted: true },
      'to be sorted': { sorted: false },
      atomic: { atomic: true },
    };
    for (const [way, put] of Object.entries(WAYS_IN)) {
      for (const [mode, options] of Object.entries(modes)) {
        it(`${way}, ${mode}`, async () => {
          const db = await stores.openMemory();
          const bucket = db.bucket('in');
          const entries = mode === 'to be sorted' ? rows.toReversed() : rows;
          await put(entries, bucket.bulkWriter(options));
          expectEntries(bucket.range().toArray(), rows);
          await expectReleased(db);
        });
      }

      it(`${way}: a source that fails ends it, keeps the commits, and frees the writer's turn`, async () => {
        const db = await stores.openMemory();
        const failure = new Error('the source broke');
        function* broken(): Generator<Entry> {
          yield* rows.slice(0, 2000);
          throw failure;
        }
        const writer = db.bucket('in').bulkWriter({ sorted: true, commitEvery: { entries: 100 } });
        expect(await failureOf(put(broken(), writer))).to.equal(failure);
        expect(writer.destroyed).to.equal(true);
        await finished(writer).catch(() => undefined);
        const kept = db.bucket('in').range().toArray();
        expect(kept.length % 100, 'whole commits').to.equal(0);
        expect(kept.length).to.equal(writer.report().entriesCommitted);
        expectEntries(kept, rows.slice(0, kept.length));
        await expectReleased(db);
      });

      it(`${way}: an entry that the writer refuses ends it, and of an atomic load nothing is left`, async () => {
        const db = await stores.openMemory();
        let taken = 0;
        let returned = false;
        function* wrong(): Generator<Entry> {
          try {
            for (const row of [...rows.slice(0, 1500), rows[3], ...rows.slice(1500)]) {
              taken++;
              yield row;
            }
          } finally {
            returned = true;
          }
        }
        const writer = db.bucket('in').bulkWriter({ sorted: true, atomic: true });
        const error = await failureOf(put(wrong(), writer));
        expect(error).to.have.property('code', 'KEY_OUT_OF_ORDER');
        expect(writer.destroyed).to.equal(true);
        await finished(writer).catch(() => undefined);
        expect(taken).to.be.greaterThan(1500);
        // A web stream of one's own has to end its source itself.
        if (!way.includes('web') && !way.includes('Web') && way !== 'Readable.pipe') {
          await nextTurn();
          expect(returned, 'the source was told').to.equal(true);
        }
        expect(Array.from(db.buckets())).to.deep.equal([]);
        await expectReleased(db);
      });
    }

    it('a Transform that fails ends source and writer', async () => {
      const db = await stores.openMemory();
      const failure = new Error('the transform broke');
      let count = 0;
      const source = Readable.from(rows);
      const transform = new Transform({
        objectMode: true,
        transform: (entry, _encoding, done) => done(++count === 1200 ? failure : null, entry),
      });
      const writer = db.bucket('in').bulkWriter({ commitEvery: { entries: 100 } });
      expect(await failureOf(pipeline(source, transform, writer))).to.equal(failure);
      for (const stream of [source, transform, writer]) expect(stream.destroyed).to.equal(true);
      await finished(writer).catch(() => undefined);
      expect(db.bucket('in').range().count() % 100).to.equal(0);
      await expectReleased(db);
    });

    it("an aborted pipeline, Node's and the web's, gives the load up", async () => {
      const db = await stores.openMemory();
      async function* endless(): AsyncGenerator<Entry> {
        for (;;) {
          await nextTurn();
          yield* rows;
        }
      }
      for (const run of [
        (writer: BulkWriter, signal: AbortSignal) => pipeline(endless, writer, { signal }),
        (writer: BulkWriter, signal: AbortSignal) =>
          (NodeReadableStream.from(endless()) as ReadableStream<Entry>).pipeTo(Writable.toWeb(writer), {
            signal,
          }),
      ]) {
        const controller = new AbortController();
        const writer = db.bucket('in').bulkWriter({ sorted: false, atomic: true });
        setTimeout(() => controller.abort(), 20);
        expect(await failureOf(run(writer, controller.signal))).to.have.property('name', 'AbortError');
        await finished(writer).catch(() => undefined);
        expect(db.bucket('in').range().count()).to.equal(0);
        await expectReleased(db);
      }
    });
  });

  describe('out of a range', () => {
    for (const [way, take] of Object.entries(WAYS_OUT)) {
      it(`${way}: carries every entry, which stays valid`, async () => {
        for (const place of ['memory', 'file'] as const) {
          const db = await filledStore(place);
          const into: Entry[] = [];
          await take(db.bucket('b').range(), into);
          expectEntries(into, rows);
          await expectReleased(db);
        }
      });

      it(`${way}: a consumer that fails ends it and lets the snapshot go`, async () => {
        const db = await filledStore();
        const failure = new Error('the consumer broke');
        let seen = 0;
        const fails = (): void => {
          if (++seen === 700) throw failure;
        };
        expect(await failureOf(take(db.bucket('b').range(), [], fails))).to.equal(failure);
        await expectReleased(db);
      });
    }

    describe('of a file that is damaged in the middle', () => {
      let page: number;
      let readable: number;
      async function damagedStore(): Promise<Database> {
        const file = await stores.path();
        let db = await stores.openAt(file);
        await db.write((tx) => {
          for (const [key, value] of rows) tx.bucket('b').put(key, value);
        });
        await stores.close(db);
        const bytes = await fs.readFile(file);
        page = Math.floor(bytes.length / 4096 / 2);
        bytes[page * 4096 + 2000] ^= 1;
        await fs.writeFile(file, bytes);
        db = await stores.openAt(file, { cacheBytes: 1 });
        stores.expectDamage(db);
        readable = 0;
        const error = raised('PAGE_CORRUPT', () => {
          for (const _ of db.bucket('b').range()) readable++;
        });
        expect(error.details.page).to.equal(page);
        expect(readable).to.be.greaterThan(0);
        return db;
      }

      for (const [way, take] of Object.entries(WAYS_OUT)) {
        it(`${way}: fails with PAGE_CORRUPT and lets the snapshot go`, async () => {
          const db = await damagedStore();
          const into: Entry[] = [];
          const error = await failureOf(take(db.bucket('b').range(), into));
          expect(error).to.have.property('code', 'PAGE_CORRUPT');
          expect(error).to.have.nested.property('details.page', page);
          expect(into.length).to.be.at.most(readable);
          expectEntries(into, rows.slice(0, into.length));
          await expectReleased(db);
        });
      }

      it('ends a load that it is the source of, which keeps its commits, or where it is atomic nothing', async () => {
        const db = await damagedStore();
        for (const atomic of [false, true]) {
          const other = await stores.openMemory();
          const options = atomic ? { atomic } : { commitEvery: { entries: 10 } };
          const writer = other.bucket('in').bulkWriter(options);
          const source = db.bucket('b').range().toReadable();
          await rejected('PAGE_CORRUPT', pipeline(source, writer));
          expect(source.destroyed && writer.destroyed).to.equal(true);
          await finished(writer).catch(() => undefined);
          const kept = other.bucket('in').range().toArray();
          expect(kept.length).to.equal(writer.report().entriesCommitted);
          if (atomic) expect(kept.length).to.equal(0);
          expect(kept.length % 10).to.equal(0);
          await expectReleased(db);
          await expectReleased(other);
        }
      });
    });
  });

  describe('of typed buckets', () => {
    const types = { key: keys.number };
    it('go out as they came in, by every way', async () => {
      const db = await stores.openMemory();
      const numbers = db.bucket('numbers', types);
      const entries = Array.from({ length: 1000 }, (_, i): [number, Buffer] => [i - 500, patterned(9, i)]);
      await pipeline(Readable.from(entries), passing(), numbers.bulkWriter());
      const range = numbers.range();
      const ways: Array<() => Promise<unknown>> = [
        () => range.toReadable().toArray(),
        () => Readable.from(range, { highWaterMark: 50 }).toArray(),
        () => lastValueFrom(range.toObservable().pipe(toArray())),
        async () => {
          const all: unknown[] = [];
          for await (const entry of range.toWebStream()) all.push(entry);
          return all;
        },
      ];
      for (const way of ways) expect(await way()).to.deep.equal(entries);
      await range.toWebStream().pipeTo(Writable.toWeb(db.bucket('copy', types).bulkWriter({ sorted: true })));
      expect(db.bucket('copy', types).range().toArray()).to.deep.equal(entries);
      await expectReleased(db);
    });
  });
});
