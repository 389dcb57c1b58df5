// Heavy load: splits and merges in every order and with keys of every kind, beside a model.

import type { Database, OpenOptions, RangeOptions } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { ModelBucket } from '../helpers/model.js';
import { Random } from '../helpers/random.js';
import { scaledTimes, seed } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

const TRANSACTION_OPERATIONS = 2000;

/** A put, or a delete where there is no value. */
interface Operation {
  readonly key: Buffer;
  readonly value?: Buffer;
}

/** Takes the operations in transactions, in the bucket and in the model alike; says how many it took. */
async function take(db: Database, model: ModelBucket, operations: Iterable<Operation>): Promise<number> {
  const iterator = operations[Symbol.iterator]();
  let taken = 0;
  for (let next = iterator.next(); next.done !== true; ) {
    await db.write((tx) => {
      const bucket = tx.bucket('b');
      for (let i = 0; i < TRANSACTION_OPERATIONS && next.done !== true; i++, next = iterator.next()) {
        const { key, value } = next.value;
        if (value === undefined) {
          const was = bucket.delete(key);
          // Asked of the model alone first: an assertion an operation would take longer than all else.
          if (was !== model.delete(key)) expect.fail(`delete of ${key.toString('latin1')} said ${was}`);
        } else {
          bucket.put(key, value);
          model.put(key, value);
        }
        taken++;
      }
    });
  }
  return taken;
}

function expectSame(db: Database, model: ModelBucket, where: string): void {
  const range = db.bucket('b').range();
  expect(range.count(), where).to.equal(model.size);
  expectEntries(range.toArray(), model.range(), where);
}

function* puts(indexes: Iterable<number>, valueLength: number, salt = 0): Generator<Operation> {
  for (const index of indexes)
    yield { key: Buffer.from(numbered(index)), value: patterned(valueLength, index + salt) };
}

function* deletes(indexes: Iterable<number>): Generator<Operation> {
  for (const index of indexes) yield { key: Buffer.from(numbered(index)) };
}

const COUNT = 8000;
const ascending = (): number[] => Array.from({ length: COUNT }, (_, index) => index);
const ORDERS: Record<string, () => number[]> = {
  ascending,
  descending: () => ascending().reverse(),
  random: () => Random.of(seed, 1).shuffle(ascending()),
  'from both ends': () =>
    ascending().map((index) => (index % 2 === 0 ? index >>> 1 : COUNT - 1 - (index >>> 1))),
};

describe('load', () => {
  const stores = useStores();

  // 2 x 8,000 operations each, 128,000 in all.
  for (const [insertOrder, inserted] of Object.entries(ORDERS)) {
    for (const deleteOrder of ['ascending', 'random'] as const) {
      it(`in ${insertOrder} order, and deleted in ${deleteOrder} order`, async () => {
        const db = await stores.openMemory();
        const model = new ModelBucket();
        await take(db, model, puts(inserted(), 40));
        expectSame(db, model, 'loaded');
        const { depth } = (await db.check()).bucketReports[0];
        expect(depth).to.be.at.least(2);
        const order = ORDERS[deleteOrder]();
        await take(db, model, deletes(order.slice(0, COUNT / 2)));
        expectSame(db, model, 'half deleted');
        expect((await db.check()).bucketReports[0].averageLeafFill, 'fill of the leaves').to.be.at.least(
          0.45,
        );
        await take(db, model, deletes(order.slice(COUNT / 2)));
        expectSame(db, model, 'all deleted');
        expect((await db.check()).pages.leaf, 'leaves of the catalog alone').to.equal(1);
      });
    }
  }

  it('of 120,000 random operations of every kind', async () => {
    const random = Random.of(seed, 2);
    const db = await stores.openMemory({ cacheBytes: 1 << 20 });
    const model = new ModelBucket();
    let taken = 0;
    for (let phase = 0; phase < scaledTimes(6); phase++) {
      // The bucket grows, shrinks, and changes in one place or everywhere.
      const part = [0.15, 0.85, 0.5][phase % 3];
      const places = phase % 2 === 0 ? 30_000 : 2000;
      const operations = function* (): Generator<Operation> {
        for (let i = 0; i < 20_000; i++) {
          const key = Buffer.from(numbered(random.below(places) * 7));
          const length = random.chance(0.002) ? random.below(20_000) : random.below(120);
          yield random.chance(part) ? { key } : { key, value: patterned(length, i) };
        }
      };
      taken += await take(db, model, operations());
      expectSame(db, model, `phase ${phase}`);
    }
    expect(taken).to.be.at.least(scaledTimes(6) * 20_000);
  });

  describe('with keys', () => {
    const LIMIT = 1024;
    const number = (index: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(index);
      return bytes;
    };
    const kinds: Record<string, { count: number; key: (index: number) => Buffer; pageSize?: 4096 | 65536 }> =
      {
        'that share a long prefix': {
          count: 4000,
          key: (index) => Buffer.concat([Buffer.alloc(900, 'p'), number(index)]),
        },
        'that share long prefixes of many lengths': {
          count: 4000,
          key: (index) => Buffer.concat([Buffer.alloc((index * 37) % 1000, 'p'), number(index)]),
        },
        'that differ in their first byte only': {
          count: 256,
          key: (index) => Buffer.concat([Buffer.of(index), Buffer.alloc(LIMIT - 1, 's')]),
        },
        'at the limit of their size': {
          count: 3000,
          key: (index) =>
            Buffer.concat([number(Math.imul(index, 0x9e37_79b1) >>> 0), Buffer.alloc(LIMIT - 4, 'x')]),
        },
        'at the limit of their size, with large pages': {
          // No more: strings of so many characters all have one hash in the model's map.
          count: 300,
          pageSize: 65536,
          key: (index) => Buffer.concat([Buffer.alloc(16384 - 4, 'x'), number(index)]),
        },
        'of nothing but zeros, or of 0xFF, of every length': {
          count: 2 * LIMIT + 1,
          key: (index) => (index <= LIMIT ? Buffer.alloc(index, 0) : Buffer.alloc(index - LIMIT, 0xff)),
        },
        'of zeros and 0xFF in every arrangement': {
          count: 4094,
          key: (index) => {
            // All strings of the two bytes, up to eleven of them.
            const length = 31 - Math.clz32(index + 1);
            return Buffer.from(Array.from({ length }, (_, i) => (((index + 1) >>> i) & 1) * 0xff));
          },
        },
        'of which each is the beginning of the next': {
          count: LIMIT + 1,
          key: (index) => Buffer.alloc(index, 'a'),
        },
        'short and long in turn': {
          count: 4000,
          key: (index) =>
            index % 2 === 0 ? number(index) : Buffer.concat([number(index), Buffer.alloc(LIMIT - 4, 0xff)]),
        },
      };
    for (const [what, { count, key, pageSize }] of Object.entries(kinds)) {
      for (const valueLength of [0, 30]) {
        it(`${what}, values of ${valueLength} bytes`, async () => {
          const options: OpenOptions = pageSize === undefined ? {} : { pageSize };
          const db = await stores.openMemory(options);
          const model = new ModelBucket();
          const random = Random.of(seed, 3, count);
          const keys = Array.from({ length: count }, (_, index) => key(index));
          const put = (entry: Buffer, index: number) => ({
            key: entry,
            value: patterned(valueLength, index),
          });
          await take(db, model, random.shuffle([...keys]).map(put));
          expect(model.size, 'keys that are all different').to.equal(count);
          expectSame(db, model, 'loaded');
          for (const entry of random.shuffle([...keys]).slice(0, 200))
            expect(db.bucket('b').get(entry)?.length).to.equal(valueLength);
          await take(
            db,
            model,
            random
              .shuffle([...keys])
              .slice(0, Math.floor(count * 0.9))
              .map((entry) => ({ key: entry })),
          );
          expectSame(db, model, 'mostly deleted');
          await take(db, model, random.shuffle([...keys]).map(put));
          expectSame(db, model, 'loaded again');
        });
      }
    }
  });

  it('answers ranges that begin and end at every boundary of a tree, in both directions', async () => {
    const db = await stores.openMemory();
    // Groups of keys that differ late: separators within a group are long, and those of several share nothing.
    const group = (index: number): Buffer => Buffer.concat([Buffer.of(index >>> 5), Buffer.alloc(900, 'm')]);
    const keyAt = (index: number): Buffer => Buffer.concat([group(index), Buffer.of((index & 31) * 8 + 1)]);
    const keys = Array.from({ length: 800 }, (_, index) => keyAt(index));
    await take(
      db,
      new ModelBucket(),
      keys.map((key, index) => ({ key, value: patterned(400, index) })),
    );
    expect((await db.check()).bucketReports[0].depth).to.be.at.least(3);
    for (let index = 0; index < keys.length; index++) {
      const places = [
        { place: Buffer.concat([group(index), Buffer.of((index & 31) * 8)]), rank: index, isKey: false },
        { place: keys[index], rank: index, isKey: true },
        { place: Buffer.concat([keys[index], Buffer.of(0)]), rank: index + 1, isKey: false },
      ];
      for (const { place, rank, isKey } of places) {
        const bounds: [RangeOptions, Buffer[]][] = [
          [{ gt: place }, keys.slice(isKey ? rank + 1 : rank)],
          [{ gte: place }, keys.slice(rank)],
          [{ lt: place }, keys.slice(0, rank)],
          [{ lte: place }, keys.slice(0, isKey ? rank + 1 : rank)],
        ];
        for (const [bound, inside] of bounds) {
          expectFirst(db, { ...bound, limit: 2 }, inside.slice(0, 2));
          expectFirst(db, { ...bound, limit: 2, reverse: true }, inside.slice(-2).reverse());
        }
      }
    }
  });
});

/** Compares keys without an assertion a range, of which there are many. */
function expectFirst(db: Database, options: RangeOptions, expected: readonly Buffer[]): void {
  const found = db.bucket('b').range(options).toArray();
  if (found.length === expected.length && found.every(([key], i) => key.equals(expected[i]))) return;
  expect(
    found.map(([key]) => key.toString('hex')),
    JSON.stringify(options),
  ).to.deep.equal(expected.map((key) => key.toString('hex')));
}
