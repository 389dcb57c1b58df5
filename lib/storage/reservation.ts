/**
 * Pages for a value that is written beside transactions, for as long as that takes: other writers go
 * on meanwhile, and a checkpoint says that they are free. A transaction takes them over in the end.
 */
import type { Extent } from '../format/value-extents.js';
import { NumberList } from './number-list.js';
import type { PageCache } from './page-cache.js';
import type { PageTransaction } from './page-transaction.js';
import type { PageWriter } from './page-writer.js';
import type { Space } from './space.js';
import type { StoreFile } from './store-file.js';
import type { ValueSpace } from './value-writer.js';

export interface ReservationParts {
  readonly space: Space;
  readonly cache: PageCache;
  readonly file: StoreFile;
  readonly writer: PageWriter;
  readonly stamp: number;
  readonly sequence: number;
}

export class Reservation implements ValueSpace {
  readonly stamp: number;
  readonly sequence: number;
  readonly file: StoreFile;
  readonly writer: PageWriter;
  private readonly space: Space;
  private readonly cache: PageCache;
  private pages = new NumberList();

  constructor(parts: ReservationParts) {
    this.stamp = parts.stamp;
    this.sequence = parts.sequence;
    this.file = parts.file;
    this.writer = parts.writer;
    this.space = parts.space;
    this.cache = parts.cache;
  }

  get pageSize(): number {
    return this.space.geometry.pageSize;
  }

  allocateRun(pagesMin: number, pagesMax: number): Extent {
    const run = this.space.allocateRun(pagesMin, pagesMax);
    for (let page = run.page; page < run.page + run.pages; page++) {
      this.cache.discard(page);
      this.space.reserve(page);
      this.pages.push(page);
    }
    return run;
  }

  releaseRun(page: number, pages: number): void {
    const { length } = this.pages;
    // Most often they are the last ones that were taken; another run may have been begun since.
    const areLast = pages <= length && (pages === 0 || this.pages.at(length - pages) === page);
    if (areLast) this.pages.truncate(length - pages);
    else this.dropBetween(page, page + pages);
    for (let i = 0; i < pages; i++) this.giveBack(page + i);
  }

  private dropBetween(from: number, to: number): void {
    const kept = new NumberList();
    for (let i = 0; i < this.pages.length; i++) {
      const page = this.pages.at(i);
      if (page < from || page >= to) kept.push(page);
    }
    this.pages = kept;
  }

  /** Hands the pages to the transaction that makes a tree refer to them. */
  adoptInto(transaction: PageTransaction): void {
    for (let i = 0; i < this.pages.length; i++) {
      this.space.unreserve(this.pages.at(i));
      transaction.adopt(this.pages.at(i));
    }
    this.pages = new NumberList();
  }

  /** Gives all pages back. Safe to call at any time, also twice. */
  abandon(): void {
    for (let i = 0; i < this.pages.length; i++) this.giveBack(this.pages.at(i));
    this.pages = new NumberList();
  }

  private giveBack(page: number): void {
    this.space.unreserve(page);
    this.space.release(page);
  }
}
