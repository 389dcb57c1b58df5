// lib/stream/entry-iterators.ts and batch-iterators.ts: what an iteration hands out, and the snapshot it pins.

import { Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bucket, Database, Entry, Range } from 'btree-store';
import { expect } from 'chai';
import { firstValueFrom, take, toArray } from 'rxjs';
import { expectEntries, numbered, patterned, readable } from '../helpers/bytes.js';
import { FACES, filled, numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

/** Everything that the runtime gives an iterable, before anything of it is looked at. */
const RUNTIME_STREAMS: Readonly<Record<string, (from: AsyncIterable<unknown>) => Promise<unknown[]>>> = {
  'Readable.from': (from) => Readable.from(from).toArray(),
  'Duplex.from': (from) => Duplex.from(from).toArray(),
  'a pipeline': async (from) => {
    const through = new PassThrough({ objectMode: true });
    const [items] = await Promise.all([through.toArray(), pipeline(from, through)]);
    return items;
  },
  'a web stream': async (from) => {
    const items: unknown[] = [];
    for await (const item of ReadableStream.from(from)) items.push(item);
    return items;
  },
};

describe('iterations', () => {
  const stores = useStores();

  describe('what is handed out', () => {
    const sizes = [10, 200, 10, 90, 10, 0, 10, 0, 200];
    async function mixed(): Promise<Range> {
      const db = await stores.openMemory();
      await putAll(db, 'b', numberedKeys(sizes.length), (i) => patterned(sizes[i], i));
      return db.bucket('b').range();
    }

    function checkSame(entries: readonly Entry[], keys: readonly Buffer[], values: readonly Buffer[]): void {
      expect(entries.length).to.equal(sizes.length);
      for (const entry of entries) expect(entry).to.equal(entries[0]);
      // Keys are all of one length, so it is one Buffer; values of one length share theirs, all share the memory.
      for (const key of keys) expect(key).to.equal(keys[0]);
      values.forEach((value, i) => {
        expect(value).to.equal(values[sizes.indexOf(sizes[i])]);
        expect(value.buffer).to.equal(values[0].buffer);
      });
    }

    it('for of hands out the same entry and Buffers each step', async () => {
      const entries: Entry[] = [];
      const keys: Buffer[] = [];
      const values: Buffer[] = [];
      for (const entry of await mixed()) {
        entries.push(entry);
        keys.push(entry[0]);
        values.push(entry[1]);
      }
      checkSame(entries, keys, values);
    });

    it('for await hands out the same entry and Buffers each step', async () => {
      const entries: Entry[] = [];
      const keys: Buffer[] = [];
      const values: Buffer[] = [];
      for await (const entry of await mixed()) {
        entries.push(entry);
        keys.push(entry[0]);
        values.push(entry[1]);
      }
      checkSame(entries, keys, values);
    });

    for (const [name, collect] of Object.entries(RUNTIME_STREAMS)) {
      it(`${name} gets entries, keys and values that stay valid`, async () => {
        const range = await mixed();
        const expected = range.toArray();
        expectEntries((await collect(range)) as Entry[], expected);
        const keys = (await collect(range.keys())) as Buffer[];
        const values = (await collect(range.values())) as Buffer[];
        expectEntries(
          keys.map((key, i): Entry => [key, values[i]]),
          expected,
        );
      });
    }

    it('who asks for several steps at once gets each, and none is passed over', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      const { bucket, model } = await filled(db, numberedKeys(3000), 300);
      const iterator = bucket.range()[Symbol.asyncIterator]();
      const expected = [...model.range()].map(([key]) => key.toString());
      for (let at = 0; at + 40 < expected.length; at += 40) {
        const steps = await Promise.all(Array.from({ length: 39 }, () => iterator.next()));
        expect(steps.every(({ done }) => done !== true)).to.equal(true);
        const last = await iterator.next();
        expect(String(last.value?.[0])).to.equal(expected[at + 39]);
      }
      await iterator.return?.();
    });

    it('two iterations at once do not share what they hand out', async () => {
      const range = await mixed();
      const one = range[Symbol.iterator]();
      const two = range[Symbol.iterator]();
      const [first] = one.next().value as Entry;
      two.next();
      two.next();
      expect(first.toString()).to.equal(numbered(0));
      one.return?.();
      two.return?.();
    });

    for (const face of ['toArray', 'toReadable', 'toWebStream', 'toObservable'] as const) {
      it(`${face} hands out copies that stay valid and belong to the consumer`, async () => {
        const db = await stores.openMemory({ cacheBytes: 1 });
        const { bucket, model } = await filled(db, numberedKeys(600), 500);
        const before = model.clone();
        const entries = await FACES[face](bucket.range());
        // Pages are evicted, changed in place and used again; other iterations run.
        for (let round = 0; round < 3; round++)
          await putAll(db, 'b', numberedKeys(600), () => patterned(500, 99));
        for (const _ of bucket.range());
        expectEntries(entries, before.range());
        entries[0][1].fill(0);
        expectEntries(entries.slice(1), before.range().slice(1));
        expectEntries(bucket.range({ limit: 1 }).toArray(), [[Buffer.from(numbered(0)), patterned(500, 99)]]);
      });
    }

    it('first hands out a copy', async () => {
      const { bucket } = await filled(await stores.openMemory(), ['a', 'b']);
      const first = bucket.range().first();
      const last = bucket.range({ reverse: true }).first();
      expect(first?.[0].toString()).to.equal('a');
      expect(last?.[0].toString()).to.equal('b');
      expect(first?.[1]).to.deep.equal(patterned(12, 0));
      first?.[1].fill(0);
      expect(bucket.get('a')).to.deep.equal(patterned(12, 0));
    });

    it('a batch reads its entries in any order and refuses an index outside of it', async () => {
      const { bucket } = await filled(await stores.openMemory(), ['a', 'b', 'c']);
      for (const batch of bucket.range().batches()) {
        expect(batch.length).to.equal(3);
        expect([2, 0, 1].map((i) => batch.key(i).toString())).to.deep.equal(['c', 'a', 'b']);
        expect(batch.value(1)).to.deep.equal(patterned(12, 1));
        expect(() => batch.key(3)).to.throw(RangeError);
        expect(() => batch.value(-1)).to.throw(RangeError);
      }
    });

    it('a range keeps its bounds though the caller changes the bytes', async () => {
      const { bucket } = await filled(await stores.openMemory(), ['a', 'b', 'c']);
      const bound = Buffer.from('b');
      const range = bucket.range({ gte: bound });
      bound.fill('z');
      expect(readable(range.toArray()).map(([key]) => key)).to.deep.equal(['b', 'c']);
    });
  });

  describe('the snapshot of a running iteration', () => {
    let db: Database;
    let bucket: Bucket;
    beforeEach(async () => {
      db = await stores.openMemory();
      ({ bucket } = await filled(db, numberedKeys(1000), 50));
    });
    const pinned = () => db.stats().snapshots;

    it('is there while it runs, and gone at its end', async () => {
      const range = bucket.range();
      expect(pinned()).to.equal(0);
      let steps = 0;
      for (const _ of range) if (steps++ === 500) expect(pinned()).to.equal(1);
      expect(pinned()).to.equal(0);
      for await (const _ of range) if (steps++ === 1500) expect(pinned()).to.equal(1);
      expect(pinned()).to.equal(0);
    });

    const loops: Record<string, (end: () => void) => void | Promise<void>> = {
      'for of': (end) => {
        for (const _ of bucket.range()) if (leave(end)) break;
      },
      'for await': async (end) => {
        for await (const _ of bucket.range()) if (leave(end)) break;
      },
      'for of keys': (end) => {
        for (const _ of bucket.range().keys()) if (leave(end)) break;
      },
      'for await of values': async (end) => {
        for await (const _ of bucket.range().values()) if (leave(end)) break;
      },
      'for of batches': (end) => {
        for (const _ of bucket.range().batches()) if (leave(end)) break;
      },
      'for await of batches': async (end) => {
        for await (const _ of bucket.range().batches()) if (leave(end)) break;
      },
      'for await of toReadable': async (end) => {
        for await (const _ of bucket.range().toReadable()) if (leave(end)) break;
      },
      'for await of toWebStream': async (end) => {
        for await (const _ of bucket.range().toWebStream()) if (leave(end)) break;
      },
      'for await of toNdjson': async (end) => {
        await putAll(db, 'b', numberedKeys(1000), () => '{"a":1}');
        for await (const _ of bucket.range().toNdjson({ chunkBytes: 64 })) if (leave(end)) break;
      },
    };
    function leave(end: () => void): boolean {
      expect(pinned()).to.equal(1);
      end();
      return true;
    }
    for (const [loop, run] of Object.entries(loops)) {
      it(`${loop}: is released by break`, async () => {
        await run(() => undefined);
        expect(pinned()).to.equal(0);
      });

      it(`${loop}: is released by throw`, async () => {
        const stop = new Error('stop');
        let thrown: unknown;
        try {
          await run(() => {
            throw stop;
          });
        } catch (error) {
          thrown = error;
        }
        expect(thrown).to.equal(stop);
        expect(pinned()).to.equal(0);
      });
    }

    it('is released by return and throw of the iterators themselves', async () => {
      const sync = bucket.range()[Symbol.iterator]();
      sync.next();
      expect(sync.return?.('x')).to.deep.equal({ done: true, value: 'x' });
      expect(sync.next()).to.deep.equal({ done: true, value: undefined });
      const async = bucket.range()[Symbol.asyncIterator]();
      await async.next();
      await async.return?.();
      expect(await async.next()).to.deep.equal({ done: true, value: undefined });
      const thrower = bucket.range()[Symbol.asyncIterator]();
      await thrower.next();
      const error = new Error('stop');
      let thrown: unknown;
      await thrower.throw?.(error).catch((reason: unknown) => {
        thrown = reason;
      });
      expect(thrown).to.equal(error);
      expect(pinned()).to.equal(0);
    });

    it('is released at the end, which may be asked for again', () => {
      const iterator = bucket.range({ limit: 1 })[Symbol.iterator]();
      expect(iterator.next().done).to.equal(false);
      expect(iterator.next()).to.deep.equal({ done: true, value: undefined });
      expect(iterator.next()).to.deep.equal({ done: true, value: undefined });
      expect(pinned()).to.equal(0);
    });

    it('is released by destroy, cancel and unsubscribe', async () => {
      const readableStream = bucket.range().toReadable();
      readableStream.read();
      await nextTurn();
      expect(pinned()).to.equal(1);
      readableStream.destroy();
      await nextTurn();
      expect(pinned()).to.equal(0);

      const reader = bucket.range().toWebStream().getReader();
      await reader.read();
      expect(pinned()).to.equal(1);
      await reader.cancel();
      await nextTurn();
      expect(pinned()).to.equal(0);

      const three = await firstValueFrom(bucket.range().toObservable().pipe(take(3), toArray()));
      expect(three.length).to.equal(3);
      expect(pinned()).to.equal(0);
    });

    it('is not taken by a stream that nobody reads', async () => {
      bucket.range().toReadable();
      bucket.range().toNdjson();
      await nextTurn();
      expect(pinned()).to.equal(0);
    });

    it('is not taken by first, count and toArray beyond their return', () => {
      bucket.range().first();
      bucket.range().count();
      bucket.range().toArray();
      bucket.range({ limit: 0 }).first();
      expect(pinned()).to.equal(0);
    });

    for (const what of ['sync', 'async'] as const) {
      it(`stays as it was, ${what}, while commits change, empty and drop the bucket`, async () => {
        const expected = bucket.range().toArray();
        const seen: Entry[] = [];
        const see = ([key, value]: Entry) => seen.push([Buffer.from(key), Buffer.from(value)]);
        const change = async () => {
          const { length } = seen;
          if (length === 100) await putAll(db, 'b', numberedKeys(1000), () => 'changed');
          if (length === 200)
            await db.write((tx) => {
              for (const key of numberedKeys(900)) tx.bucket('b').delete(key);
            });
          if (length === 300) await db.dropBucket('b');
          if (length === 400) await putAll(db, 'c', numberedKeys(2000), () => patterned(90, 1));
        };
        if (what === 'sync') {
          for (const entry of bucket.range()) {
            see(entry);
            await change();
          }
        } else {
          for await (const entry of bucket.range()) {
            see(entry);
            await change();
          }
        }
        expectEntries(seen, expected);
        expect(pinned()).to.equal(0);
      });
    }
  });
});
