/**
 * Writes a large value into extents, straight to the file, in constant memory: its pages are reached
 * only once the leaf that refers to them is committed.
 */
import { StoreError } from '../errors.js';
import { initPage, KIND_VALUE, PAGE_HEADER_BYTES, sealPage } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import {
  type Extent,
  encodeValueExtents,
  VALUE_EXTENTS_MAX,
  valueExtentsBytes,
  valuePageBytes,
  valueTailLength,
} from '../format/value-extents.js';
import type { PageWriter } from './page-writer.js';
import type { StoreFile } from './store-file.js';

/** Pages laid out before one write. */
const STAGED_PAGES_MAX = 64;
/** Pages of the first extent of a value whose length is not known. */
const FIRST_RUN_PAGES = 16;
/** A value of known length is not cut into more extents than this by free space in small pieces. */
const KNOWN_EXTENTS_MAX = 24;

/** Where a value's pages come from: a transaction, or a reservation beside transactions. */
export interface ValueSpace {
  readonly pageSize: number;
  /** The stamp and sequence that the value's pages carry. */
  readonly stamp: number;
  readonly sequence: number;
  readonly file: StoreFile;
  readonly writer: PageWriter;
  allocateRun(pagesMin: number, pagesMax: number): Extent;
  /** Gives back the unused end of a run just allocated. */
  releaseRun(page: number, pages: number): void;
}

export class ValueWriter {
  private readonly pages: ValueSpace;
  private readonly sequence: number;
  private readonly pageBytes: number;
  private readonly pagesExpected: number;
  private readonly staging: PageMemory;
  private readonly extents: Extent[] = [];
  private readonly stamp: number;
  private length = 0;
  private pagesAllocated = 0;
  /** The part of the last extent that is not laid out yet. */
  private nextPage = 0;
  private pagesLeft = 0;
  private stagedFirst = 0;
  private stagedPages = 0;
  /** The page being filled; it is laid out once a byte past it comes, or at the end. */
  private readonly open: Buffer;
  private openBytes = 0;

  /** `lengthExpected`: bytes of the whole value, where known, so that it is laid out in one piece. */
  constructor(pages: ValueSpace, lengthExpected?: number) {
    this.pages = pages;
    // Fixed at the beginning: a transaction may go on under another stamp while a value is written.
    this.stamp = pages.stamp;
    this.sequence = pages.sequence;
    this.pageBytes = valuePageBytes(pages.pageSize);
    this.pagesExpected = lengthExpected === undefined ? 0 : Math.ceil(lengthExpected / this.pageBytes);
    const staged =
      lengthExpected === undefined
        ? STAGED_PAGES_MAX
        : Math.max(1, Math.min(STAGED_PAGES_MAX, this.pagesExpected));
    this.staging = new PageMemory(staged * pages.pageSize);
    this.open = Buffer.alloc(this.pageBytes);
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.openBytes === this.pageBytes) this.layOut();
      const part = Math.min(bytes.length - done, this.pageBytes - this.openBytes);
      this.open.set(bytes.subarray(done, done + part), this.openBytes);
      this.openBytes += part;
      done += part;
    }
    this.length += bytes.length;
  }

  /** Writes what is left; returns the record that a leaf keeps in place of the value. */
  finish(): Buffer {
    const tailLength = valueTailLength(this.pages.pageSize, this.length);
    // A rest of one whole page is no tail: `layOut` waits for a byte past it.
    const isTail = this.openBytes < this.pageBytes && this.openBytes === tailLength;
    if (!isTail && this.openBytes > 0) this.layOut();
    this.flush();
    this.pages.releaseRun(this.nextPage, this.pagesLeft);
    if (this.pagesLeft > 0) this.shortenLast(this.pagesLeft);
    this.pagesLeft = 0;
    const record = Buffer.alloc(valueExtentsBytes(this.extents.length, tailLength));
    const { length, stamp, extents } = this;
    const tailAt = encodeValueExtents(record, 0, { length, stamp, extents, tailLength });
    record.set(this.open.subarray(0, tailLength), tailAt);
    return record;
  }

  private layOut(): void {
    const { pageSize } = this.pages;
    if (this.pagesLeft === 0) this.allocate();
    if (
      this.stagedPages > 0 &&
      (this.stagedFirst + this.stagedPages !== this.nextPage ||
        this.stagedPages * pageSize === this.staging.bytes.length)
    ) {
      this.flush();
    }
    if (this.stagedPages === 0) this.stagedFirst = this.nextPage;
    const base = this.stagedPages * pageSize;
    initPage(this.staging, base, KIND_VALUE, this.nextPage, this.stamp, this.sequence);
    this.open.fill(0, this.openBytes);
    this.staging.bytes.set(this.open, base + PAGE_HEADER_BYTES);
    sealPage(this.staging, base, pageSize);
    this.stagedPages++;
    this.nextPage++;
    this.pagesLeft--;
    this.openBytes = 0;
  }

  private flush(): void {
    if (this.stagedPages === 0) return;
    const { pageSize, file, writer } = this.pages;
    file.writeSync(this.staging.bytes, 0, this.stagedPages * pageSize, this.stagedFirst * pageSize);
    writer.count(this.stagedPages);
    this.stagedPages = 0;
  }

  private allocate(): void {
    const known = this.pagesExpected - this.pagesAllocated;
    const wanted = known > 0 ? known : Math.max(FIRST_RUN_PAGES, this.pagesAllocated);
    const smallest = Math.max(1, Math.ceil(Math.max(wanted, this.pagesAllocated) / KNOWN_EXTENTS_MAX));
    const run = this.pages.allocateRun(smallest, wanted);
    this.pagesAllocated += run.pages;
    this.nextPage = run.page;
    this.pagesLeft = run.pages;
    const last = this.extents.at(-1);
    if (last !== undefined && last.page + last.pages === run.page) {
      this.extents[this.extents.length - 1] = { page: last.page, pages: last.pages + run.pages };
      return;
    }
    if (this.extents.length === VALUE_EXTENTS_MAX) {
      throw new StoreError(
        'VALUE_TOO_LARGE',
        `the value is longer than ${this.length} bytes, the most that fits here: split it over several keys`,
      );
    }
    this.extents.push(run);
  }

  private shortenLast(pages: number): void {
    const last = this.extents.pop();
    if (last !== undefined && last.pages > pages)
      this.extents.push({ page: last.page, pages: last.pages - pages });
  }
}
