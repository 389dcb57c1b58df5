// Batches of a range: keys and values copied or read in place, the same either way.

import { expect } from 'chai';
import fc from 'fast-check';
import { raised } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

const stores = useStores();

/** Lengths around the bounds between the leaf and extents, and of words. */
const valueBytes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 1100 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4000, max: 20_000 }) },
);
const keyText = fc.tuple(
  fc.constantFrom('', 'a', 'user:', 'a prefix of nearly all keys: '),
  fc.stringMatching(/^[a-e]{0,9}$/),
);

describe('batches of a range', () => {
  it('give values in place as they give copies, in both directions, within any bounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(keyText, valueBytes), { maxLength: 200 }),
        fc.boolean(),
        fc.option(fc.nat(60), { nil: undefined }),
        async (given, reverse, limit) => {
          const db = await stores.openMemory();
          const bucket = db.bucket('rows');
          await db.write((tx) => {
            for (const [[prefix, rest], bytes] of given)
              tx.bucket('rows').put(prefix + rest, Buffer.alloc(bytes, `${rest}${bytes}`));
          });
          const expected = bucket.range({ reverse, limit }).toArray();
          const found: [Buffer, Buffer][] = [];
          for (const batch of bucket.range({ reverse, limit }).batches()) {
            for (let i = 0; i < batch.length; i++) {
              const key = Buffer.from(batch.key(i));
              expect(batch.keyLength(i)).to.equal(key.length);
              const [start, length] = [batch.valueStart(i), batch.valueLength(i)];
              const value = start < 0 ? batch.value(i) : batch.bytes.subarray(start, start + length);
              expect(value.length).to.equal(length);
              expect(value.equals(batch.value(i))).to.equal(true);
              found.push([key, Buffer.from(value)]);
            }
          }
          expect(found).to.deep.equal(expected);
          await stores.close(db);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave the store as it is, whatever is written to their bytes, and stay as they were beside a writer', async () => {
    const db = await stores.open({ cacheBytes: 64 * 4096 });
    const [bucket, other] = [db.bucket('rows'), db.bucket('other')];
    const value = (n: number): Buffer => Buffer.alloc(100, n % 251);
    for (const each of [bucket, other]) {
      const writer = each.bulkWriter({ sorted: true });
      for (let n = 0; n < 20_000; n++)
        if (!writer.add(String(n).padStart(6, '0'), value(n))) await writer.drained();
      await writer.finish();
    }
    let n = 0;
    for await (const batch of bucket.range().batches()) {
      const first = batch.bytes.subarray(batch.valueStart(0), batch.valueStart(0) + batch.valueLength(0));
      // Drives the page out of the cache.
      if (n % 10 === 0) for (const _ of other.range({ limit: 5000 }));
      expect(first.equals(value(n))).to.equal(true);
      for (let i = 0; i < batch.length; i++, n++) {
        expect(batch.bytes[batch.valueStart(i)]).to.equal(n % 251);
        expect(batch.valueLength(i)).to.equal(100);
      }
      batch.bytes.fill(0xee);
      expect(batch.value(0).equals(value(n - batch.length))).to.equal(true);
    }
    expect(n).to.equal(20_000);
    n = 0;
    for (const [, found] of bucket.range()) expect(found.equals(value(n++))).to.equal(true);
  });

  it('refuse places outside of them', async () => {
    const db = await stores.openMemory();
    await db.bucket('rows').put('a', 'b');
    for (const batch of db.bucket('rows').range().batches())
      for (const index of [-1, 1])
        for (const read of ['key', 'value', 'keyLength', 'valueLength', 'valueStart'] as const)
          expect(() => batch[read](index)).to.throw(RangeError, `entry ${index} of a batch of 1`);
    raised('INVALID_OPTION', () => db.bucket('rows').range({ limit: -1 }));
  });
});
