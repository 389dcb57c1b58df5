// Damage to a store's file, page by page: what is read is right, or of the commit before where a meta page is lost, or
// raises a StoreError that names the page; and a check finds all that can be reached.

import { expect } from 'chai';
import type { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import { raised, rejected } from '../helpers/errors.js';
import { everyPageStore } from '../helpers/every-page-store.js';
import { openBytes } from '../helpers/store-bytes.js';
import { KnownStore, Observation } from './observation.js';

export const PAGE_SIZE = 4096;
export const PAGE_BITS = PAGE_SIZE * 8;

/** Opens a store in these bytes. */
export type OpenBytes = (bytes: Uint8Array, options?: { readOnly?: boolean }) => Promise<StoreDatabase>;

/** How much is read of a damaged copy, beside its check. */
export type Extent = 'all' | 'some';

const pageOf = (bytes: Buffer, page: number): Buffer =>
  bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);

export class DamagedStore {
  /** The file after each of several commits; the last of them is the one that is damaged. */
  readonly versions: readonly Buffer[];
  readonly known: KnownStore;
  /** Damaged files that were looked at. */
  images = 0;
  private readonly open: OpenBytes;

  private constructor(versions: readonly Buffer[], open: OpenBytes) {
    this.versions = versions;
    this.known = new KnownStore(versions[versions.length - 1]);
    this.open = open;
  }

  static async make(open: OpenBytes = openBytes): Promise<DamagedStore> {
    return new DamagedStore(await everyPageStore(PAGE_SIZE), open);
  }

  get pages(): number {
    return this.known.pages;
  }

  async flip(page: number, bit: number, extent: Extent = 'all'): Promise<void> {
    const damaged = Buffer.from(this.known.bytes);
    damaged[page * PAGE_SIZE + (bit >>> 3)] ^= 1 << (bit & 7);
    await this.expectHarmless(
      damaged,
      [page],
      `bit ${bit} of page ${page} (${this.known.read.uses.get(page)})`,
      extent,
    );
  }

  async zero(page: number): Promise<void> {
    const damaged = Buffer.from(this.known.bytes);
    pageOf(damaged, page).fill(0);
    await this.expectHarmless(damaged, [page], `page ${page} zeroed`);
  }

  async swap(page: number, other: number): Promise<void> {
    const { bytes } = this.known;
    const damaged = Buffer.from(bytes);
    pageOf(bytes, other).copy(damaged, page * PAGE_SIZE);
    pageOf(bytes, page).copy(damaged, other * PAGE_SIZE);
    await this.expectHarmless(damaged, [page, other], `pages ${page} and ${other} swapped`);
  }

  /** Puts a page back as it was in an earlier version; returns whether that is a damage to a page that is reached. */
  async age(page: number, version: Buffer): Promise<boolean> {
    const { known } = this;
    const damaged = Buffer.from(known.bytes);
    if (version.length < (page + 1) * PAGE_SIZE) return false;
    pageOf(version, page).copy(damaged, page * PAGE_SIZE);
    if (damaged.equals(known.bytes)) return false;
    // Whole in itself, an older one of the older meta page is no damage that anyone could tell.
    if (page !== 1 - known.newerMeta) await this.expectOlderFound(damaged, page);
    return known.isReached(page);
  }

  /** As for other damage; but an older meta page is whole, so that a check has nothing against it. */
  private async expectOlderFound(damaged: Buffer, page: number): Promise<void> {
    const { known } = this;
    if (page !== known.newerMeta) {
      await this.expectHarmless(damaged, [page], `page ${page} as it was`);
      return;
    }
    this.images++;
    const db = await this.open(damaged, { readOnly: true });
    const observation = await new Observation(db, known.previous).readAll();
    observation.expectNothingWrong('the newer meta page as it was');
    expect(observation.failures).to.deep.equal([]);
    await db.close();
  }

  /** Cuts the file off, so that it has so many pages, and perhaps a part of one more. */
  async cut(pages: number, more = 0): Promise<void> {
    const { known } = this;
    this.images++;
    const bytes = known.bytes.subarray(0, pages * PAGE_SIZE + more);
    const where = `cut at page ${pages}, byte ${more}`;
    await this.expectCutRefused(bytes, where);
    if (pages < 2) return;
    const db = await this.open(bytes, { readOnly: true });
    const observation = await new Observation(db, known.newest).readAll();
    observation.expectNothingWrong(where);
    for (const { what, error } of observation.failures) {
      expect(error.code, `${where}: ${what}`).to.equal('PAGE_CORRUPT');
      expect(error.details.page, `${where}: ${what}`).to.be.at.least(pages);
    }
    const report = await db.check();
    const lost = [...known.read.uses.keys()].some((page) => page >= pages);
    if (lost) expect(report.ok, where).to.equal(false);
    await db.close();
  }

  /** To write to such a file is refused; without both meta pages nothing is read of it either. */
  private async expectCutRefused(bytes: Buffer, where: string): Promise<void> {
    if (bytes.length < PAGE_SIZE) {
      await this.expectRefused(bytes, true, where);
      // An empty file is as good as none: a new store is made in it.
      if (bytes.length > 0) await this.expectRefused(bytes, false, where);
      return;
    }
    await rejected('PAGE_CORRUPT', this.open(bytes));
    if (bytes.length >= 2 * PAGE_SIZE) return;
    // One meta page is left: what it reaches is not in the file, and raises.
    const db = await this.open(bytes, { readOnly: true });
    raised('PAGE_CORRUPT', () => [...db.buckets()]);
    expect((await db.check()).ok, where).to.equal(false);
    await db.close();
  }

  /** Of a page that is not whole nobody can tell what it was, or perhaps that it was a store. */
  private async expectRefused(bytes: Buffer, readOnly: boolean, where: string): Promise<void> {
    try {
      await this.open(bytes, { readOnly });
    } catch (error) {
      expect(error, where).to.be.an.instanceof(StoreError);
      expect(error, where).to.have.property('code').that.is.oneOf(['NOT_A_STORE', 'PAGE_CORRUPT']);
      return;
    }
    expect.fail(`${where}: it was opened`);
  }

  /** Reads all of a copy in which these pages are damaged; `where` says how, for messages. */
  private async expectHarmless(
    damaged: Buffer,
    pages: readonly number[],
    where: string,
    extent: Extent = 'all',
  ): Promise<void> {
    const { known } = this;
    if (damaged.equals(known.bytes)) return;
    this.images++;
    if (pages.includes(0) && pages.includes(1)) {
      await rejected('PAGE_CORRUPT', this.open(damaged));
      return;
    }
    const isFallback = pages.includes(known.newerMeta);
    const db = await this.open(damaged, { readOnly: true });
    const observation = new Observation(db, isFallback ? known.previous : known.newest);
    if (extent === 'all') await observation.readAll();
    else observation.readSome();
    observation.expectNothingWrong(where);
    const inTree = pages.filter((page) => known.isInTree(page, isFallback));
    for (const { what, error } of observation.failures) {
      expect(error.code, `${where}: ${what}`).to.equal('PAGE_CORRUPT');
      expect(inTree, `${where}: ${what}: ${error.message}`).to.include(error.details.page);
    }
    // A damaged page of a tree stands in the way of something: it is not passed over.
    if (inTree.length > 0 && extent === 'all') expect(observation.failures.length, where).to.be.above(0);
    await this.expectChecked(db, pages, where);
    await db.close();
  }

  private async expectChecked(db: StoreDatabase, pages: readonly number[], where: string): Promise<void> {
    const { known } = this;
    const report = await db.check();
    const reached = pages.filter((page) => known.isReached(page));
    expect(report.ok, `${where}: the check`).to.equal(reached.length === 0);
    if (pages.includes(known.newerMeta)) return;
    // Of two that are damaged one may hide the other, which is then not read.
    const named = report.problems.map(({ page }) => page);
    const findable = reached.filter((page) => page >= 2);
    if (findable.length > 0) expect(named, `${where}: pages that the check names`).to.include.oneOf(findable);
  }
}
