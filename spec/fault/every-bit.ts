// Every single bit of a small store's pages, each flipped alone: a read that goes through the page raises, and names it.
// The store stays open and is made to forget the page before each read, which is what lets every bit have its turn; the
// two meta pages, and what only a check reads, are read by openings and checks of damaged copies.

import { expect } from 'chai';
import { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { OpenedStore } from '../../lib/storage/store-open.js';
import { openFileStore } from '../helpers/store-bytes.js';
import { PAGE_BITS, PAGE_SIZE } from './damaged-store.js';
import { KnownStore, Observation } from './observation.js';

/** A file that notes which pages are read. */
export class NotingFile extends MemoryFile {
  readonly pages = new Set<number>();

  override readSync(target: Buffer, offset: number, length: number, position: number): number {
    for (let at = position; at < position + length; at += PAGE_SIZE) this.pages.add(at / PAGE_SIZE);
    return super.readSync(target, offset, length, position);
  }

  flip(page: number, bit: number): void {
    const at = page * PAGE_SIZE + (bit >>> 3);
    const byte = Buffer.alloc(1);
    super.readSync(byte, 0, 1, at);
    byte[0] ^= 1 << (bit & 7);
    this.writeSync(byte, 0, 1, at);
  }
}

const openReadOnly = (file: NotingFile): Promise<OpenedStore> => openFileStore(file, { readOnly: true });

/** A read of one entry, and what it must give. */
interface Lookup {
  readonly bucket: string;
  readonly key: Buffer;
  readonly value: Buffer;
}

export class EveryBit {
  private readonly known: KnownStore;
  private readonly file: NotingFile;
  private readonly opened: OpenedStore;
  private readonly db: StoreDatabase;
  /** For each page of a tree, an entry whose read goes through it. */
  private readonly lookups = new Map<number, Lookup>();

  private constructor(known: KnownStore, file: NotingFile, opened: OpenedStore) {
    this.known = known;
    this.file = file;
    this.opened = opened;
    this.db = new StoreDatabase(opened.store, opened.recovery);
  }

  static async open(bytes: Buffer, file = new NotingFile('bits')): Promise<EveryBit> {
    file.writeSync(bytes, 0, bytes.length, 0);
    const every = new EveryBit(new KnownStore(bytes), file, await openReadOnly(file));
    every.findLookups();
    return every;
  }

  get pages(): number {
    return this.known.pages;
  }

  /** Whether the page is one of a tree: then each of its bits can be read alone. */
  isInTree(page: number): boolean {
    return this.known.isInTree(page);
  }

  /** The pages that an opening, all reads and a check do not touch: no bit of them matters. */
  async unreadPages(): Promise<Set<number>> {
    this.forgetAll();
    this.file.pages.clear();
    const again = await openReadOnly(this.file);
    const db = new StoreDatabase(again.store, again.recovery);
    const observation = await new Observation(db, this.known.newest).readAll();
    observation.expectNothingWrong('undamaged');
    expect(observation.failures).to.deep.equal([]);
    expect((await db.check()).ok).to.equal(true);
    await db.close();
    const unread = new Set(Array.from({ length: this.pages }, (_, page) => page));
    for (const page of this.file.pages) unread.delete(page);
    return unread;
  }

  private forgetAll(): void {
    for (let page = 0; page < this.pages; page++) this.opened.store.pager.cache.discard(page);
  }

  private findLookups(): void {
    for (const [bucket, entries] of this.known.newest) {
      for (const [text, value] of entries) {
        const lookup = { bucket, key: Buffer.from(text, 'latin1'), value };
        this.forgetAll();
        this.file.pages.clear();
        this.expectRight(lookup);
        for (const page of this.file.pages) if (!this.lookups.has(page)) this.lookups.set(page, lookup);
      }
    }
  }

  private read({ bucket, key }: Lookup): Buffer | undefined {
    return this.db.bucket(bucket).get(key);
  }

  private expectRight(lookup: Lookup): void {
    expect(this.read(lookup)?.equals(lookup.value), `${lookup.bucket}: its value`).to.equal(true);
  }

  /** Flips every `step`th bit of a page of a tree, one at a time; returns how many. Raises if one is not found. */
  flipAll(page: number, step = 1): number {
    const lookup = this.lookups.get(page);
    if (lookup === undefined) throw new Error(`no entry is read by way of page ${page}`);
    const { cache } = this.opened.store.pager;
    let flips = 0;
    for (let bit = 0; bit < PAGE_BITS; bit += step, flips++) {
      this.file.flip(page, bit);
      cache.discard(page);
      this.expectFound(lookup, page, bit);
      this.file.flip(page, bit);
    }
    cache.discard(page);
    this.expectRight(lookup);
    return flips;
  }

  private expectFound(lookup: Lookup, page: number, bit: number): void {
    const where = `bit ${bit} of page ${page} (${this.known.read.uses.get(page)})`;
    try {
      this.read(lookup);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === 'PAGE_CORRUPT' && error.details.page === page) return;
      throw new Error(`${where}: ${error.code} ${error.message}`, { cause: error });
    }
    throw new Error(`${where}: it was read all the same`);
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}
