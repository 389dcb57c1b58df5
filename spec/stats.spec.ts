// lib/stats.ts: what an open store tells of itself, without a walk over its file.

import { expect } from 'chai';
import { numbered, patterned } from './helpers/bytes.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('stats', () => {
  const stores = useStores();

  it('count commits, checkpoints and what they wrote', async () => {
    const db = await stores.open();
    const { pageSize } = db.stats();
    expect(db.stats()).to.include({ commits: 0, checkpoints: 0, pagesWritten: 0, bytesWritten: 0, syncs: 0 });
    for (let i = 0; i < 5; i++) await db.bucket('b').put(numbered(i), patterned(100, i));
    await (await db.begin()).rollback();
    const small = db.stats();
    expect(small).to.include({ commits: 5, checkpoints: 0, pagesWritten: 0, syncs: 5 });
    expect(small.bytesWritten, 'bytes of records').to.be.within(5 * 110, 5 * 250);
    await putAll(db, 'b', numberedKeys(2000), (i) => patterned(1000, i));
    const large = db.stats();
    expect(large).to.include({ commits: 6, checkpoints: 1, syncs: 7 });
    expect(large.pagesWritten).to.be.above(500);
    expect(large.bytesWritten - small.bytesWritten).to.equal(large.pagesWritten * pageSize);
    expect(large.fileBytes).to.equal(large.pages * pageSize);
  });

  it('count the pages that were in memory, and those that were not', async () => {
    const db = await stores.open({ cacheBytes: 1 });
    await putAll(db, 'b', numberedKeys(3000), (i) => patterned(1000, i));
    const before = db.stats();
    expect(before.cache.dirtyPages).to.equal(0);
    for (let i = 0; i < 3000; i += 30) db.bucket('b').get(numbered(i));
    const after = db.stats();
    expect(after.cache.misses - before.cache.misses).to.be.within(90, 130);
    expect(after.pagesRead - before.pagesRead).to.equal(after.cache.misses - before.cache.misses);
    expect(after.cache.hits - before.cache.hits).to.be.at.least(100);
  });

  for (const place of ['file', 'memory'] as const) {
    it(`tell how long the oldest snapshot is held, and what it holds, in a ${place}`, async () => {
      const db = await stores.openIn(place);
      await putAll(db, 'b', numberedKeys(2000), (i) => patterned(1000, i));
      const { pages } = await db.check();
      expect(db.stats()).to.include({ snapshots: 0, snapshotPages: 0, oldestSnapshotMilliseconds: 0 });
      const oldest = db.snapshot();
      expect(db.stats().snapshotPages, 'of what is still there').to.equal(0);
      await new Promise((resolve) => setTimeout(resolve, 30));
      await putAll(db, 'b', numberedKeys(2000), (i) => patterned(1000, i + 1));
      const newer = db.snapshot();
      const held = db.stats();
      expect(held.snapshots).to.equal(2);
      expect(held.oldestSnapshotMilliseconds).to.be.within(25, 20_000);
      // Every leaf and branch was replaced, those of the catalog as well.
      expect(held.snapshotPages).to.equal(pages.leaf + pages.branch);
      expect(held.heldPages).to.be.at.least(held.snapshotPages);
      oldest.release();
      const later = db.stats();
      expect(later).to.include({ snapshots: 1, snapshotPages: 0 });
      expect(later.oldestSnapshotMilliseconds).to.be.below(held.oldestSnapshotMilliseconds);
      newer.release();
      expect(db.stats()).to.include({ snapshots: 0, snapshotPages: 0, oldestSnapshotMilliseconds: 0 });
    });
  }

  it('count running reads as snapshots', async () => {
    const db = await stores.openMemory();
    await putAll(db, 'b', numberedKeys(1000), (i) => patterned(100, i));
    const iterator = db.bucket('b').range()[Symbol.iterator]();
    iterator.next();
    await db.write((tx) => tx.bucket('b').deleteRange({}));
    expect(db.stats().snapshots).to.equal(1);
    expect(db.stats().snapshotPages).to.be.above(20);
    iterator.return?.();
    expect(db.stats()).to.include({ snapshots: 0, snapshotPages: 0 });
  });
});
