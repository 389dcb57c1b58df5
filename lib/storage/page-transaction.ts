/**
 * A writer's view of the pages: it copies a page the first time it changes it, remembers what it
 * made and what it no longer needs, and can drop it all. Trees are changed through this.
 *
 * A page is this transaction's own, to be changed in place, if it carries the transaction's stamp and
 * is still only in memory. What was written to the file, even by this transaction, is copied again:
 * no page is written twice under one number and stamp.
 */
import { copyNode } from '../format/node-gap.js';
import {
  initPage,
  PAGE_NUMBER,
  PAGE_SEQUENCE_HIGH,
  PAGE_SEQUENCE_LOW,
  PAGE_STAMP,
  pageCorrupt,
  pageKind,
  pageNumberAt,
  pageSequence,
} from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import type { Extent, ValueExtents } from '../format/value-extents.js';
import type { BuildPages } from './build-pages.js';
import { NumberList } from './number-list.js';
import type { PageWriter } from './page-writer.js';
import type { Pager } from './pager.js';
import type { Snapshots } from './snapshots.js';
import type { Space } from './space.js';
import type { StoreFile } from './store-file.js';
import { readValueSequence } from './value-reader.js';

/** Stamps of one opening of the store differ by their sequences, those of two openings by chance. */
export function stampOf(salt: number, sequence: number): number {
  return (salt + sequence) >>> 0;
}

const TWO_32 = 0x1_0000_0000;
/** So many pages given up under the stamp that they were written under are worth another stamp. */
const STALE_PAGES_MAX = 256;

export class PageTransaction implements BuildPages {
  readonly memory: PageMemory;
  readonly pageSize: number;
  readonly pager: Pager;
  readonly writer: PageWriter;
  private readonly space: Space;
  private readonly salt: number;
  private readonly nextSequence: () => number;
  /** A page born up to this sequence may be needed by a snapshot or by the file, one born later only by some. */
  private readonly oldestNeeded: () => number;
  private readonly snapshots: Snapshots;
  private readonly firstSequence: number;
  private born = new NumberList();
  private freedPages = new NumberList();
  private freedBirths = new NumberList();
  /** Pages written, and given up again, under the present stamp: they can serve again under another. */
  private stalePages = new NumberList();
  private currentSequence: number;
  private currentStamp: number;

  constructor(
    pager: Pager,
    space: Space,
    writer: PageWriter,
    snapshots: Snapshots,
    salt: number,
    nextSequence: () => number,
    oldestNeeded: () => number = () => 0,
  ) {
    this.pager = pager;
    this.memory = pager.memory;
    this.pageSize = pager.pageSize;
    this.space = space;
    this.writer = writer;
    this.salt = salt;
    this.nextSequence = nextSequence;
    this.oldestNeeded = oldestNeeded;
    this.snapshots = snapshots;
    this.currentSequence = nextSequence();
    this.firstSequence = this.currentSequence;
    this.currentStamp = stampOf(salt, this.currentSequence);
  }

  get file(): StoreFile {
    return this.pager.file;
  }

  get sequence(): number {
    return this.currentSequence;
  }

  get stamp(): number {
    return this.currentStamp;
  }

  /** Pages made so far that no commit reaches yet. */
  get bornPages(): NumberList {
    return this.born;
  }

  get freed(): { pages: NumberList; births: NumberList } {
    this.settleStalePages();
    return { pages: this.freedPages, births: this.freedBirths };
  }

  /**
   * Fixes all that was changed so far for a reader inside the transaction: later changes copy. Returns
   * the sequence that the reader sees.
   */
  freeze(): number {
    const frozen = this.currentSequence;
    this.currentSequence = this.nextSequence();
    this.currentStamp = stampOf(this.salt, this.currentSequence);
    this.settleStalePages(frozen);
    return frozen;
  }

  load(page: number, stamp: number): number {
    return this.pager.load(page, stamp);
  }

  /** A new page, dirty, of which only the header is set; its kind's own `init` completes it. */
  create(kind: number): number {
    const page = this.space.allocate();
    this.born.push(page);
    this.pager.cache.discard(page);
    const base = this.pager.cache.takeDirty(page);
    initPage(this.memory, base, kind, page, this.currentStamp, this.currentSequence);
    return base;
  }

  isOwn(base: number): boolean {
    return this.memory.u32[(base + PAGE_STAMP) >>> 2] === this.currentStamp && this.pager.cache.isDirty(base);
  }

  /** Whether a page was our own before a `freeze` whose readers are gone, and was never written. */
  private isOwnAgain(base: number): boolean {
    const birth = pageSequence(this.memory, base);
    return (
      birth >= this.firstSequence &&
      this.pager.cache.isDirty(base) &&
      !this.snapshots.needs(birth, this.currentSequence)
    );
  }

  /** The base of a page that may be changed in place: the page itself if it is our own, else a copy. */
  writable(page: number, stamp: number): number {
    const base = this.pager.load(page, stamp);
    if (this.isOwn(base)) return base;
    if (this.isOwnAgain(base)) {
      this.setIdentity(base, page);
      return base;
    }
    const copy = this.create(pageKind(this.memory, base));
    const copyPage = pageNumberAt(this.memory, copy);
    // Making room for the copy may have dropped the original, so it is looked up again.
    const original = this.pager.load(page, stamp);
    const birth = pageSequence(this.memory, original);
    copyNode(this.memory, original, copy, this.pageSize);
    this.setIdentity(copy, copyPage);
    this.noteFreed(page, birth);
    return copy;
  }

  private setIdentity(base: number, page: number): void {
    this.memory.u32[(base + PAGE_NUMBER) >>> 2] = page;
    this.memory.u32[(base + PAGE_STAMP) >>> 2] = this.currentStamp;
    this.memory.u32[(base + PAGE_SEQUENCE_LOW) >>> 2] = this.currentSequence >>> 0;
    this.memory.u16[(base + PAGE_SEQUENCE_HIGH) >>> 1] = this.currentSequence / TWO_32;
  }

  /** Gives up a node that the tree no longer refers to. */
  freeNode(page: number, stamp: number): void {
    const base = this.pager.load(page, stamp);
    if (this.isOwn(base) || this.isOwnAgain(base)) {
      // No one else has seen it and the file has not: its number can serve again at once.
      this.pager.cache.discard(page);
      this.space.release(page);
    } else this.noteFreed(page, pageSequence(this.memory, base));
  }

  /**
   * Gives up a leaf without a read of the file. One that is in memory tells how old it is, which lets it serve
   * again the sooner; of any other no more is known than that it is no older than `since`.
   */
  freeLeaf(page: number, stamp: number, since: number): void {
    if (this.pager.hasVersion(page, stamp)) this.freeNode(page, stamp);
    else this.freeUnread(page, 1, since);
  }

  /**
   * Gives up the pages of a large value. Where it is younger than all that readers and the file need, it is
   * looked up how young, so that they can serve again the sooner.
   */
  freeValue(value: ValueExtents): void {
    const oldest = this.oldestNeeded();
    // A stamp of this opening tells the sequence; one of another may look like it, so the page is asked.
    const age = (value.stamp - stampOf(this.salt, oldest)) >>> 0;
    const isYoung = age > 0 && age <= this.currentSequence - oldest;
    const since = isYoung ? readValueSequence(this.file, this.pageSize, value) : 0;
    for (const { page, pages } of value.extents) this.freeUnread(page, pages, since);
  }

  /** Gives up pages without reading them; they are no older than `since`. */
  freeUnread(page: number, pages: number, since = 0): void {
    // Nothing has shown yet that there are such pages: a damaged reference must not free others.
    if (page + pages > this.space.pageCount)
      throw pageCorrupt(page, 'a tree refers to it, past the end of the file');
    for (let i = 0; i < pages; i++) {
      if (this.space.geometry.isFixed(page + i))
        throw pageCorrupt(page + i, 'a tree refers to it, but its place is kept for other use');
      if (since === this.currentSequence) this.stalePages.push(page + i);
      else this.noteFreed(page + i, since);
    }
  }

  /** Consecutive pages for content that goes straight to the file. */
  allocateRun(pagesMin: number, pagesMax: number): Extent {
    const extent = this.space.allocateRun(pagesMin, pagesMax);
    for (let i = 0; i < extent.pages; i++) {
      this.born.push(extent.page + i);
      this.pager.cache.discard(extent.page + i);
    }
    return extent;
  }

  /** Takes over a page that was made beside the transaction: it is free again if that is rolled back. */
  adopt(page: number): void {
    this.born.push(page);
  }

  /** Gives back the unused end of a run just allocated. */
  releaseRun(page: number, pages: number): void {
    for (let i = 0; i < pages; i++) this.space.release(page + i);
  }

  /**
   * Writes dirty pages to the file if too many are in memory, and lets those that were given up serve again.
   * Call where no base and no stamp is kept.
   */
  spillIfNeeded(): void {
    const cache = this.pager.cache;
    if (cache.dirtyFrames < cache.dirtyFramesMax) {
      if (this.stalePages.length >= STALE_PAGES_MAX) this.freeze();
      return;
    }
    this.writer.spill(cache);
    // Under another stamp from here on: then a page that was written now and is given up later can be
    // written again, as it is not the same version of it.
    this.freeze();
  }

  /**
   * Drops everything: the pages that were freed are not, and those that were made are free. They are
   * returned if a reader inside the transaction may still look at them (`held`), else available at once.
   */
  rollback(held: boolean): NumberList {
    const { born } = this;
    const kept = new NumberList();
    for (let i = 0; i < born.length; i++) {
      const page = born.at(i);
      // Given up along the way, and reserved since by work beside the transaction: no longer ours.
      if (this.space.isReserved(page)) continue;
      if (!held) {
        this.pager.cache.discard(page);
        this.space.release(page);
      } else if (!this.space.isFree(page)) {
        // One that was given up along the way is free already, and may be another's before the reader ends.
        this.space.free(page);
        kept.push(page);
      }
    }
    this.born = new NumberList();
    this.freedPages = new NumberList();
    this.freedBirths = new NumberList();
    this.stalePages = new NumberList();
    return kept;
  }

  private settleStalePages(birth = this.currentSequence): void {
    const pages = this.stalePages;
    if (pages.length === 0) return;
    this.stalePages = new NumberList();
    for (let i = 0; i < pages.length; i++) this.noteFreed(pages.at(i), birth);
  }

  private noteFreed(page: number, birth: number): void {
    if (this.isOursAlone(birth)) {
      this.pager.cache.discard(page);
      this.space.release(page);
      return;
    }
    this.freedPages.push(page);
    this.freedBirths.push(birth);
  }

  /** Whether a page that was made at `birth` is the transaction's, under an earlier stamp, and no reader has it. */
  private isOursAlone(birth: number): boolean {
    return (
      birth >= this.firstSequence &&
      birth < this.currentSequence &&
      !this.snapshots.needs(birth, this.currentSequence)
    );
  }
}
