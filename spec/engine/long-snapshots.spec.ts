// Snapshots that are held while the writer commits thousands of times: they stay right, they keep no more than
// they see, and what they kept comes back.

import { once } from 'node:events';
import type { Database, Entry, Snapshot, WriteTransaction } from 'btree-store';
import { expect } from 'chai';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { GatedFile, openCountedOn } from '../helpers/counted-store.js';
import { Random } from '../helpers/random.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { scaledTimes, seed } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

const COUNT = 5000;

/** Entries that the snapshots see, and a large value. */
async function fill(db: Database): Promise<Entry[]> {
  await putAll(db, 'b', numberedKeys(COUNT), (i) => patterned(100, i));
  await db.bucket('b').put('large', patterned(100_000, 1));
  return db.bucket('b').range().toArray();
}

function expectSeen(snapshot: Snapshot, expected: readonly Entry[], where: string): void {
  expectEntries(snapshot.bucket('b').range().toArray(), expected, where);
  expect(snapshot.bucket('b').range().count()).to.equal(expected.length);
}

/** A commit for each call, of one kind. Those that make much make as much go. */
const KINDS: Record<string, (tx: WriteTransaction, step: number, random: Random) => void> = {
  'puts over what it sees': (tx, step, random) => {
    for (let i = 0; i < 5; i++) tx.bucket('b').put(numbered(random.below(COUNT)), patterned(100, step));
  },
  'puts and deletes elsewhere': (tx, step, random) => {
    for (let i = 0; i < 5; i++) tx.bucket('other').put(numbered(random.below(500)), patterned(100, step));
    for (let i = 0; i < 3; i++) tx.bucket('other').delete(numbered(random.below(500)));
  },
  'a large value replaced': (tx, step) => {
    tx.bucket('b').put('large', patterned(30_000, step));
  },
  'a bucket dropped and filled': (tx, step) => {
    tx.dropBucket('other');
    for (const key of numberedKeys(60)) tx.bucket('other').put(key, patterned(100, step));
    tx.bucket('other').put('large', patterned(20_000, step));
  },
  'all that it sees dropped, and others filled': (tx, step) => {
    if (step === 0) tx.dropBucket('b');
    for (let i = 0; i < 20; i++)
      tx.bucket('other').put(numbered((step * 20 + i) % 3000), patterned(100, step));
  },
  'a queue with its end cut off': (tx, step) => {
    for (let i = 0; i < 20; i++) tx.bucket('other').put(numbered(step * 20 + i), patterned(100, step));
    tx.bucket('other').deleteRange({ lt: numbered(step * 20 - 1000) });
  },
};

describe('a long snapshot', () => {
  const stores = useStores();

  for (const place of ['file', 'memory'] as const) {
    for (const [what, commit] of Object.entries(KINDS)) {
      it(`in ${place === 'file' ? 'a file' : 'memory'}, over a thousand commits of ${what}`, async () => {
        const db = await stores.openIn(place, { durability: 'none', cacheBytes: 1 });
        const expected = await fill(db);
        // Writes all of it to the file, so that few of the pages are in memory still.
        await db.compact();
        const live = db.stats().pages;
        const random = Random.of(seed, 1);
        let step = 0;
        const run = async (commits: number): Promise<void> => {
          for (const end = step + commits; step < end; step++)
            await db.write((tx) => commit(tx, step, random));
        };
        const snapshot = db.snapshot();
        const iterator = db.bucket('b').range()[Symbol.asyncIterator]();
        const stream = snapshot.bucket('b').createValueReadStream('large');
        const first = await iterator.next();
        await once(stream, 'readable');
        expect(stream.read(1)).to.have.length(1);
        await run(scaledTimes(1000));
        expectSeen(snapshot, expected, 'the snapshot');
        const held = db.stats();
        expect(held.snapshots).to.equal(3);
        expect(held.oldestSnapshotMilliseconds).to.be.greaterThan(0);
        expect(held.snapshotPages).to.be.at.most(Math.min(live, held.heldPages));
        // What the snapshot sees, what the last checkpoint has, what there is now, and what is under way.
        expect(held.pages, `pages, of which ${held.freePages} free`).to.be.below(5 * live);

        const entries: Entry[] = [];
        for (let next = first; next.done !== true; next = await iterator.next())
          entries.push([Buffer.from(next.value[0]), Buffer.from(next.value[1])]);
        expectEntries(entries, expected, 'the iterator');
        const rest = Buffer.concat((await stream.toArray()) as Buffer[]);
        expect(rest.equals(patterned(100_000, 1).subarray(1)), 'the stream').to.equal(true);
        snapshot.release();
        const released = db.stats();
        expect(released.snapshots).to.equal(0);
        expect(released.snapshotPages).to.equal(0);
        expect(released.oldestSnapshotMilliseconds).to.equal(0);
        await run(300);
        expect(db.stats().pages, 'pages once it is released').to.be.at.most(1.1 * held.pages);
      });
    }
  }

  it('gives back what it kept as it is released, with no commit and no checkpoint after it', async () => {
    const { db, store } = await openCountedOn(
      { file: new MemoryFile(), log: new MemoryFile('log') },
      { durable: false },
    );
    await fill(db);
    const snapshots = [db.snapshot()];
    await putAll(db, 'b', numberedKeys(COUNT), (i) => patterned(100, i + 1));
    snapshots.push(db.snapshot());
    await putAll(db, 'b', numberedKeys(COUNT), (i) => patterned(100, i + 2));
    await store.checkpointNow();
    const { snapshotPages } = db.stats();
    expect(snapshotPages).to.be.above(200);
    snapshots[0].release();
    expect(db.stats().heldPages).to.be.within(100, snapshotPages - 100);
    snapshots[1].release();
    expect(db.stats().heldPages).to.equal(0);
    await db.close();
  });

  it('gives back what it kept, also where it is released while a checkpoint is under way', async () => {
    const file = new GatedFile();
    const { db, store } = await openCountedOn({ file, log: new MemoryFile('log') }, { durable: false });
    await fill(db);
    const snapshot = db.snapshot();
    await putAll(db, 'b', numberedKeys(COUNT), (i) => patterned(100, i + 1));
    await store.checkpointNow();
    const { snapshotPages } = db.stats();
    expect(snapshotPages).to.be.above(100);
    await db.bucket('b').put('other', 'value');
    file.shut();
    const checkpoint = store.checkpointNow();
    await file.reached;
    snapshot.release();
    expect(db.stats().heldPages).to.be.at.least(snapshotPages);
    file.letThrough();
    await checkpoint;
    expect(db.stats().heldPages).to.equal(0);
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });

  it('is one of very many, released in any order', async () => {
    const random = Random.of(seed, 2);
    const db = await stores.openMemory();
    const entries = new Map((await fill(db)).map(([key, value]) => [key.toString(), value]));
    let snapshots: { snapshot: Snapshot; changed: Map<string, Buffer> }[] = [];
    const COMMITS = 1000;
    for (let step = 0; step < COMMITS; step++) {
      const changed = new Map<string, Buffer>();
      await db.write((tx) => {
        for (let i = 0; i < 3; i++) {
          const key = numbered(random.below(COUNT));
          const value = patterned(100, step);
          tx.bucket('b').put(key, value);
          changed.set(key, value);
        }
      });
      snapshots.push({ snapshot: db.snapshot(), changed });
    }
    const { heldPages, snapshotPages, pages } = db.stats();
    expect(snapshotPages)
      .to.equal(heldPages)
      .and.be.greaterThan(2 * COMMITS);
    // Each still sees its own commit, and none of a later one.
    for (const at of [0, 1, 500, COMMITS - 1]) {
      const expected = new Map(entries);
      for (const { changed } of snapshots.slice(0, at + 1))
        for (const [key, value] of changed) expected.set(key, value);
      expectEntries(
        snapshots[at].snapshot.bucket('b').range().toArray(),
        [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [Buffer.from(key), value]),
        `snapshot ${at}`,
      );
    }
    snapshots = random.shuffle(snapshots);
    for (const [index, { snapshot }] of snapshots.entries()) {
      if (index % 100 === 0) await db.bucket('b').put(numbered(random.below(COUNT)), 'meanwhile');
      snapshot.release();
    }
    expect(db.stats().snapshotPages).to.equal(0);
    for (let step = 0; step < 200; step++)
      await db.write((tx) => {
        for (let i = 0; i < 20; i++) tx.bucket('b').put(numbered(random.below(COUNT)), patterned(100, step));
      });
    expect(db.stats().pages).to.be.at.most(1.05 * pages);
  });
});
