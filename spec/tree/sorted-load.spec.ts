// lib/tree/sorted-load.ts, through bulk loads: full pages, written once, for every number of entries.

import { expect } from 'chai';
import { numbered, patterned } from '../helpers/bytes.js';
import { expectBucket, leavesOf, load, modelOf, type Pair, pairs } from '../helpers/loads.js';
import { useStores } from '../helpers/store.js';

describe('pages of a bulk load', () => {
  const stores = useStores();

  describe('how many there are', () => {
    it('are full after a sorted load, and as full as fillFactor says', async () => {
      const leaves: number[] = [];
      for (const fillFactor of [1, 0.75, 0.5, 0.3]) {
        const db = await stores.openMemory();
        await load(db.bucket('b'), pairs(0, 6000, 0, 100), { fillFactor });
        leaves.push(await leavesOf(db));
        expectBucket(db.bucket('b'), modelOf(pairs(0, 6000, 0, 100)));
      }
      const [full] = leaves;
      // 116 bytes an entry with its slot, and 4,064 bytes a page.
      expect(full).to.be.lessThan((6000 * 116) / 4064);
      for (const [i, factor] of [1, 0.75, 0.5, 0.3].entries())
        expect(leaves[i] / full, `fillFactor ${factor}`).to.be.within(0.95 / factor, 1.1 / factor);
    });

    it('are written once, without being read', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      const before = db.stats();
      await load(db.bucket('b'), pairs(0, 50_000, 0, 100));
      const { pagesWritten, pagesRead } = db.stats();
      const { pages } = await db.check();
      expect(pagesWritten - before.pagesWritten).to.be.lessThan((pages.leaf + pages.branch) * 1.05 + 10);
      expect(pagesRead - before.pagesRead).to.be.lessThan(5);
    });

    it('stay full when many small loads append, one after the other', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      let next = 0;
      for (let round = 0; round < 150; round++) {
        const count = (round * 37) % 61;
        await load(db.bucket('b'), pairs(next, next + count));
        next += count;
      }
      const appended = await leavesOf(db);
      expectBucket(db.bucket('b'), modelOf(pairs(0, next)));
      await load(db.bucket('whole'), pairs(0, next));
      expect(appended * 2).to.be.at.most((await leavesOf(db)) + 5);
    });

    it('of a large bucket are left alone by a load past its last key', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await load(db.bucket('b'), pairs(0, 50_000, 0, 100));
      const before = db.stats();
      await load(db.bucket('b'), pairs(50_000, 50_010, 0, 100));
      const after = db.stats();
      expect(after.pagesRead - before.pagesRead).to.be.lessThan(12);
      expect(after.pagesWritten - before.pagesWritten).to.be.lessThan(12);
    });
  });

  describe('every number of entries', () => {
    /** Keys so long that few fit into a page, with all of their difference at the end. */
    const long = 'p'.repeat(1015);
    const shapes: Array<[what: string, entry: (i: number) => Pair]> = [
      ['small ones', (i) => [numbered(i), patterned(20, i)]],
      ['ones of a few a page', (i) => [numbered(i), patterned(900, i)]],
      ['ones with long keys that begin alike', (i) => [numbered(i, long), patterned(10, i)]],
      ['ones with long keys and values', (i) => [numbered(i, long), patterned(1000, i)]],
      ['keys alone', (i) => [numbered(i), '']],
      ['keys that each begin with the one before', (i) => ['k'.repeat(i), String(i)]],
      ['large values', (i) => [numbered(i), patterned(1025 + ((i * 997) % 7000), i)]],
      [
        'sizes of every kind',
        (i) => [numbered(i, 'p'.repeat((i * 331) % 1000)), patterned((i * 7919) % 1200, i)],
      ],
    ];
    for (const [what, entry] of shapes) {
      it(`is loaded, appended to and deleted from: ${what}`, async function () {
        this.timeout(60_000);
        const db = await stores.openMemory();
        const sorted = Array.from({ length: 340 }, (_, i) => entry(i)).sort(([a], [b]) => (a < b ? -1 : 1));
        for (let count = 0; count <= 300; count += count < 24 ? 1 : 11) {
          const bucket = db.bucket(`b${count}`);
          await load(bucket, sorted.slice(0, count));
          await load(bucket, sorted.slice(count, count + 40));
          const model = modelOf(sorted.slice(0, count + 40));
          await db.write((tx) => {
            for (let i = count % 3; i < count + 40; i += 3) {
              expect(tx.bucket(bucket.name).delete(sorted[i][0])).to.equal(true);
              model.delete(sorted[i][0]);
            }
            for (let i = count % 7; i < count + 40; i += 7) {
              tx.bucket(bucket.name).put(sorted[i][0], 'again');
              model.put(sorted[i][0], Buffer.from('again'));
            }
          });
          expectBucket(bucket, model);
        }
        expect((await db.check()).ok).to.equal(true);
      });
    }
  });
});
