// lib/tree/catalog.ts and free-tree.ts: buckets by name, and what becomes of one that is dropped.

import { expect } from 'chai';
import { StoreDatabase } from '../../lib/database.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { bucketRoot, catalogEntries, catalogRoot, findBucket } from '../../lib/tree/catalog.js';
import { patterned } from '../helpers/bytes.js';
import { openFileStore } from '../helpers/store-bytes.js';

const names = ['a', 'b', 'aa', 'ü', '漢字', '😀', ' ', '\0', 'A', 'x'.repeat(1000), 'é', 'e\u0301', 'a b/c'];

async function newDatabase() {
  const { store, recovery } = await openFileStore(new MemoryFile());
  return { store, db: new StoreDatabase(store, recovery) };
}

describe('catalog', () => {
  it('finds each bucket, and lists them by the bytes of their names', async () => {
    const { store, db } = await newDatabase();
    for (const [index, name] of names.entries())
      await db.write((tx) => {
        for (let i = 0; i <= index; i++) tx.bucket(name).put(`k${i}`, name);
      });
    const catalog = catalogRoot(store.committed);
    expect(catalog.entries).to.equal(names.length);
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...catalogEntries(store.pager, catalog)].map(({ name }) => name)).to.deep.equal(sorted);
    names.forEach((name, index) => {
      expect(findBucket(store.pager, catalog, name)?.root.entries, name).to.equal(index + 1);
      expect(bucketRoot(store.pager, catalog, name).entries).to.equal(index + 1);
    });
    expect(findBucket(store.pager, catalog, 'none')).to.equal(undefined);
    expect(bucketRoot(store.pager, catalog, 'none').page).to.equal(0);
    await db.close();
  });

  it('holds thousands of buckets, in a tree of more than one level', async () => {
    const { store, db } = await newDatabase();
    await db.write((tx) => {
      for (let i = 0; i < 2000; i++) tx.bucket(`bucket ${i}`).put('key', `value ${i}`);
    });
    const report = await db.check();
    expect(report.problems).to.deep.equal([]);
    expect(report.buckets).to.equal(2000);
    for (let i = 0; i < 2000; i += 37)
      expect(db.bucket(`bucket ${i}`).get('key')?.toString()).to.equal(`value ${i}`);
    await db.write((tx) => {
      for (let i = 0; i < 2000; i += 2) tx.dropBucket(`bucket ${i}`);
    });
    expect([...catalogEntries(store.pager, catalogRoot(store.committed))].length).to.equal(1000);
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });

  it('tells a bucket from a later one of its name', async () => {
    const { store, db } = await newDatabase();
    const created = (): number | undefined =>
      findBucket(store.pager, catalogRoot(store.committed), 'b')?.created;
    await db.createBucket('b');
    const first = created();
    await db.bucket('b').put('k', 'v');
    expect(created()).to.equal(first);
    await db.dropBucket('b');
    expect(created()).to.equal(undefined);
    await db.createBucket('b');
    expect(created()).to.be.above(first ?? Number.POSITIVE_INFINITY);
    await db.close();
  });

  it('gives all pages of a dropped bucket back, those of large values as well', async () => {
    const { db } = await newDatabase();
    await db.bucket('kept').put('k', 'v');
    const before = (await db.check()).pages;
    await db.write((tx) => {
      for (let i = 0; i < 3000; i++) {
        const key = `${i}`.padEnd(i % 300 === 0 ? 1000 : 10, 'x');
        tx.bucket('dropped').put(key, patterned(i % 100 === 0 ? 9000 : 60, i));
      }
    });
    await db.dropBucket('dropped');
    const { pages, problems } = await db.check();
    expect(problems).to.deep.equal([]);
    expect([pages.leaf, pages.branch, pages.value]).to.deep.equal([before.leaf, before.branch, before.value]);
    await db.close();
  });
});
