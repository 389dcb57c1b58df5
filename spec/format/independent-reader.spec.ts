// docs/format.md: a reader written from it alone reads what the library reads, byte for byte.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { open } from '../../lib/database.js';
import type { Database } from '../../lib/database-face.js';
import { PAGE_SIZES } from '../../lib/format/page.js';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { everyPageStore } from '../helpers/every-page-store.js';
import { openBytes } from '../helpers/store-bytes.js';
import { applyLog, type Contents, contentsOf } from './independent-log-reader.js';
import { crc32c, type ReadStore, readStore } from './independent-reader.js';

function count(store: ReadStore, use: string): number {
  return [...store.uses.values()].filter((found) => found === use).length;
}

/** Compares all that both can say of a store. */
async function expectSame(read: ReadStore, db: Database): Promise<void> {
  expect([...read.buckets.keys()]).to.deep.equal([...db.buckets()].map(({ name }) => name));
  for (const { name, entries } of db.buckets()) {
    const bucket = read.buckets.get(name);
    if (bucket === undefined) throw new Error(`no bucket ${name} was read`);
    expect(bucket.counted).to.equal(entries);
    expectEntries(bucket.entries, db.bucket(name).range().toArray(), name.slice(0, 20));
    for (const [key, value] of bucket.entries) expect(db.bucket(name).get(key)?.equals(value)).to.equal(true);
  }
  const { problems, pages } = await db.check();
  expect(problems).to.deep.equal([]);
  expect(pages.total).to.equal(read.pageCount);
  expect(pages.free).to.equal(read.free.size);
  expect(read.freePages).to.equal(read.free.size);
  expect([pages.leaf, pages.branch, pages.value]).to.deep.equal([
    count(read, 'leaf'),
    count(read, 'branch'),
    count(read, 'value'),
  ]);
  for (const page of read.free) expect(read.uses.has(page), `free page ${page}`).to.equal(false);
  // Both meta pages, and a pair each of map and directory: what is left is reached or free.
  expect(read.uses.size + read.free.size + 3).to.equal(read.pageCount);
  const { sequence, pageSize } = db.stats();
  expect([read.sequence, read.pageSize]).to.deep.equal([sequence, pageSize]);
}

describe('a reader written from docs/format.md', () => {
  it('knows the checksum', () => expect(crc32c(Buffer.from('123456789'))).to.equal(0xe306_9283));

  for (const pageSize of PAGE_SIZES) {
    it(`reads every kind of page, of ${pageSize} bytes, after each commit`, async () => {
      const versions = await everyPageStore(pageSize);
      for (const bytes of versions) {
        const db = await openBytes(bytes, { readOnly: true });
        await expectSame(readStore(bytes), db);
        await db.close();
      }
      const last = readStore(versions[versions.length - 1]);
      for (const use of ['meta', 'leaf', 'branch', 'value', 'map', 'directory'])
        expect(count(last, use), use).to.be.at.least(1);
      expect(last.levels).to.be.at.least(3);
      expect(last.free.size).to.be.at.least(3);
      expect(last.buckets.get('empty')?.entries).to.deep.equal([]);
      expect(JSON.parse(last.buckets.get('loaded')?.checkpoint ?? '{}')).to.deep.equal({
        source: { offset: 300 },
      });
      expect(last.buckets.get('wide')?.checkpoint).to.equal(undefined);
      expect(last.generation).to.be.above(readStore(versions[0]).generation);
    });
  }

  it('reads what a large load made', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'independent-reader-'));
    const db = await open(path.join(folder, 'store'));
    const load = db.bucket('b').bulkWriter();
    for (let i = 0; i < 20_000; i++) load.add(numbered(i), patterned(i % 50, i));
    await load.finish();
    await db.close();
    const again = await open(db.path, { readOnly: true });
    await expectSame(readStore(fs.readFileSync(db.path)), again);
    await again.close();
    fs.rmSync(folder, { recursive: true });
  });

  it('reads the commits that stand in the log only', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'independent-reader-'));
    const db = await open(path.join(folder, 'store'));
    await db.write((tx) => {
      for (let i = 0; i < 50; i++) tx.bucket('b').put(numbered(i), patterned(i, i));
    });
    await db.bucket('b').put('ü', 'value');
    await db.bucket('other').put('', patterned(3000, 5));
    await db.bucket('b').delete(numbered(3));
    await db.createBucket('new');
    await db.write((tx) => {
      tx.bucket('b').deleteRange({ gt: numbered(10), lte: numbered(20) });
      tx.bucket('b').deleteRange({ gte: numbered(40), lt: numbered(45) });
      tx.dropBucket('other');
      tx.bucket('third').put('k', 'v');
    });
    const file = fs.readFileSync(db.path);
    const log = fs.readFileSync(`${db.path}.pending`);
    await db.close();
    const read = readStore(file);
    const contents: Contents = contentsOf(read);
    expect(applyLog(read, log, contents, crc32c)).to.equal(6);
    const again = await open(db.path, { readOnly: true });
    const expected: Contents = new Map();
    for (const { name } of again.buckets())
      expected.set(
        name,
        new Map(
          again
            .bucket(name)
            .range()
            .toArray()
            .map(([key, value]) => [key.toString('latin1'), value]),
        ),
      );
    const sorted = (all: Contents): unknown =>
      [...all]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, map]) => [name, [...map].sort(([a], [b]) => (a < b ? -1 : 1))]);
    expect(sorted(contents)).to.deep.equal(sorted(expected));
    await again.close();
    fs.rmSync(folder, { recursive: true });
  });
});
