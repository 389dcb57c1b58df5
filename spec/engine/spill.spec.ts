// Transactions that are larger than what memory may hold of them: what was written along the way and
// replaced is used again within the transaction, so the file grows with what it holds in the end.

import { expect } from 'chai';
import { StoreDatabase } from '../../lib/database.js';
import { openMemoryStore } from '../../lib/storage/store-open.js';

const KEYS = 3000;

/** A store that writes pages out as soon as 64 of them are changed. */
async function openSpilling(): Promise<StoreDatabase> {
  const { store, recovery } = await openMemoryStore({
    readOnly: false,
    create: true,
    pageSize: 4096,
    cacheBytesMax: 1,
    dirtyBytesMax: 1,
    durable: false,
  });
  return new StoreDatabase(store, recovery);
}

/** Each key in turn, in an order that jumps about, `rounds` times. */
function* scattered(rounds: number): Generator<string> {
  for (let i = 0; i < KEYS * rounds; i++) yield String((i * 1009) % KEYS).padStart(8, '0');
}

describe('a transaction larger than memory', () => {
  it('grows the file by what it leaves, not by what it wrote', async () => {
    const db = await openSpilling();
    await db.write((tx) => {
      for (const key of scattered(12)) tx.bucket('b').put(key, key.padEnd(100));
    });
    const { pagesWritten, pages } = db.stats();
    expect(pagesWritten).to.be.above(5000);
    expect(pages).to.be.below(500);
    expect((await db.check()).problems).to.deep.equal([]);
    expect(db.bucket('b').range().count()).to.equal(KEYS);
    await db.close();
  });

  it('keeps what a reader inside it looks at', async () => {
    const db = await openSpilling();
    await db.write((tx) => {
      const bucket = tx.bucket('b');
      for (const key of scattered(1)) bucket.put(key, 'first');
      const reader = bucket.range()[Symbol.iterator]();
      reader.next();
      for (const key of scattered(4)) bucket.put(key, 'second'.padEnd(200));
      let seen = 1;
      for (let step = reader.next(); step.done !== true; step = reader.next(), seen++)
        expect(step.value[1].toString()).to.equal('first');
      expect(seen).to.equal(KEYS);
    });
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });

  it('does not take back, when it is rolled back, pages that a value streamed beside it has taken since', async () => {
    const db = await openSpilling();
    const tx = await db.begin();
    for (const key of scattered(1)) tx.bucket('b').put(key, key.padEnd(150));
    tx.bucket('b').deleteRange({});
    const upload = db.bucket('files').createValueWriteStream('a');
    const value = Buffer.alloc(300_000, 7);
    upload.write(value);
    await tx.rollback();
    await db.write((next) => {
      for (const key of scattered(1)) next.bucket('b').put(key, key.padEnd(150));
    });
    upload.end();
    await new Promise((resolve) => upload.once('close', resolve));
    expect(db.bucket('files').get('a')?.equals(value)).to.equal(true);
    expect(db.bucket('b').range().count()).to.equal(KEYS);
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });
});
