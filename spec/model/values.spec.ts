// Large values that come, change and go, so that free space is in pieces of every size: each keeps its bytes,
// for the latest reader and for those that came before.

import { pipeline } from 'node:stream/promises';
import type { Database, Snapshot } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { numbered, patterned, valueLengths } from '../helpers/bytes.js';
import { ModelBucket } from '../helpers/model.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

const KEYS = 25;

interface Step {
  readonly do: 'put' | 'stream' | 'delete' | 'hold' | 'let go';
  readonly key: number;
  readonly length: number;
}

/** Steps in groups that go on at once. */
function stories(pageSize: number): fc.Arbitrary<Step[][]> {
  const length = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...valueLengths(pageSize)) },
    { weight: 3, arbitrary: fc.nat(Math.min(20 * pageSize, 200_000)) },
    { weight: 1, arbitrary: fc.nat(1_000_000) },
  );
  const what = ['put', 'put', 'stream', 'stream', 'delete', 'delete', 'hold', 'let go'] as const;
  const step = fc.record({ do: fc.constantFrom(...what), key: fc.nat(KEYS - 1), length });
  // No two steps of a group are to one key: then it does not matter which comes first.
  const group = fc.uniqueArray(step, { minLength: 1, maxLength: 6, selector: ({ key }) => key });
  return fc.array(group, { minLength: 1, maxLength: 25, size: 'max' });
}

interface Held {
  readonly snapshot: Snapshot;
  readonly expected: ModelBucket;
}

class ValueStory {
  private readonly model = new ModelBucket();
  private readonly held: Held[] = [];
  private salt = 0;

  constructor(private readonly db: Database) {}

  async take(step: Step): Promise<void> {
    const key = numbered(step.key);
    const bucket = this.db.bucket('b');
    if (step.do === 'delete') {
      const was = this.model.delete(key);
      expect(await bucket.delete(key)).to.equal(was);
    } else if (step.do === 'put' || step.do === 'stream') {
      const value = patterned(step.length, this.salt++);
      this.model.put(key, value);
      if (step.do === 'put') await bucket.put(key, value);
      else await pipeline(pieces(value), bucket.createValueWriteStream(key));
    }
  }

  /** Snapshots come and go between the groups, where the model says what is committed. */
  holdOrLetGo(step: Step): void {
    if (step.do === 'hold') this.held.push({ snapshot: this.db.snapshot(), expected: this.model.clone() });
    else if (step.do === 'let go') this.letGo();
  }

  end(): void {
    while (this.held.length > 0) this.letGo();
    this.compare(this.db, this.model);
  }

  private letGo(): void {
    const first = this.held.shift();
    if (first === undefined) return;
    this.compare(first.snapshot, first.expected);
    first.snapshot.release();
  }

  private compare(from: Database | Snapshot, expected: ModelBucket): void {
    for (let index = 0; index < KEYS; index++) {
      const key = numbered(index);
      const found = from.bucket('b').get(key);
      const value = expected.get(key);
      expect(found?.length, key).to.equal(value?.length);
      if (value !== undefined) expect(found?.equals(value), key).to.equal(true);
    }
  }
}

function* pieces(value: Buffer): Generator<Buffer> {
  for (let at = 0; at < value.length; at += 50_000) yield value.subarray(at, at + 50_000);
}

describe('large values', () => {
  const stores = useStores();

  for (const pageSize of [4096, 65536] as const) {
    it(`keep their bytes while others come and go, pages of ${pageSize}`, async function () {
      this.timeout(scaledMilliseconds(60_000));
      await fc.assert(
        fc
          .asyncProperty(stories(pageSize), async (groups) => {
            const db = await stores.open({ pageSize, cacheBytes: 1 });
            const story = new ValueStory(db);
            for (const group of groups) {
              await Promise.all(group.map((step) => story.take(step)));
              for (const step of group) story.holdOrLetGo(step);
            }
            story.end();
            await stores.close(db);
          })
          .afterEach(() => stores.abandon()),
        seeded(3),
      );
    });
  }
});
