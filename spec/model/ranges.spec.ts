// Ranges against a filtered and sorted list: any keys, any bounds, both directions, every face.

import { expect } from 'chai';
import fc from 'fast-check';
import { expectEntries, type KeyShape, keyOf, keyShapes, numbered, patterned } from '../helpers/bytes.js';
import { ModelBucket } from '../helpers/model.js';
import { FACES } from '../helpers/ranges.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

const KEY_BYTES_MAX = 1024;

/** A bound: a key's bytes, perhaps with more behind than a key can have. */
interface BoundShape {
  readonly key: KeyShape;
  readonly more: number;
}

const bound: fc.Arbitrary<BoundShape> = fc.record({
  key: keyShapes(KEY_BYTES_MAX),
  more: fc.constantFrom(0, 0, 0, 1, 5000),
});

const bytesOf = ({ key, more }: BoundShape) =>
  Buffer.concat([keyOf(key, KEY_BYTES_MAX), Buffer.alloc(more, 0xff)]);

const ranges = fc.record(
  {
    gt: bound,
    gte: bound,
    lt: bound,
    lte: bound,
    prefix: bound,
    reverse: fc.boolean(),
    limit: fc.oneof(fc.nat(4), fc.nat(400)),
  },
  { requiredKeys: [] },
);

describe('a range has what a filter over all keys has', () => {
  const stores = useStores();

  it('whatever the keys and the bounds, by every face', async function () {
    this.timeout(scaledMilliseconds(60_000));
    const faces = Object.entries(FACES);
    const shapes = fc.array(keyShapes(KEY_BYTES_MAX), { maxLength: 150, size: 'max' });
    const asked = fc.array(fc.tuple(ranges, fc.nat(faces.length - 1)), {
      minLength: 1,
      maxLength: 60,
      size: 'max',
    });
    await fc.assert(
      fc
        .asyncProperty(shapes, fc.nat(400), fc.boolean(), asked, async (keys, more, loaded, questions) => {
          const db = await stores.openMemory({ cacheBytes: 1 });
          const model = new ModelBucket();
          keys.forEach((shape, i) => {
            model.put(keyOf(shape, KEY_BYTES_MAX), patterned(i % 40, i));
          });
          for (let i = 0; i < more; i++) model.put(numbered(i), patterned(i % 300, i));
          // Built from the bottom up, or one by one in another order.
          const writer = db.bucket('b').bulkWriter();
          if (loaded) for (const [key, value] of model.range()) writer.add(key, value);
          else for (const [key, value] of model.range({ reverse: true })) writer.add(key, value);
          await writer.finish();
          for (const [shape, face] of questions) {
            const { gt, gte, lt, lte, prefix, ...rest } = shape;
            const options: Record<string, unknown> = { ...rest };
            for (const [name, value] of Object.entries({ gt, gte, lt, lte, prefix }))
              if (value !== undefined) options[name] = bytesOf(value);
            const range = db.bucket('b').range(options);
            const expected = model.range(options);
            expect(range.count()).to.equal(expected.length);
            const [name, entriesOf] = faces[face];
            expectEntries(await entriesOf(range), expected, name);
            expect(range.first()?.[0]).to.deep.equal(expected[0]?.[0]);
          }
          await stores.close(db);
        })
        .afterEach(() => stores.abandon()),
      seeded(15),
    );
  });
});
