// Compaction: the file gets as short as its content allows, beside readers and writers, and loses nothing.

import fs from 'node:fs';
import { type Database, StoreError } from 'btree-store';
import { expect } from 'chai';
import { rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

const pad = (n: number): string => String(n).padStart(7, '0');

/** Loads entries, every hundredth with a large value, and deletes four of five again. */
async function makeHoles(db: Database, entries: number): Promise<Map<string, string>> {
  const model = new Map<string, string>();
  const writer = db.bucket('b').bulkWriter();
  for (let i = 0; i < entries; i++) {
    const value = i % 100 === 0 ? `large ${i}`.repeat(2000) : `value ${i}`.padEnd(80);
    model.set(pad(i), value);
    if (!writer.add(pad(i), value)) await writer.drained();
  }
  await writer.finish();
  await db.write((tx) => {
    for (let i = 0; i < entries; i++) {
      if (i % 5 === 0) continue;
      tx.bucket('b').delete(pad(i));
      model.delete(pad(i));
    }
  });
  return model;
}

function expectContent(db: Database, model: ReadonlyMap<string, string>): void {
  const found = db.bucket('b').range().toArray();
  expect(found.map(([key]) => key.toString())).to.deep.equal([...model.keys()].sort());
  for (const [key, value] of found) expect(value.toString()).to.equal(model.get(key.toString()));
}

describe('compact', () => {
  const stores = useStores();

  for (const pageSize of [4096, 65_536] as const) {
    it(`gives free space back, with pages of ${pageSize} bytes`, async () => {
      const db = await stores.open({ pageSize });
      const model = await makeHoles(db, 20_000);
      const before = fs.statSync(db.path).size;
      const report = await db.compact();
      const { pages, freePages } = db.stats();
      expect(report.pagesAfter).to.be.below(report.pagesBefore);
      expect(report.bytesFreed).to.equal((report.pagesBefore - report.pagesAfter) * pageSize);
      expect(freePages).to.be.at.most(32);
      expect(fs.statSync(db.path).size)
        .to.equal(pages * pageSize)
        .and.to.be.below(before);
      expectContent(db, model);
      expectContent(await stores.reopen(db), model);
    });
  }

  it('does nothing to a store that has no free space', async () => {
    const db = await stores.open();
    await db.bucket('b').put('a', 'x');
    const report = await db.compact();
    expect(report.pagesMoved).to.be.at.most(4);
    expect(report.pagesAfter).to.be.at.most(report.pagesBefore);
  });

  it('goes on beside readers and writers', async () => {
    const db = await stores.open();
    const model = await makeHoles(db, 20_000);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const [key] of db.bucket('b').range()) {
        seen.push(key.toString());
        if (seen.length % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const writing = (async () => {
      for (let i = 0; i < 50; i++) await db.bucket('other').put(pad(i), 'x');
    })();
    await Promise.all([db.compact(), reading, writing]);
    expect(seen).to.deep.equal([...model.keys()].sort());
    expect(db.bucket('other').range().count()).to.equal(50);
    expectContent(db, model);
  });

  it('leaves what a snapshot needs, and takes it later', async () => {
    const db = await stores.open();
    const writer = db.bucket('b').bulkWriter();
    for (let i = 0; i < 20_000; i++) if (!writer.add(pad(i), 'x'.repeat(80))) await writer.drained();
    await writer.finish();
    const snapshot = db.snapshot();
    await db.dropBucket('b');
    await db.compact();
    expect(snapshot.bucket('b').range().toArray().length).to.equal(20_000);
    snapshot.release();
    await db.compact();
    expect(db.stats().pages).to.be.below(40);
  });

  it('stops at its signal and leaves the store whole', async () => {
    const db = await stores.open();
    const model = await makeHoles(db, 5000);
    await rejected('ABORTED', db.compact({ signal: AbortSignal.abort(new Error('enough')) }));
    expectContent(db, model);
  });

  it('refuses options that are none', async () => {
    const db = await stores.openMemory();
    for (const options of [null, 7, { signal: 'x' }, { sgnal: undefined }])
      await rejected('INVALID_OPTION', Reflect.apply(db.compact, db, [options]));
    for (const arguments_ of [[Symbol('s')], [null], [''], ['copy.db', { signal: 1 }]])
      await rejected('INVALID_OPTION', Reflect.apply(db.backup, db, arguments_));
  });

  it('is refused by a read-only store', async () => {
    const db = await stores.open();
    await db.bucket('b').put('a', 'x');
    const reader = await stores.reopen(db, { readOnly: true });
    const error = await rejected('READ_ONLY', reader.compact());
    expect(error).to.be.instanceOf(StoreError);
  });
});

describe('close', () => {
  const stores = useStores();

  it('cuts free pages off the end of the file', async () => {
    const db = await stores.open();
    await db.write((tx) => {
      for (let i = 0; i < 20_000; i++) tx.bucket('b').put(pad(i), 'x'.repeat(80));
    });
    await db.dropBucket('b');
    await stores.close(db);
    expect(fs.statSync(db.path).size).to.be.below(20 * 4096);
  });
});
