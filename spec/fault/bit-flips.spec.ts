// Damage to a file, page by page: a flipped bit, zeros, pages in each other's places, older versions of pages, a file
// cut short. What is read is right, or of the commit before where a meta page is lost, or raises a StoreError that
// names the page; and a check finds all that can be reached.
//
// By default a few bits of each page, always the same ones. BTREE_STORE_FLIPS_PER_PAGE is how many; 'all' is every
// single bit of the file, and takes hours.

import { expect } from 'chai';
import type { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import { rejected } from '../helpers/errors.js';
import { everyPageStore } from '../helpers/every-page-store.js';
import { Random } from '../helpers/random.js';
import { openBytes } from '../helpers/store-bytes.js';
import { KnownStore, Observation } from './observation.js';

const PAGE_SIZE = 4096;
const given = process.env.BTREE_STORE_FLIPS_PER_PAGE ?? '3';
const everyBit = given === 'all';
const flipsPerPage = everyBit ? PAGE_SIZE * 8 : Number(given);

/** Bits of a page: of its header, its slots, its end, and anywhere. */
function* bitsOf(page: number): Generator<number> {
  if (everyBit) {
    for (let bit = 0; bit < PAGE_SIZE * 8; bit++) yield bit;
    return;
  }
  const random = Random.of(page, 20_251);
  const regions: ReadonlyArray<[from: number, to: number]> = [
    [0, 32],
    [32, 160],
    [PAGE_SIZE - 64, PAGE_SIZE],
    [0, PAGE_SIZE],
  ];
  for (let i = 0; i < flipsPerPage; i++) {
    const [from, to] = regions[i % regions.length];
    yield random.between(from * 8, to * 8 - 1);
  }
}

describe('damage', () => {
  let versions: Buffer[];
  let known: KnownStore;
  before(async () => {
    versions = await everyPageStore(PAGE_SIZE);
    known = new KnownStore(versions[versions.length - 1]);
    expect(known.read.levels).to.be.at.least(3);
    expect(new Set(known.read.uses.values()).size).to.equal(6);
    expect(known.previous).to.not.deep.equal(known.newest);
  });

  /** Reads all of a copy in which these pages are damaged; `where` says how, for messages. */
  async function expectHarmless(damaged: Buffer, pages: readonly number[], where: string): Promise<void> {
    if (damaged.equals(known.bytes)) return;
    if (pages.includes(0) && pages.includes(1)) {
      await rejected('PAGE_CORRUPT', openBytes(damaged));
      return;
    }
    const isFallback = pages.includes(known.newerMeta);
    const db = await openBytes(damaged, { readOnly: true });
    const observation = await new Observation(db, isFallback ? known.previous : known.newest).readAll();
    observation.expectNothingWrong(where);
    const inTree = pages.filter((page) => known.isInTree(page));
    for (const { what, error } of observation.failures) {
      expect(error.code, `${where}: ${what}`).to.equal('PAGE_CORRUPT');
      expect(inTree, `${where}: ${what}: ${error.message}`).to.include(error.details.page);
    }
    // A damaged page of a tree stands in the way of something: it is not passed over.
    if (inTree.length > 0 && !isFallback) expect(observation.failures.length, where).to.be.above(0);
    await expectChecked(db, pages, where);
    await db.close();
  }

  async function expectChecked(db: StoreDatabase, pages: readonly number[], where: string): Promise<void> {
    const report = await db.check();
    const reached = pages.filter((page) => known.isReached(page));
    expect(report.ok, `${where}: the check`).to.equal(reached.length === 0);
    if (pages.includes(known.newerMeta)) return;
    // Of two that are damaged one may hide the other, which is then not read.
    const named = report.problems.map(({ page }) => page);
    const findable = reached.filter((page) => page >= 2);
    if (findable.length > 0) expect(named, `${where}: pages that the check names`).to.include.oneOf(findable);
  }

  const pageOf = (bytes: Buffer, page: number): Buffer =>
    bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);

  it('of any bit is found', async () => {
    for (let page = 0; page < known.pages; page++) {
      for (const bit of bitsOf(page)) {
        const damaged = Buffer.from(known.bytes);
        damaged[page * PAGE_SIZE + (bit >>> 3)] ^= 1 << (bit & 7);
        await expectHarmless(damaged, [page], `bit ${bit} of page ${page} (${known.read.uses.get(page)})`);
      }
    }
  }).timeout(everyBit ? 0 : 60_000);

  it('by zeros in the place of a page is found', async () => {
    for (let page = 0; page < known.pages; page++) {
      const damaged = Buffer.from(known.bytes);
      pageOf(damaged, page).fill(0);
      await expectHarmless(damaged, [page], `page ${page} zeroed`);
    }
  }).timeout(30_000);

  it('by two pages in each other\u2019s places is found', async () => {
    const random = Random.of(7, 20_251);
    for (let page = 0; page < known.pages; page++) {
      for (const other of [(page + 1) % known.pages, random.below(known.pages)]) {
        const damaged = Buffer.from(known.bytes);
        pageOf(known.bytes, other).copy(damaged, page * PAGE_SIZE);
        pageOf(known.bytes, page).copy(damaged, other * PAGE_SIZE);
        await expectHarmless(damaged, [page, other], `pages ${page} and ${other} swapped`);
      }
    }
  }).timeout(30_000);

  it('by an older version of a page is found', async () => {
    let replaced = 0;
    for (const version of versions.slice(0, -1)) {
      for (let page = 0; page < Math.min(known.pages, version.length / PAGE_SIZE); page++) {
        const damaged = Buffer.from(known.bytes);
        pageOf(version, page).copy(damaged, page * PAGE_SIZE);
        if (damaged.equals(known.bytes)) continue;
        if (known.isReached(page)) replaced++;
        // Whole in itself, an older one of the older meta page is no damage that anyone could tell.
        if (page === 1 - known.newerMeta) continue;
        await expectOlderFound(damaged, page);
      }
    }
    expect(replaced).to.be.at.least(20);
  }).timeout(30_000);

  /** As for other damage; but an older meta page is whole, so that a check has nothing against it. */
  async function expectOlderFound(damaged: Buffer, page: number): Promise<void> {
    if (page !== known.newerMeta) {
      await expectHarmless(damaged, [page], `page ${page} as it was`);
      return;
    }
    const db = await openBytes(damaged, { readOnly: true });
    const observation = await new Observation(db, known.previous).readAll();
    observation.expectNothingWrong('the newer meta page as it was');
    expect(observation.failures).to.deep.equal([]);
    await db.close();
  }

  it('by a cut at any page is found', async () => {
    for (let pages = 2; pages < known.pages; pages++) {
      const db = await openBytes(known.bytes.subarray(0, pages * PAGE_SIZE), { readOnly: true });
      const observation = await new Observation(db, known.newest).readAll();
      observation.expectNothingWrong(`cut at ${pages}`);
      for (const { what, error } of observation.failures) {
        expect(error.code, `cut at ${pages}: ${what}`).to.equal('PAGE_CORRUPT');
        expect(error.details.page, `cut at ${pages}: ${what}`).to.be.at.least(pages);
      }
      const report = await db.check();
      const lost = [...known.read.uses.keys()].some((page) => page >= pages);
      if (lost) expect(report.ok, `cut at ${pages}`).to.equal(false);
      await db.close();
    }
  }).timeout(30_000);

  it('does not spread when the store is written', async () => {
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
