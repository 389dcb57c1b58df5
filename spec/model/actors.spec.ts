// Many at work on one store at once, each in a bucket of its own that it compares with its own sorted map: the
// writer's turn, shared commits, checkpoints beside commits, pages given back while others read.

import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bucket, Database, Entry } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { type Draw, drawFrom } from '../helpers/draw.js';
import { ModelBucket } from '../helpers/model.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

type Actor = (db: Database, draw: Draw) => Promise<void>;

const ROUNDS = 25;

function compare(bucket: Bucket, model: ModelBucket): void {
  expectEntries(bucket.range().toArray(), model.range(), bucket.name);
}

async function putter(db: Database, draw: Draw): Promise<void> {
  const bucket = db.bucket('single writes');
  const model = new ModelBucket();
  for (let round = 0; round < ROUNDS; round++) {
    const writes: Promise<unknown>[] = [];
    for (let i = draw(12); i >= 0; i--) {
      const key = numbered(draw(400));
      if (draw(4) === 0) {
        const was = model.delete(key);
        writes.push(bucket.delete(key).then((found) => expect(found).to.equal(was)));
      } else {
        const value = patterned(draw(8) === 0 ? draw(9000) : draw(300), round + i);
        model.put(key, value);
        writes.push(bucket.put(key, value));
      }
    }
    await Promise.all(writes);
    compare(bucket, model);
  }
}

async function transactor(db: Database, draw: Draw): Promise<void> {
  const bucket = db.bucket('transactions');
  let model = new ModelBucket();
  for (let round = 0; round < ROUNDS; round++) {
    const tx = await db.begin();
    const next = model.clone();
    const expected = tx.bucket(bucket.name).range().toArray();
    const iterator = tx.bucket(bucket.name).range()[Symbol.asyncIterator]();
    const follow = async (entries: readonly Entry[]): Promise<void> => {
      for (const [key, value] of entries) {
        const step = await iterator.next();
        expect(step.done).to.equal(false);
        expectEntries([step.value], [[key, value]]);
      }
    };
    // The first step settles what it goes over.
    await follow(expected.slice(0, 1));
    for (let i = draw(200); i > 0; i--) {
      const key = numbered(draw(1000));
      const value = patterned(draw(200), i);
      if (draw(3) === 0) {
        tx.bucket(bucket.name).delete(key);
        next.delete(key);
      } else {
        tx.bucket(bucket.name).put(key, value);
        next.put(key, value);
      }
      if (draw(20) === 0) await nextTurn();
    }
    if (draw(3) === 0) await tx.rollback();
    else {
      await tx.commit();
      model = next;
    }
    if (expected.length > 0) {
      await follow(expected.slice(1));
      expect((await iterator.next()).done).to.equal(true);
    }
    compare(bucket, model);
  }
}

async function loader(db: Database, draw: Draw): Promise<void> {
  const bucket = db.bucket('loads');
  const model = new ModelBucket();
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const writer = bucket.bulkWriter({
      commitEvery: { entries: 1 + draw(200) },
      fillFactor: 1 - draw(2) / 2,
    });
    const count = draw(400);
    const entries = Array.from({ length: count }, (_, i): [string, Buffer] => [
      numbered(draw(4) === 0 ? draw(next + 1) : next + i),
      patterned(draw(50) === 0 ? 5000 : draw(100), i),
    ]);
    next += count;
    for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
    const left = draw(4) === 0;
    if (left) {
      writer.destroy();
      await new Promise((resolve) => writer.once('close', resolve));
    } else await writer.finish();
    for (const [key, value] of entries.slice(0, writer.report().entriesCommitted)) model.put(key, value);
    compare(bucket, model);
  }
}

async function streamer(db: Database, draw: Draw): Promise<void> {
  const bucket = db.bucket('values');
  const model = new ModelBucket();
  for (let round = 0; round < ROUNDS; round++) {
    const key = numbered(draw(10));
    const value = patterned(draw(3) === 0 ? draw(400_000) : draw(20_000), round);
    if (draw(4) === 0) expect(await bucket.delete(key)).to.equal(model.delete(key));
    else {
      if (draw(2) === 0) await bucket.put(key, value);
      else
        await pipeline([value.subarray(0, 9000), value.subarray(9000)], bucket.createValueWriteStream(key));
      model.put(key, value);
      const read = Buffer.concat(await bucket.createValueReadStream(key).toArray());
      expect(read.equals(value)).to.equal(true);
    }
    compare(bucket, model);
  }
}

async function dropper(db: Database, draw: Draw): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const name = `brief ${draw(3)}`;
    const count = draw(300);
    const made = await db.createBucket(name);
    await db.write((tx) => {
      for (let i = 0; i < count; i++) tx.bucket(name).put(numbered(i), patterned(100, i));
    });
    expect(made.range().count()).to.equal(count);
    expect(await db.dropBucket(name)).to.equal(true);
    expect(made.range().count()).to.equal(0);
  }
}

/** Snapshots of all buckets, that must not change while they are held. */
async function reader(db: Database, draw: Draw): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    using snapshot = db.snapshot();
    const infos = [...snapshot.buckets()];
    const states = infos.map(({ name }) => snapshot.bucket(name).range().toArray());
    for (let turns = draw(30); turns > 0; turns--) await nextTurn();
    for (const [i, { name, entries }] of infos.entries()) {
      expect(states[i].length, name).to.equal(entries);
      let index = 0;
      for await (const entry of snapshot.bucket(name).range())
        expectEntries([entry], [states[i][index++]], name);
      expect(index, name).to.equal(entries);
    }
    await nextTurn();
  }
}

async function keeper(db: Database, draw: Draw): Promise<void> {
  for (let round = 0; round < 5; round++) {
    for (let turns = draw(100); turns > 0; turns--) await nextTurn();
    if (draw(2) === 0) await db.compact();
    expect((await db.check()).problems).to.deep.equal([]);
  }
}

const actors: readonly Actor[] = [putter, transactor, loader, streamer, dropper, reader, reader, keeper];

describe('many at work at once', () => {
  const stores = useStores();
  const places: Record<string, () => Promise<Database>> = {
    'in a file with every bound as low as can be': async () => stores.openTight(await stores.path()),
    'in a file': () => stores.open(),
    'in memory': () => stores.openMemory({ cacheBytes: 1 }),
  };
  for (const [place, open] of Object.entries(places)) {
    it(`find what they wrote, each its own, ${place}`, async function () {
      this.timeout(scaledMilliseconds(60_000));
      await fc.assert(
        fc
          .asyncProperty(fc.nat(), async (start) => {
            const db = await open();
            await Promise.all(actors.map((actor, i) => actor(db, drawFrom(start + i))));
            await stores.close(db);
          })
          .afterEach(() => stores.abandon()),
        // What goes on at once cannot be made simpler by another seed.
        seeded(2, { endOnFailure: true }),
      );
    });
  }
});
