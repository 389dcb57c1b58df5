/**
 * Writes pages from memory to the file: seals them, gathers neighbours into long requests, and
 * counts what it wrote.
 */
import { clearGap } from '../format/node-gap.js';
import { PAGE_NUMBER, pageNumberAt, pageSequence, sealPage } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import type { PageCache } from './page-cache.js';
import type { StoreFile } from './store-file.js';

/** One request's bytes at the most; longer ones gain nothing and hold more memory. */
const STAGING_BYTES = 1 << 20;

export interface WriteCounts {
  pagesWritten: number;
  bytesWritten: number;
  syncs: number;
}

/** Pages laid side by side for one request, up to the one that comes next. */
interface Staged {
  readonly first: number;
  readonly pages: number;
  readonly next: number;
}

/** How far the checkpoint under way has come: of what it writes, the pages below `from` are in the file. */
interface Progress {
  readonly sequence: number;
  readonly from: number;
  /** The end of the request in flight. */
  readonly to: number;
}

const NOTHING_WRITTEN: Progress = { sequence: -1, from: 0, to: 0 };

export class PageWriter {
  readonly counts: WriteCounts = { pagesWritten: 0, bytesWritten: 0, syncs: 0 };
  private readonly file: StoreFile;
  private readonly pageSize: number;
  // Two, since a transaction may spill while a checkpoint's request is in flight.
  private checkpointStaging: PageMemory | undefined;
  private spillStaging: PageMemory | undefined;
  private progress: Progress | undefined;
  private readonly unsyncedBytesMax: number;
  private readonly onSyncFailure: (error: unknown) => void;
  /** What runs have written since the last sync began. */
  private unsyncedBytes = 0;
  /** The last sync ahead; one that failed stays here, as the system tells of it once only. */
  private ahead: Promise<void> | undefined;
  /**
   * One at a time: of two syncs of a file the system tells one alone what failed, and that need not be the one that
   * waits for it. After one that failed none begins.
   */
  private isSyncing = false;

  /**
   * Past `unsyncedBytesMax` of runs a sync begins beside them; `onSyncFailure` learns of one that failed, which
   * no one may be waiting for.
   */
  constructor(
    file: StoreFile,
    pageSize: number,
    unsyncedBytesMax = Number.POSITIVE_INFINITY,
    onSyncFailure: (error: unknown) => void = () => undefined,
  ) {
    this.file = file;
    this.pageSize = pageSize;
    this.unsyncedBytesMax = unsyncedBytesMax;
    this.onSyncFailure = onSyncFailure;
  }

  /**
   * For a checkpoint: writes those of the pages, which ascend, that are still dirty when their turn comes and
   * were made by `sequence`. One call at a time, each followed by `forgetProgress` once its checkpoint is over.
   */
  async write(cache: PageCache, pages: readonly number[], sequence: number): Promise<void> {
    // What is in flight cannot be spilled: half of what may be dirty is left to a transaction beside it.
    const pagesMax = Math.min(STAGING_BYTES / this.pageSize, cache.dirtyFramesMax >>> 1);
    this.checkpointStaging ??= new PageMemory(pagesMax * this.pageSize);
    const staging = this.checkpointStaging;
    const baseOf = (index: number): number => {
      const base = cache.find(pages[index]);
      return base >= 0 && isUnwritten(cache, base, sequence) ? base : -1;
    };
    for (let next = 0; next < pages.length; ) {
      const staged = this.stage(staging, cache.memory, baseOf, next, pages.length, pagesMax);
      next = staged.next;
      if (staged.pages === 0) continue;
      this.progress = { sequence, from: staged.first, to: staged.first + staged.pages };
      await this.file.write(staging.bytes, 0, staged.pages * this.pageSize, staged.first * this.pageSize);
      this.count(staged.pages);
    }
    this.progress = { sequence, from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  }

  /** The pages of the checkpoint are clean, or are to be written again. */
  forgetProgress(): void {
    this.progress = undefined;
  }

  /**
   * For a transaction: writes all dirty pages without waiting for anything else, and makes them clean. What a
   * checkpoint under way has written is not written again: its meta page may be on the disk already, and a
   * power cut within a write leaves nothing certain of what it writes. What is in flight stays dirty.
   */
  spill(cache: PageCache): void {
    const unwritten: number[] = [];
    const written: number[] = [];
    for (const base of cache.dirtyBases()) {
      const { sequence, from, to } = this.progress ?? NOTHING_WRITTEN;
      const page = pageNumberAt(cache.memory, base);
      if (pageSequence(cache.memory, base) > sequence || page >= to) unwritten.push(base);
      else if (page < from) written.push(base);
    }
    this.writeSync(cache, unwritten);
    for (const base of unwritten) cache.markClean(base);
    for (const base of written) cache.markClean(base);
  }

  /** Writes the pages at `bases`, which ascend by page number. */
  private writeSync({ memory, dirtyFramesMax }: PageCache, bases: readonly number[]): void {
    const pagesMax = Math.min(STAGING_BYTES / this.pageSize, dirtyFramesMax);
    this.spillStaging ??= new PageMemory(pagesMax * this.pageSize);
    const staging = this.spillStaging;
    for (let next = 0; next < bases.length; ) {
      const staged = this.stage(staging, memory, (index) => bases[index], next, bases.length, pagesMax);
      next = staged.next;
      this.file.writeSync(staging.bytes, 0, staged.pages * this.pageSize, staged.first * this.pageSize);
      this.count(staged.pages);
    }
  }

  /** Writes pages that were laid out and sealed elsewhere, each where it belongs. */
  async writeLaidOut(memory: PageMemory, bases: readonly number[]): Promise<void> {
    for (const base of bases) {
      await this.file.write(memory.bytes, base, this.pageSize, pageNumberAt(memory, base) * this.pageSize);
      this.count(1);
    }
  }

  async sync(): Promise<void> {
    if (this.ahead !== undefined) await this.ahead;
    this.isSyncing = true;
    await this.syncFile();
    this.isSyncing = false;
  }

  /** Resolves when no sync ahead is under way; rejects for ever once one has failed. */
  async syncedAhead(): Promise<void> {
    await this.ahead;
  }

  private syncFile(): Promise<void> {
    this.counts.syncs++;
    this.unsyncedBytes = 0;
    return this.file.sync();
  }

  /**
   * Pages of a long run were written elsewhere. Every so many bytes they are synced beside what is laid out next:
   * the commit that waits for all of them then waits for the last ones alone.
   */
  countRun(pages: number): void {
    this.count(pages);
    this.unsyncedBytes += pages * this.pageSize;
    if (this.unsyncedBytes < this.unsyncedBytesMax || this.isSyncing) return;
    this.isSyncing = true;
    this.ahead = this.syncFile();
    this.ahead.then(() => {
      this.isSyncing = false;
    }, this.onSyncFailure);
  }

  /** For pages that were written elsewhere. */
  count(pages: number): void {
    this.counts.pagesWritten += pages;
    this.counts.bytesWritten += pages * this.pageSize;
  }

  /** Seals pages with consecutive numbers, from index `from` on, and copies them side by side. */
  private stage(
    staging: PageMemory,
    memory: PageMemory,
    baseOf: (index: number) => number,
    from: number,
    to: number,
    pagesMax: number,
  ): Staged {
    const { pageSize } = this;
    let first = -1;
    let pages = 0;
    let next = from;
    for (; next < to && pages < pagesMax; next++) {
      const base = baseOf(next);
      if (base < 0) continue;
      const page = memory.u32[(base + PAGE_NUMBER) >>> 2];
      if (first < 0) first = page;
      else if (page !== first + pages) break;
      clearGap(memory, base, pageSize);
      sealPage(memory, base, pageSize);
      staging.bytes.set(memory.bytes.subarray(base, base + pageSize), pages * pageSize);
      pages++;
    }
    return { first, pages, next };
  }
}

/**
 * Whether the frame still holds what a checkpoint of `sequence` is to write. A spill may have written it
 * meanwhile; and a page that nothing reached may have been given up, and its number taken by a
 * transaction that is still changing it.
 */
export function isUnwritten(cache: PageCache, base: number, sequence: number): boolean {
  return cache.isDirty(base) && pageSequence(cache.memory, base) <= sequence;
}
