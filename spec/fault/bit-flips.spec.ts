// Damage to a file, page by page: a flipped bit, zeros, pages in each other's places, older versions of pages, a file
// cut short. A sample of what `npm run fault:damage` goes through: every bit of the file, and every two pages.

import { expect } from 'chai';
import { StoreError } from '../../lib/errors.js';
import { Random } from '../helpers/random.js';
import { openBytes } from '../helpers/store-bytes.js';
import { bitsOf } from './damage-sample.js';
import { DamagedStore, PAGE_SIZE } from './damaged-store.js';
import { EveryBit, NotingFile } from './every-bit.js';
import { Observation } from './observation.js';
import { makeChecksumsRight, openUnchecked } from './unchecked-file.js';

const FLIPS_PER_PAGE = 3;

describe('damage', () => {
  let store: DamagedStore;
  before(async () => {
    store = await DamagedStore.make();
    const { known } = store;
    expect(known.read.levels).to.be.at.least(3);
    expect(new Set(known.read.uses.values()).size).to.equal(6);
    expect(known.previous).to.not.deep.equal(known.newest);
  });

  it('of any bit is found', async () => {
    for (let page = 0; page < store.pages; page++)
      for (const bit of bitsOf(page, FLIPS_PER_PAGE)) await store.flip(page, bit);
  }).timeout(60_000);

  it('of bits that a single read meets is found', async () => {
    const every = await EveryBit.open(store.known.bytes);
    let bits = 0;
    for (let page = 0; page < every.pages; page++)
      if (every.isInTree(page)) bits += every.flipAll(page, 211 + page);
    expect(bits).to.be.above(5000);
    const unread = await every.unreadPages();
    expect(unread.size).to.be.below(every.pages / 4);
    for (const page of unread) expect(store.known.isReached(page), `page ${page}`).to.equal(false);
    await every.close();
  });

  it('of a bit that a single read meets is told from a store that checks no checksums', async () => {
    class UncheckedNotingFile extends NotingFile {
      override readSync(target: Buffer, offset: number, length: number, position: number): number {
        const read = super.readSync(target, offset, length, position);
        makeChecksumsRight(target.subarray(offset, offset + read), position);
        return read;
      }
    }
    const every = await EveryBit.open(store.known.bytes, new UncheckedNotingFile('unchecked'));
    for (let page = 0; page < every.pages; page++)
      if (every.isInTree(page)) expect(() => every.flipAll(page), `page ${page}`).to.throw();
    await every.close();
  });

  it('by zeros in the place of a page is found', async () => {
    for (let page = 0; page < store.pages; page++) await store.zero(page);
  }).timeout(30_000);

  it('by two pages in each other\u2019s places is found', async () => {
    const random = Random.of(7, 20_251);
    for (let page = 0; page < store.pages; page++)
      for (const other of [(page + 1) % store.pages, random.below(store.pages)])
        await store.swap(page, other);
  }).timeout(30_000);

  it('by an older version of a page is found', async () => {
    let replaced = 0;
    for (const version of store.versions.slice(0, -1))
      for (let page = 0; page < store.pages; page++) if (await store.age(page, version)) replaced++;
    expect(replaced).to.be.at.least(20);
  }).timeout(30_000);

  it('by a cut at any page, or within it, is found', async () => {
    for (let pages = 0; pages < store.pages; pages++) {
      await store.cut(pages);
      await store.cut(pages, 1 + ((pages * 997) % (PAGE_SIZE - 1)));
    }
  }).timeout(30_000);

  it('is told from a store that checks no checksums', async () => {
    const unchecked = await DamagedStore.make(openUnchecked);
    let found = 0;
    for (let page = 2; page < unchecked.pages; page++) {
      for (const bit of bitsOf(page, 2)) {
        try {
          await unchecked.flip(page, bit);
        } catch {
          found++;
        }
      }
    }
    expect(found).to.be.above(unchecked.pages / 2);
  }).timeout(30_000);

  it('does not spread when the store is written', async () => {
    const { known } = store;
    let written = 0;
    for (let page = 0; page < known.pages; page++) {
      const damaged = Buffer.from(known.bytes);
      damaged[page * PAGE_SIZE + 40] ^= 1;
      const isFallback = page === known.newerMeta;
      const db = await openBytes(damaged);
      try {
        await db.bucket('written').put('key', 'value');
        written++;
        expect(db.bucket('written').get('key')?.toString()).to.equal('value');
        await db.dropBucket('written');
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        expect(error.code, `page ${page}: ${error.message}`).to.equal('PAGE_CORRUPT');
        expect(error.details.page).to.equal(page);
      }
      const observation = await new Observation(db, isFallback ? known.previous : known.newest).readAll();
      observation.expectNothingWrong(`page ${page}, after a write`);
      for (const { error } of observation.failures) expect(error.details.page).to.equal(page);
      const report = await db.check();
      // Meta pages are made anew; all else that was damaged and reached still is, or is still named.
      expect(report.ok, `page ${page}: the check`).to.equal(page < 2 || !known.isReached(page));
      await db.close();
    }
    expect(written).to.be.above(known.pages * 0.8);
  }).timeout(30_000);
});
