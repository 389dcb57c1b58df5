// lib/stream/entry-iterable.ts: loops get one entry that is filled anew, streams and the functions behind them copies.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Bucket, type Database, type Entry, open } from 'btree-store';
import { expect } from 'chai';

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const EXPECTED = KEYS.map((key) => `${key},value of ${key}`);

type Entries = AsyncIterable<Entry> & Partial<Iterable<Entry>>;

async function* inPairs(entries: Entries): AsyncGenerator<Entry> {
  let held: Entry[] = [];
  for await (const entry of entries) {
    held.push(entry);
    if (held.length === 2) {
      yield* held;
      held = [];
    }
  }
  yield* held;
}

describe('a range that a stream looks at', () => {
  let db: Database;
  let bucket: Bucket;

  beforeEach(async () => {
    db = await open(':memory:');
    bucket = db.bucket('letters');
    for (const key of KEYS) await bucket.put(key, `value of ${key}`);
  });

  afterEach(async () => {
    expect((await db.check()).ok).to.equal(true);
    expect(db.stats().snapshots).to.equal(0);
    await db.close();
  });

  it('gives copies to a function that collects at the end of a pipeline', async () => {
    const found: Entry[] = [];
    await pipeline(bucket.range(), async (entries: Entries) => {
      for await (const entry of entries) found.push(entry);
    });
    expect(found.map(String)).to.deep.equal(EXPECTED);
  });

  it('gives copies to one that goes through it without waiting', async () => {
    const found: Entry[] = [];
    await pipeline(bucket.range(), async (entries: Entries) => {
      found.push(...(entries as unknown as Iterable<Entry>));
    });
    expect(found.map(String)).to.deep.equal(EXPECTED);
  });

  it('gives copies to a generator that holds some back', async () => {
    await pipeline(bucket.range(), inPairs, db.bucket('copy').bulkWriter());
    expect(db.bucket('copy').range().toArray().map(String)).to.deep.equal(EXPECTED);
  });

  for (const face of ['keys', 'values'] as const)
    it(`gives copies of ${face} to a function`, async () => {
      const found: Buffer[] = [];
      await pipeline(bucket.range()[face](), async (parts: AsyncIterable<Buffer>) => {
        for await (const part of parts) found.push(part);
      });
      const index = face === 'keys' ? 0 : 1;
      expect(found.map(String)).to.deep.equal(EXPECTED.map((entry) => entry.split(',')[index]));
    });

  it('gives copies to Readable.from and to a loop over what a stream has looked at', async () => {
    const range = bucket.range();
    expect((await Readable.from(range).toArray()).map(String)).to.deep.equal(EXPECTED);
    const found: Entry[] = [];
    for await (const entry of range) found.push(entry);
    expect(found.map(String)).to.deep.equal(EXPECTED);
  });

  it('gives a loop the same entry at each step', async () => {
    const found = new Set<Entry>();
    const range = bucket.range();
    for await (const entry of range) found.add(entry);
    expect(found.size).to.equal(1);
    found.clear();
    for (const entry of range) found.add(entry);
    expect(found.size).to.equal(1);
  });
});
