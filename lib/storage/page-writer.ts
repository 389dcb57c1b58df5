/**
 * Writes pages from memory to the file: seals them, gathers neighbours into long requests, and
 * counts what it wrote.
 */
import { PAGE_NUMBER, sealPage } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import type { StoreFile } from './store-file.js';

/** One request's bytes at the most; longer ones gain nothing and hold more memory. */
const STAGING_BYTES = 1 << 20;

export interface WriteCounts {
  pagesWritten: number;
  bytesWritten: number;
  syncs: number;
}

export class PageWriter {
  readonly counts: WriteCounts = { pagesWritten: 0, bytesWritten: 0, syncs: 0 };
  private readonly file: StoreFile;
  private readonly pageSize: number;
  private staging: PageMemory | undefined;

  constructor(file: StoreFile, pageSize: number) {
    this.file = file;
    this.pageSize = pageSize;
  }

  /**
   * Writes the pages at `bases`, which ascend by page number. One call at a time: the writer's lock sees
   * to that.
   */
  async write(memory: PageMemory, bases: readonly number[]): Promise<void> {
    this.staging ??= new PageMemory(STAGING_BYTES);
    for (let next = 0; next < bases.length; ) {
      const { position, pages } = this.stage(this.staging, memory, bases, next);
      await this.file.write(this.staging.bytes, 0, pages * this.pageSize, position);
      this.count(pages);
      next += pages;
    }
  }

  writeSync(memory: PageMemory, bases: readonly number[]): void {
    this.staging ??= new PageMemory(STAGING_BYTES);
    for (let next = 0; next < bases.length; ) {
      const { position, pages } = this.stage(this.staging, memory, bases, next);
      this.file.writeSync(this.staging.bytes, 0, pages * this.pageSize, position);
      this.count(pages);
      next += pages;
    }
  }

  async sync(): Promise<void> {
    this.counts.syncs++;
    await this.file.sync();
  }

  /** For pages that were laid out and sealed elsewhere. */
  count(pages: number): void {
    this.counts.pagesWritten += pages;
    this.counts.bytesWritten += pages * this.pageSize;
  }

  /** Seals pages with consecutive numbers, from bases[next] on, and copies them side by side. */
  private stage(
    staging: PageMemory,
    memory: PageMemory,
    bases: readonly number[],
    next: number,
  ): { position: number; pages: number } {
    const pageSize = this.pageSize;
    const first = memory.u32[(bases[next] + PAGE_NUMBER) >>> 2];
    const pagesMax = Math.min(bases.length - next, staging.bytes.length / pageSize);
    let pages = 0;
    while (pages < pagesMax) {
      const base = bases[next + pages];
      if (memory.u32[(base + PAGE_NUMBER) >>> 2] !== first + pages) break;
      sealPage(memory, base, pageSize);
      staging.bytes.set(memory.bytes.subarray(base, base + pageSize), pages * pageSize);
      pages++;
    }
    return { position: first * pageSize, pages };
  }
}
