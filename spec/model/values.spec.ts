// Large values that come, change and go, so that free space is in pieces of every size: each keeps its bytes,
// for the latest reader and for those that came before.

import { expect } from 'chai';
import fc from 'fast-check';
import { numbered, patterned, valueLengths } from '../helpers/bytes.js';
import { ModelBucket } from '../helpers/model.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

describe('large values', () => {
  const stores = useStores();

  for (const pageSize of [4096, 65536] as const) {
    it(`keep their bytes while others come and go, pages of ${pageSize}`, async function () {
      this.timeout(scaledMilliseconds(60_000));
      const length = fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...valueLengths(pageSize)) },
        { weight: 3, arbitrary: fc.nat(20 * pageSize) },
        { weight: 1, arbitrary: fc.nat(1_000_000) },
      );
      const key = fc.nat(24);
      const step = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'stream' as const), key, length }),
        },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'let go' as const) }) },
      );
      const groups = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), {
        minLength: 1,
        maxLength: 25,
        size: 'max',
      });
      await fc.assert(
        fc
          .asyncProperty(groups, async (story) => {
            const db = await stores.open({ pageSize, cacheBytes: 1 });
            const model = new ModelBucket();
            const held: Array<{ check: () => void; release: () => void }> = [];
            let salt = 0;
            for (const group of story) {
              // What is in a group goes on at once, and no two of it are to one key.
              const distinct = group.filter(
                (one, i) =>
                  !('key' in one) ||
                  group.findIndex((other) => 'key' in other && other.key === one.key) === i,
              );
              await Promise.all(
                distinct.map(async (one) => {
                  if (one.do === 'hold') {
                    const snapshot = db.snapshot();
                    const state = snapshot.bucket('b').range().toArray();
                    const expected = state.map(
                      ([name, value]) => [name.toString(), Buffer.from(value)] as const,
                    );
                    const check = () => {
                      for (const [name, value] of expected)
                        expect(snapshot.bucket('b').get(name)?.equals(value), name).to.equal(true);
                    };
                    held.push({ check, release: () => snapshot.release() });
                  } else if (one.do === 'let go') {
                    const first = held.shift();
                    first?.check();
                    first?.release();
                  } else if (one.do === 'delete') {
                    const was = model.delete(numbered(one.key));
                    expect(await db.bucket('b').delete(numbered(one.key))).to.equal(was);
                  } else {
                    const value = patterned(one.length, salt++);
                    model.put(numbered(one.key), value);
                    if (one.do === 'put') await db.bucket('b').put(numbered(one.key), value);
                    else {
                      const stream = db.bucket('b').createValueWriteStream(numbered(one.key));
                      const finished = new Promise((resolve, reject) =>
                        stream.on('finish', resolve).on('error', reject),
                      );
                      for (let at = 0; at < value.length; at += 50_000)
                        stream.write(value.subarray(at, at + 50_000));
                      stream.end();
                      await finished;
                    }
                  }
                }),
              );
            }
            for (const { check, release } of held) {
              check();
              release();
            }
            for (let key = 0; key < 25; key++) {
              const found = db.bucket('b').get(numbered(key));
              const expected = model.get(numbered(key));
              expect(found?.length).to.equal(expected?.length);
              if (found !== undefined && expected !== undefined)
                expect(found.equals(expected), numbered(key)).to.equal(true);
            }
            await stores.close(db);
          })
          .afterEach(() => stores.abandon()),
        seeded(6),
      );
    });
  }
});
