// lib/snapshot.ts: one commit, over every bucket, for as long as it is kept.

import type { Database, Snapshot } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned, readable } from './helpers/bytes.js';
import { raised, rejected } from './helpers/errors.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('snapshot', () => {
  const stores = useStores();

  for (const place of ['memory', 'file'] as const) {
    it(`sees its commit whatever is written after, in a ${place}`, async () => {
      const db = await stores.openIn(place, { cacheBytes: 1 });
      await putAll(db, 'b', numberedKeys(2000), (i) => patterned(60, i));
      await putAll(db, 'large', numberedKeys(10), (i) => patterned(40_000, i));
      const snapshot = db.snapshot();
      const before = contents(snapshot);

      const changes: Array<() => Promise<unknown>> = [
        () => putAll(db, 'b', numberedKeys(2000), () => 'changed'),
        () => db.write((tx) => tx.bucket('b').deleteRange({ lt: numbered(1900) })),
        () => putAll(db, 'large', numberedKeys(10), (i) => patterned(40_000, i + 1)),
        () => db.dropBucket('large'),
        () => db.dropBucket('b'),
        () => db.createBucket('new'),
        () => putAll(db, 'b', numberedKeys(3000), (i) => patterned(60, i)),
        () => db.check(),
      ];
      for (const change of changes) {
        await change();
        expect(contents(snapshot)).to.deep.equal(before);
      }
      expect(snapshot.bucket('b').get(numbered(5))).to.deep.equal(patterned(60, 5));
      expect(snapshot.bucket('large').get(numbered(5))).to.deep.equal(patterned(40_000, 5));
      expect(snapshot.bucket('b').has(numbered(2500))).to.equal(false);
      expect(snapshot.bucket('new').range().count()).to.equal(0);
      const stream = snapshot.bucket('large').createValueReadStream(numbered(3));
      expect(Buffer.concat(await stream.toArray())).to.deep.equal(patterned(40_000, 3));
      snapshot.release();
    });
  }

  it('may be many, of one commit or of several, let go in any order', async () => {
    const db = await stores.open({ cacheBytes: 1 });
    const held: Array<{ snapshot: Snapshot; expected: Array<[string, string]> }> = [];
    for (let round = 0; round < 20; round++) {
      await db.write((tx) => {
        for (let i = round % 3; i < 500; i += 3) tx.bucket('b').put(numbered(i), patterned(80, round));
        for (let i = round % 7; i < 500; i += 7) tx.bucket('b').delete(numbered(i));
      });
      for (let twice = 0; twice < 2; twice++)
        held.push({ snapshot: db.snapshot(), expected: readable(db.bucket('b').range().toArray()) });
    }
    expect(db.stats().snapshots).to.equal(40);
    for (let left = held.length; left > 0; left--) {
      const [{ snapshot, expected }] = held.splice((left * 7919) % left, 1);
      expect(readable(snapshot.bucket('b').range().toArray())).to.deep.equal(expected);
      snapshot.release();
      // What it held is written over.
      await db.bucket('b').put(numbered(left), patterned(200, left));
    }
  });

  it('has the sequence of its commit, which grows', async () => {
    const db = await stores.openMemory();
    using first = db.snapshot();
    using same = db.snapshot();
    expect(same.sequence).to.equal(first.sequence).and.equal(db.stats().sequence);
    await db.bucket('b').put('a', '1');
    using second = db.snapshot();
    expect(second.sequence).to.be.greaterThan(first.sequence).and.equal(db.stats().sequence);
  });

  it('does not see a transaction before its commit, and is not seen by it', async () => {
    const db = await stores.openMemory();
    await db.bucket('b').put('a', '1');
    const tx = await db.begin();
    tx.bucket('b').put('a', '2');
    using snapshot = db.snapshot();
    expect(snapshot.bucket('b').get('a')?.toString()).to.equal('1');
    await tx.commit();
    expect(snapshot.bucket('b').get('a')?.toString()).to.equal('1');
    expect(db.bucket('b').get('a')?.toString()).to.equal('2');
  });

  describe('once released', () => {
    it('raises SNAPSHOT_RELEASED from every read, and may be released again', async () => {
      const db = await stores.openMemory();
      await db.bucket('b').put('a', '1');
      const snapshot = db.snapshot();
      const bucket = snapshot.bucket('b');
      const range = bucket.range();
      const stream = bucket.createValueReadStream('a');
      snapshot.release();
      for (const call of [
        () => bucket.get('a'),
        () => bucket.has('a'),
        () => range.toArray(),
        () => range.count(),
        () => range.first(),
        () => range[Symbol.iterator](),
        () => snapshot.bucket('b').get('a'),
        () => snapshot.buckets(),
      ]) {
        raised('SNAPSHOT_RELEASED', call);
      }
      await rejected('SNAPSHOT_RELEASED', range[Symbol.asyncIterator]().next());
      await rejected('SNAPSHOT_RELEASED', range.toReadable().toArray());
      await rejected('SNAPSHOT_RELEASED', stream.toArray());
      snapshot.release();
      snapshot[Symbol.dispose]();
      expect(db.stats().snapshots).to.equal(0);
    });

    it('lets reads that were begun go on to their end', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await putAll(db, 'b', numberedKeys(2000), (i) => patterned(60, i));
      const snapshot = db.snapshot();
      const expected = snapshot.bucket('b').range().toArray();
      const iterator = snapshot.bucket('b').range()[Symbol.iterator]();
      const first = iterator.next();
      expect(first.done).to.equal(false);
      const seen = [[Buffer.from(first.value[0]), Buffer.from(first.value[1])]] as typeof expected;
      snapshot.release();
      for (let round = 0; round < 3; round++) await putAll(db, 'b', numberedKeys(2000), () => `x${round}`);
      for (let next = iterator.next(); next.done !== true; next = iterator.next())
        seen.push([Buffer.from(next.value[0]), Buffer.from(next.value[1])]);
      expectEntries(seen, expected);
      expect(db.stats().snapshots).to.equal(0);
    });

    it('gives its pages back', async () => {
      const db = await stores.open();
      await putAll(db, 'b', numberedKeys(2000), (i) => patterned(500, i));
      const snapshot = db.snapshot();
      // Commits too large for the log are checkpoints, so that only the snapshot holds what they free.
      await putAll(db, 'b', numberedKeys(2500), (i) => patterned(500, i + 1));
      const { heldPages } = db.stats();
      expect(heldPages).to.be.greaterThan(200);
      snapshot.release();
      expect(db.stats().heldPages).to.be.lessThan(heldPages - 200);
      const { pages } = db.stats();
      await putAll(db, 'b', numberedKeys(500), (i) => patterned(500, i + 2));
      expect(db.stats().pages).to.be.at.most(pages + 10);
    });
  });

  it('is released by using, and by read when what it runs is over', async () => {
    const db = await stores.openMemory();
    await db.bucket('b').put('a', '1');
    {
      using snapshot = db.snapshot();
      expect(snapshot.bucket('b').has('a')).to.equal(true);
      expect(db.stats().snapshots).to.equal(1);
    }
    expect(db.stats().snapshots).to.equal(0);
    expect(db.read((snapshot) => snapshot.bucket('b').get('a')?.toString())).to.equal('1');
    expect(db.stats().snapshots).to.equal(0);

    const stop = new Error('stop');
    expect(() =>
      db.read(() => {
        throw stop;
      }),
    ).to.throw(stop);
    expect(db.stats().snapshots).to.equal(0);

    const later = db.read(async (snapshot) => {
      await db.bucket('b').put('a', '2');
      return snapshot.bucket('b').get('a')?.toString();
    });
    expect(db.stats().snapshots).to.equal(1);
    expect(await later).to.equal('1');
    expect(db.stats().snapshots).to.equal(0);

    const failing = db.read(async () => {
      await Promise.resolve();
      throw stop;
    });
    let thrown: unknown;
    await failing.catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.equal(stop);
    expect(db.stats().snapshots).to.equal(0);
  });

  it('keeps its state in a read-only store too', async () => {
    const made = await stores.open();
    await putAll(made, 'b', numberedKeys(100), (i) => patterned(60, i));
    const db = await stores.reopen(made, { readOnly: true });
    using snapshot = db.snapshot();
    expect(snapshot.bucket('b').range().count()).to.equal(100);
    expect([...snapshot.buckets()]).to.deep.equal([{ name: 'b', entries: 100 }]);
  });
});

/** Everything that a snapshot shows. */
function contents(from: Snapshot | Database): Record<string, Array<[string, string]>> {
  const found: Record<string, Array<[string, string]>> = {};
  for (const { name, entries } of from.buckets()) {
    found[name] = readable(from.bucket(name).range().toArray());
    expect(found[name].length, name).to.equal(entries);
    expect(from.bucket(name).range().count(), name).to.equal(entries);
  }
  return found;
}
