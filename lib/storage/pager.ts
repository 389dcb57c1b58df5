/**
 * Reads pages through the cache, and believes none before its checksum, number, stamp and structure
 * have held. Every page of a tree that anything above reads comes through here.
 */
import { KIND_BRANCH, KIND_LEAF, PAGE_STAMP, pageCorrupt, pageKind, verifyPage } from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import { checkNodeStructure } from '../format/structure.js';
import type { PageCache } from './page-cache.js';
import type { StoreFile } from './store-file.js';

/** What a tree needs in order to be read: a store's pager, or a transaction's view of it. */
export interface PageReader {
  readonly memory: PageMemory;
  readonly pageSize: number;
  /** The base of a node in `memory`, good until the next call that loads or makes a page. */
  load(page: number, stamp: number): number;
}

export interface PagerCounts {
  hits: number;
  misses: number;
  pagesRead: number;
}

/**
 * One read of so many that long scans make stays in a full cache as if its pages had been asked for alone, so that
 * what only scans read comes in where what is there is not used. A whole one: pages that are missing are read together.
 */
const KEPT_RUN = 8;

/** Pages that one read takes at the most: 256 KiB of the smallest. */
const RUN_PAGES_MAX = 64;
/** And no more than this part of the cache: a scan has two of them ahead, and others may be there too. */
const RUN_PART = 1 / 4;

export class Pager implements PageReader {
  readonly cache: PageCache;
  readonly file: StoreFile;
  readonly memory: PageMemory;
  readonly pageSize: number;
  /** Pages that one read for a scan takes at the most. */
  readonly runPagesMax: number;
  private runs = 0;
  readonly counts: PagerCounts = { hits: 0, misses: 0, pagesRead: 0 };

  constructor(cache: PageCache, file: StoreFile) {
    this.cache = cache;
    this.file = file;
    this.memory = cache.memory;
    this.pageSize = cache.pageSize;
    this.runPagesMax = Math.min(RUN_PAGES_MAX, Math.floor(cache.cleanFramesMax * RUN_PART));
  }

  load(page: number, stamp: number): number {
    const base = this.cache.find(page);
    if (base >= 0 && this.memory.u32[(base + PAGE_STAMP) >>> 2] === stamp) {
      this.counts.hits++;
      return base;
    }
    return this.fetch(page, stamp);
  }

  /** Whether the page is in memory, so that `load` will not wait for the disk. */
  has(page: number): boolean {
    return this.cache.has(page);
  }

  /** As `has`, for a page that is about to be asked for: others go before it. */
  keepIfHere(page: number): boolean {
    return this.cache.keepIfHere(page);
  }

  /** Whether this version of the page is in memory. */
  hasVersion(page: number, stamp: number): boolean {
    const base = this.cache.find(page);
    return base >= 0 && this.memory.u32[(base + PAGE_STAMP) >>> 2] === stamp;
  }

  private isDirty(page: number): boolean {
    const base = this.cache.find(page);
    return base >= 0 && this.cache.isDirty(base);
  }

  private fetch(page: number, stamp: number): number {
    this.counts.misses++;
    // A frame with another stamp is left from an earlier life of the page number: only the file tells.
    // A changed one is not: it is in use, and the reference is wrong.
    if (this.isDirty(page)) throw pageCorrupt(page, 'it is not the version that its parent refers to');
    this.cache.discard(page);
    const base = this.cache.takeLoading();
    try {
      const read = this.file.readSync(this.memory.bytes, base, this.pageSize, page * this.pageSize);
      this.accept(base, page, stamp, read);
    } catch (error) {
      this.cache.dropLoading(base);
      throw error;
    }
    this.cache.loaded(base, page);
    return base;
  }

  private accept(base: number, page: number, stamp: number, read: number): void {
    this.counts.pagesRead++;
    if (read < this.pageSize) throw pageCorrupt(page, 'the file ends before it');
    verifyPage(this.memory, base, this.pageSize, page, stamp);
    const kind = pageKind(this.memory, base);
    if (kind !== KIND_LEAF && kind !== KIND_BRANCH)
      throw pageCorrupt(page, `a node was expected, it is of kind ${kind}`);
    checkNodeStructure(this.memory, base, this.pageSize, page);
  }

  /**
   * Reads up to `stamps.length` consecutive pages from `first` on in one request, for a scan: fewer
   * where memory is short. Nothing is raised for a page that does not hold: `load` will fetch it alone
   * and say so. `isPassing`: for a long scan, whose pages are to leave others where they are.
   */
  fetchRun(first: number, stamps: readonly number[], isPassing: boolean): void {
    const passes = isPassing && this.passesNext();
    const bases = this.takeRun(stamps.length, passes);
    if (bases.length === 0) return;
    let read = 0;
    try {
      const stretches = this.stretchesOf(bases);
      const at = first * this.pageSize;
      const [only] = stretches;
      read =
        stretches.length === 1
          ? this.file.readSync(only, 0, only.length, at)
          : this.file.readManySync(stretches, at);
    } finally {
      this.enterRun(bases, first, stamps, read, passes);
    }
  }

  /** As `fetchRun`, without holding up the event loop. */
  async fetchRunAsync(first: number, stamps: readonly number[], isPassing: boolean): Promise<void> {
    const passes = isPassing && this.passesNext();
    const bases = this.takeRun(stamps.length, passes);
    if (bases.length === 0) return;
    let read = 0;
    try {
      const stretches = this.stretchesOf(bases);
      const at = first * this.pageSize;
      const [only] = stretches;
      read = await (stretches.length === 1
        ? this.file.read(only, 0, only.length, at)
        : this.file.readMany(stretches, at));
    } finally {
      this.enterRun(bases, first, stamps, read, passes);
    }
  }

  /** Whether the next read of a long scan leaves others where they are. */
  private passesNext(): boolean {
    return ++this.runs % KEPT_RUN !== 0;
  }

  private takeRun(pages: number, isPassing: boolean): number[] {
    const bases: number[] = [];
    while (bases.length < pages && this.cache.canReadAhead) bases.push(this.cache.takeLoading(isPassing));
    return bases;
  }

  /**
   * The frames as bytes, those that lie one behind the other as one piece: a read is the dearer the more it has. Those
   * of a passing scan mostly are one.
   */
  private stretchesOf(bases: readonly number[]): Buffer[] {
    const { memory, pageSize } = this;
    const stretches: Buffer[] = [];
    for (let first = 0, next = 1; next <= bases.length; next++) {
      const last = bases[next - 1];
      if (next < bases.length && bases[next] === last + pageSize) continue;
      const isOne = next - first === 1;
      stretches.push(isOne ? this.cache.view(last) : memory.bytes.subarray(bases[first], last + pageSize));
      first = next;
    }
    return stretches;
  }

  private enterRun(
    bases: readonly number[],
    first: number,
    stamps: readonly number[],
    read: number,
    isPassing: boolean,
  ): void {
    for (let i = 0; i < bases.length; i++) {
      const base = bases[i];
      const page = first + i;
      if (!this.cache.has(page) && this.holds(base, page, stamps[i], read - i * this.pageSize))
        this.cache.loaded(base, page, isPassing);
      else this.cache.dropLoading(base);
    }
  }

  private holds(base: number, page: number, stamp: number, read: number): boolean {
    try {
      this.accept(base, page, stamp, read);
      return true;
    } catch {
      return false;
    }
  }
}
