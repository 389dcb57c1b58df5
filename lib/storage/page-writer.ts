/**
 * Writes pages from memory to the file: seals them, gathers neighbours into long requests, and
 * counts what it wrote.
 */
import { PAGE_NUMBER, pageSequence, sealPage } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import type { PageCache } from './page-cache.js';
import { pageNumberAt } from './pager.js';
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
  readonly position: number;
  readonly pages: number;
  readonly next: number;
}

export class PageWriter {
  readonly counts: WriteCounts = { pagesWritten: 0, bytesWritten: 0, syncs: 0 };
  private readonly file: StoreFile;
  private readonly pageSize: number;
  // Two, since a transaction may spill while a checkpoint's request is in flight.
  private checkpointStaging: PageMemory | undefined;
  private spillStaging: PageMemory | undefined;

  constructor(file: StoreFile, pageSize: number) {
    this.file = file;
    this.pageSize = pageSize;
  }

  /**
   * Writes those of the pages, which ascend, that are still dirty when their turn comes and were made by
   * `sequence`. One call at a time.
   */
  async write(cache: PageCache, pages: readonly number[], sequence: number): Promise<void> {
    this.checkpointStaging ??= new PageMemory(STAGING_BYTES);
    const staging = this.checkpointStaging;
    const baseOf = (index: number): number => {
      const base = cache.find(pages[index]);
      return base >= 0 && isUnwritten(cache, base, sequence) ? base : -1;
    };
    for (let next = 0; next < pages.length; ) {
      const staged = this.stage(staging, cache.memory, baseOf, next, pages.length);
      next = staged.next;
      await this.file.write(staging.bytes, 0, staged.pages * this.pageSize, staged.position);
      this.count(staged.pages);
    }
  }

  /** Writes the pages at `bases`, which ascend by page number, without waiting for anything else. */
  writeSync(memory: PageMemory, bases: readonly number[]): void {
    this.spillStaging ??= new PageMemory(STAGING_BYTES);
    const staging = this.spillStaging;
    for (let next = 0; next < bases.length; ) {
      const staged = this.stage(staging, memory, (index) => bases[index], next, bases.length);
      next = staged.next;
      this.file.writeSync(staging.bytes, 0, staged.pages * this.pageSize, staged.position);
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
    this.counts.syncs++;
    await this.file.sync();
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
  ): Staged {
    const { pageSize } = this;
    const pagesMax = staging.bytes.length / pageSize;
    let first = -1;
    let pages = 0;
    let next = from;
    for (; next < to && pages < pagesMax; next++) {
      const base = baseOf(next);
      if (base < 0) continue;
      const page = memory.u32[(base + PAGE_NUMBER) >>> 2];
      if (first < 0) first = page;
      else if (page !== first + pages) break;
      sealPage(memory, base, pageSize);
      staging.bytes.set(memory.bytes.subarray(base, base + pageSize), pages * pageSize);
      pages++;
    }
    return { position: Math.max(first, 0) * pageSize, pages, next };
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
