// lib/storage/page-transaction.ts: which pages a writer may change in place, and what becomes of those it made.

import { expect } from 'chai';
import { initLeaf, insertLeafEntry } from '../../lib/format/leaf.js';
import { KIND_LEAF, pageNumberAt, pageSequence, pageStamp } from '../../lib/format/page.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { PageTransaction } from '../../lib/storage/page-transaction.js';
import type { Store } from '../../lib/storage/store.js';
import { patterned } from '../helpers/bytes.js';
import { raised } from '../helpers/errors.js';
import { openFile, openFileStore } from '../helpers/store-bytes.js';

async function newStore(): Promise<Store> {
  return (await openFileStore(new MemoryFile())).store;
}

/** A new leaf that holds `word`; returns its page. */
function createLeaf(pages: PageTransaction, word: number): number {
  const base = pages.create(KIND_LEAF);
  const page = pageNumberAt(pages.memory, base);
  initLeaf(pages.memory, base, pages.pageSize, page, pages.stamp, pages.sequence);
  const value = insertLeafEntry(pages.memory, base, 0, Buffer.from('k'), 1, 4, false);
  pages.memory.u32[value >>> 2] = word;
  return page;
}

const wordAt = (pages: PageTransaction, base: number): number =>
  pages.memory.u32[(base + pages.pageSize - 4) >>> 2];

describe('page transaction', () => {
  it('changes in place what it made itself', async () => {
    const pages = (await newStore()).begin(false);
    const page = createLeaf(pages, 1);
    const base = pages.load(page, pages.stamp);
    expect(pages.isOwn(base)).to.equal(true);
    expect(pages.writable(page, pages.stamp)).to.equal(base);
    expect(pages.freed.pages.length).to.equal(0);
  });

  it('copies a page that a reader inside it looks at, and no longer once the reader is gone', async () => {
    const store = await newStore();
    const pages = store.begin(false);
    const page = createLeaf(pages, 1);
    const oldStamp = pages.stamp;
    const seen = pages.freeze();
    store.snapshots.pin(seen);
    const copy = pages.writable(page, oldStamp);
    expect(pageNumberAt(pages.memory, copy)).to.not.equal(page);
    expect([pageStamp(pages.memory, copy), pageSequence(pages.memory, copy)]).to.deep.equal([
      pages.stamp,
      pages.sequence,
    ]);
    pages.memory.u32[(copy + pages.pageSize - 4) >>> 2] = 2;
    expect(wordAt(pages, pages.load(page, oldStamp)), 'what the reader sees').to.equal(1);
    expect(wordAt(pages, copy)).to.equal(2);
    store.snapshots.unpin(seen);
    const other = createLeaf(pages, 3);
    const otherStamp = pages.stamp;
    pages.freeze();
    // Nobody looks: the page is its own again, under the new stamp.
    const again = pages.writable(other, otherStamp);
    expect(pageNumberAt(pages.memory, again)).to.equal(other);
    expect(pageStamp(pages.memory, again)).to.equal(pages.stamp);
  });

  it('copies a page that was written to the file, even one that it made itself', async () => {
    const store = await newStore();
    const pages = store.begin(false);
    const first = createLeaf(pages, 1);
    const { stamp } = pages;
    for (let i = 0; i < 200; i++) {
      pages.spillIfNeeded();
      createLeaf(pages, i);
    }
    expect(pages.isOwn(pages.load(first, stamp))).to.equal(false);
    const copy = pages.writable(first, stamp);
    expect(pageNumberAt(pages.memory, copy)).to.not.equal(first);
    expect(wordAt(pages, copy)).to.equal(1);
    // Nobody else has seen it: its number serves again, under a stamp that was not written there yet.
    expect(pages.stamp).to.not.equal(stamp);
    expect(store.space.isFree(first)).to.equal(true);
    expect(createLeaf(pages, 300)).to.equal(first);
  });

  it('uses the number of a page again at once that it made and gave up', async () => {
    const store = await newStore();
    const pages = store.begin(false);
    const page = createLeaf(pages, 1);
    pages.freeNode(page, pages.stamp);
    expect(store.space.isFree(page)).to.equal(true);
    expect(createLeaf(pages, 2)).to.equal(page);
  });

  it('gives all back that it made when it is rolled back', async () => {
    const store = await newStore();
    const pages = store.begin(false);
    for (let i = 0; i < 100; i++) createLeaf(pages, i);
    pages.allocateRun(5, 5);
    const used = store.space.freePages;
    store.rollback(pages);
    expect(store.space.freePages).to.equal(used + 105);
    expect(store.pager.cache.dirtyFrames).to.equal(0);
    expect(store.heldPages).to.equal(0);
  });

  it('keeps what it made, when it is rolled back, as long as a reader inside it looks at it', async () => {
    const store = await newStore();
    const pages = store.begin(false);
    const page = createLeaf(pages, 1);
    const stamp = pages.stamp;
    const seen = pages.freeze();
    store.snapshots.pin(seen);
    store.rollback(pages);
    expect(store.heldPages).to.equal(1);
    const next = store.begin(false);
    for (let i = 0; i < 50; i++) expect(createLeaf(next, 100 + i)).to.not.equal(page);
    expect(wordAt(next, next.load(page, stamp))).to.equal(1);
    store.snapshots.unpin(seen);
    expect(store.heldPages).to.equal(0);
    expect(createLeaf(next, 200)).to.equal(page);
  });

  it('does not take a page from others that it gave up before it was rolled back', async () => {
    const db = await openFile(new MemoryFile());
    const keyOf = (index: number): string => `k${String(index).padStart(5, '0')}`;
    const tx = await db.begin();
    for (let i = 0; i < 2000; i++) tx.bucket('b').put(keyOf(i), patterned(100, i));
    for (let i = 0; i < 1990; i++) tx.bucket('b').delete(keyOf(i));
    const reader = tx.bucket('b').range()[Symbol.iterator]();
    reader.next();
    await tx.rollback();
    // The pages that the deletes gave up are used by others while the reader is still there.
    const fill = (bucket: string, salt: number): Promise<void> =>
      db.write((other) => {
        for (let i = 0; i < 500; i++) other.bucket(bucket).put(keyOf(i), patterned(100, salt + i));
      });
    await fill('c', 1);
    reader.return?.();
    await fill('d', 2);
    expect((await db.check()).problems).to.deep.equal([]);
    for (let i = 0; i < 500; i++)
      expect(
        db
          .bucket('c')
          .get(keyOf(i))
          ?.equals(patterned(100, 1 + i)),
        keyOf(i),
      ).to.equal(true);
    await db.close();
  });

  it('frees no page for a reference that cannot be right', async () => {
    const store = await newStore();
    const pages = store.begin(false);
    const run = pages.allocateRun(10, 10);
    for (const [page, count] of [
      [0, 1],
      [2, 1],
      [4, 3],
      [run.page, 11],
      [store.space.pageCount, 1],
      [0xffff_ffff, 0xffff_ffff],
    ])
      raised('PAGE_CORRUPT', () => pages.freeUnread(page, count));
    const before = pages.freed.pages.length;
    pages.freeUnread(run.page, 10);
    expect(pages.freed.pages.length - before).to.equal(10);
  });
});
