// Ascending entries cut into any number of loads, with anything between them: the tree at its right edge.

import { expect } from 'chai';
import fc from 'fast-check';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { ModelBucket } from '../helpers/model.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

/** A load of entries past the last key, or what is done to the bucket before the next one. */
const parts = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('load' as const),
      count: fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, { weight: 2, arbitrary: fc.nat(200) }),
      /** Bytes of key and value, each taken in turn. */
      prefixes: fc.array(fc.constantFrom(1, 1, 1, 300, 900, 1015), { minLength: 1, maxLength: 3 }),
      lengths: fc.array(fc.constantFrom(0, 3, 60, 500, 1000, 1024, 1025, 4064, 4070, 5000, 40_000), {
        minLength: 1,
        maxLength: 5,
      }),
      fillFactor: fc.constantFrom(1, 1, 0.6, 0.3),
      entriesACommit: fc.constantFrom(1000, 1000, 5, 50),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('put' as const), at: fc.nat(2000), length: fc.nat(2000) }),
  },
  {
    weight: 2,
    // From some place on, or up to there: the right edge goes, or all but the right edge.
    arbitrary: fc.record({
      do: fc.constantFrom('cut off' as const, 'cut away' as const, 'thin out' as const),
      at: fc.nat(2000),
    }),
  },
);

describe('loads past the last key', () => {
  const stores = useStores();

  it('leave a whole tree, however they are cut and whatever is deleted between them', async function () {
    this.timeout(scaledMilliseconds(60_000));
    await fc.assert(
      fc
        .asyncProperty(fc.array(parts, { minLength: 1, maxLength: 25, size: 'max' }), async (steps) => {
          const db = await stores.openMemory({ cacheBytes: 1 });
          const bucket = db.bucket('b');
          const model = new ModelBucket();
          let next = 0;
          for (const step of steps) {
            const keys = model.keys();
            const key = 'at' in step ? (keys[step.at % Math.max(1, keys.length)] ?? 'none') : '';
            if (step.do === 'load') {
              const { count, prefixes, lengths, fillFactor, entriesACommit } = step;
              const writer = bucket.bulkWriter({
                sorted: true,
                fillFactor,
                commitEvery: { entries: entriesACommit },
              });
              for (let i = 0; i < count; i++, next++) {
                // The number comes first, so that keys ascend whatever their length.
                const entryKey = numbered(next) + 'p'.repeat(prefixes[i % prefixes.length]);
                const value = patterned(lengths[i % lengths.length], next);
                model.put(entryKey, value);
                if (!writer.add(entryKey, value)) await writer.drained();
              }
              const report = await writer.finish();
              expect(report.sorted).to.equal(true);
            } else if (step.do === 'put') {
              model.put(key, patterned(step.length, 7));
              await bucket.put(key, patterned(step.length, 7));
            } else {
              const gone = keys.filter((_, i) => step.do === 'thin out' && i % 3 !== 0);
              const range = step.do === 'cut off' ? { gte: key } : { lt: key };
              if (step.do !== 'thin out')
                for (const [goneKey] of model.range(range)) gone.push(goneKey.toString('latin1'));
              await db.write((tx) => {
                for (const goneKey of gone) expect(tx.bucket('b').delete(goneKey)).to.equal(true);
              });
              for (const goneKey of gone) model.delete(goneKey);
            }
          }
          expectEntries(bucket.range().toArray(), model.range());
          expectEntries(bucket.range({ reverse: true }).toArray(), model.range({ reverse: true }));
          await stores.close(db);
        })
        .afterEach(() => stores.abandon()),
      seeded(10),
    );
  });

  it('whose keys begin with all the same bytes leave a whole tree', async function () {
    this.timeout(scaledMilliseconds(60_000));
    const cuts = fc.array(fc.nat(60), { minLength: 1, maxLength: 20, size: 'max' });
    await fc.assert(
      fc
        .asyncProperty(
          cuts,
          fc.constantFrom(1000, 1010, 1015),
          fc.nat(1024),
          async (counts, prefix, length) => {
            const db = await stores.openMemory({ cacheBytes: 1 });
            const model = new ModelBucket();
            let next = 0;
            for (const count of counts) {
              const writer = db.bucket('b').bulkWriter({ sorted: true });
              for (let i = 0; i < count; i++, next++) {
                const key = numbered(next, 'p'.repeat(prefix));
                writer.add(key, patterned(length, next));
                model.put(key, patterned(length, next));
              }
              await writer.finish();
            }
            expectEntries(db.bucket('b').range().toArray(), model.range());
            await stores.close(db);
          },
        )
        .afterEach(() => stores.abandon()),
      seeded(5),
    );
  });
});
