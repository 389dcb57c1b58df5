// Range deletion: what is gone, what stays, what it reads, and that nothing leaks.

import { expect } from 'chai';
import fc from 'fast-check';
import type { RangeOptions } from '../../lib/options.js';
import { seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

const pad = (n: number): string => String(n).padStart(6, '0');

describe('deleteRange', () => {
  const stores = useStores();

  const cases: { name: string; entries: number; options: RangeOptions; kept: (key: string) => boolean }[] = [
    { name: 'everything', entries: 5000, options: {}, kept: () => false },
    {
      name: 'nothing of an inverted range',
      entries: 500,
      options: { gte: pad(400), lt: pad(100) },
      kept: () => true,
    },
    { name: 'the front', entries: 5000, options: { lt: pad(3000) }, kept: (key) => key >= pad(3000) },
    { name: 'the end', entries: 5000, options: { gt: pad(3000) }, kept: (key) => key <= pad(3000) },
    {
      name: 'the middle',
      entries: 5000,
      options: { gte: pad(10), lte: pad(4990) },
      kept: (key) => key < pad(10) || key > pad(4990),
    },
    {
      name: 'one entry',
      entries: 5000,
      options: { gte: pad(2500), lte: pad(2500) },
      kept: (key) => key !== pad(2500),
    },
    { name: 'a prefix', entries: 5000, options: { prefix: '0012' }, kept: (key) => !key.startsWith('0012') },
    {
      name: 'the first few',
      entries: 5000,
      options: { gte: pad(100), limit: 250 },
      kept: (key) => key < pad(100) || key >= pad(350),
    },
    {
      name: 'the last few',
      entries: 5000,
      options: { limit: 250, reverse: true },
      kept: (key) => key < pad(4750),
    },
    { name: 'none, by a limit', entries: 50, options: { limit: 0 }, kept: () => true },
  ];
  for (const { name, entries, options, kept } of cases) {
    it(`deletes ${name}`, async () => {
      const db = await stores.openMemory();
      const keys = Array.from({ length: entries }, (_, i) => pad(i));
      await db.write((tx) => {
        for (const key of keys) tx.bucket('b').put(key, `value ${key}`.padEnd(60));
      });
      const left = keys.filter(kept);
      const deleted = await db.write((tx) => tx.bucket('b').deleteRange(options));
      expect(deleted).to.equal(entries - left.length);
      expect([...db.bucket('b').range().keys()].length).to.equal(left.length);
      expect(
        db
          .bucket('b')
          .range()
          .toArray()
          .map(([key]) => key.toString()),
      ).to.deep.equal(left);
    });
  }

  it('gives up whole subtrees without reading their leaves', async () => {
    const db = await stores.open({ cacheBytes: 1 });
    const writer = db.bucket('b').bulkWriter();
    for (let i = 0; i < 100_000; i++) if (!writer.add(pad(i), 'x'.repeat(60))) await writer.drained();
    await writer.finish();
    const before = db.stats().pagesRead;
    await db.write((tx) => tx.bucket('b').deleteRange({ gte: pad(1000), lt: pad(99_000) }));
    // There are about 1,900 leaves; branches and the two edges are all that it needs.
    expect(db.stats().pagesRead - before).to.be.below(60);
    expect(db.bucket('b').range().count()).to.equal(2000);
  });

  it('gives up large values in the subtrees that it drops', async () => {
    const db = await stores.open();
    await db.write((tx) => {
      for (let i = 0; i < 300; i++) tx.bucket('b').put(pad(i), Buffer.alloc(i % 3 === 0 ? 9000 : 50, i));
    });
    await db.write((tx) => tx.bucket('b').deleteRange({ gte: pad(20), lt: pad(280) }));
    expect(db.bucket('b').range().count()).to.equal(40);
  });

  it('leaves a bucket that is not there alone', async () => {
    const db = await stores.openMemory();
    expect(await db.write((tx) => tx.bucket('none').deleteRange({}))).to.equal(0);
    expect([...db.buckets()]).to.deep.equal([]);
  });

  it('agrees with a sorted list, whatever is deleted in whatever order', async () => {
    const cut = fc.record({ from: fc.nat(3000), length: fc.nat(1500), more: fc.nat(3000) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(cut, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 900 }),
        async (cuts, size) => {
          const db = await stores.openMemory();
          const model = new Set<string>();
          for (const { from, length, more } of cuts) {
            await db.write((tx) => {
              const bucket = tx.bucket('b');
              for (let i = 0; i < 600; i++) {
                const key = pad((more + i * 7) % 3000).padEnd(6 + (i % 5) * 40, 'k');
                bucket.put(key, 'v'.repeat((i * 31) % size));
                model.add(key);
              }
              const inside = [...model].filter((key) => key >= pad(from) && key < pad(from + length));
              expect(bucket.deleteRange({ gte: pad(from), lt: pad(from + length) })).to.equal(inside.length);
              for (const key of inside) model.delete(key);
            });
            expect(
              db
                .bucket('b')
                .range()
                .toArray()
                .map(([key]) => key.toString()),
            ).to.deep.equal([...model].sort());
          }
          await stores.close(db);
        },
      ),
      seeded(15),
    );
  });
});
