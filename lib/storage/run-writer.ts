/**
 * Lays out pages one behind the other and writes them in long requests, past the cache: for bulk
 * loads, whose pages nobody reads before the commit.
 */
import { initPage, sealPage } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import type { BuildPages } from './build-pages.js';

const STAGING_BYTES = 1 << 20;
/** Free space in shorter runs is left to single pages. */
const RUN_PAGES_MIN = 16;

export class RunWriter {
  /** Where pages are laid out now; changes with `flush`. */
  memory: PageMemory;
  private other: PageMemory;
  private readonly pages: BuildPages;
  private readonly pagesMax: number;
  private firstPage = 0;
  private staged = 0;
  /** Pages of the current run that are not laid out yet. */
  private runLeft = 0;
  private inFlight: Promise<void> = Promise.resolve();

  constructor(pages: BuildPages) {
    this.pages = pages;
    this.memory = new PageMemory(STAGING_BYTES);
    this.other = new PageMemory(STAGING_BYTES);
    this.pagesMax = STAGING_BYTES / pages.pageSize;
  }

  /** Whether `flush` must be awaited before the next page. */
  get isFull(): boolean {
    return this.staged === this.pagesMax || (this.staged > 0 && this.runLeft === 0);
  }

  /** The base in `memory` of a new page of the kind, with its header set. */
  next(kind: number): number {
    if (this.runLeft === 0) {
      const run = this.pages.allocateRun(RUN_PAGES_MIN, this.pagesMax);
      this.firstPage = run.page;
      this.runLeft = run.pages;
    }
    const base = this.staged * this.pages.pageSize;
    initPage(this.memory, base, kind, this.firstPage + this.staged, this.pages.stamp, this.pages.sequence);
    this.staged++;
    this.runLeft--;
    return base;
  }

  /** Starts writing what was laid out; resolves once the memory to lay out more in is free. */
  async flush(): Promise<void> {
    if (this.staged === 0) return;
    const { memory, firstPage, staged } = this;
    const { pageSize, pager, writer } = this.pages;
    for (let i = 0; i < staged; i++) sealPage(memory, i * pageSize, pageSize);
    await this.inFlight;
    const written = pager.file.write(memory.bytes, 0, staged * pageSize, firstPage * pageSize);
    this.inFlight = written.then(() => writer.countRun(staged));
    // Raised to whoever awaits next; without a handler meanwhile the process would end.
    this.inFlight.catch(() => undefined);
    this.memory = this.other;
    this.other = memory;
    this.firstPage += staged;
    this.staged = 0;
  }

  /** Writes all that is left and gives unused pages back. */
  async finish(): Promise<void> {
    await this.flush();
    await this.inFlight;
    this.pages.releaseRun(this.firstPage, this.runLeft);
    this.runLeft = 0;
  }

  /** Waits for what is under way, before its memory and pages are given up by the caller. */
  async abandon(): Promise<void> {
    await this.inFlight.catch(() => undefined);
    await this.pages.writer.syncedAhead().catch(() => undefined);
  }
}
