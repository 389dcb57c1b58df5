/**
 * Pages for a tree that is built beside transactions out of one that a snapshot holds: new ones are reserved, those
 * given up are remembered. A transaction takes over both in the end, if the old tree is still the one to replace.
 */
import { pageSequence } from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import type { Extent, ValueExtents } from '../format/value-extents.js';
import type { BuildPages } from './build-pages.js';
import { NumberList } from './number-list.js';
import type { PageTransaction } from './page-transaction.js';
import type { PageWriter } from './page-writer.js';
import type { Pager } from './pager.js';
import type { Reservation } from './reservation.js';
import type { StoreFile } from './store-file.js';

export class DetachedPages implements BuildPages {
  readonly pager: Pager;
  readonly memory: PageMemory;
  readonly pageSize: number;
  private readonly reservation: Reservation;
  private readonly freedPages = new NumberList();
  private readonly freedBirths = new NumberList();
  private readonly freedValues: ValueExtents[] = [];

  constructor(reservation: Reservation, pager: Pager) {
    this.reservation = reservation;
    this.pager = pager;
    this.memory = pager.memory;
    this.pageSize = pager.pageSize;
  }

  get stamp(): number {
    return this.reservation.stamp;
  }

  get sequence(): number {
    return this.reservation.sequence;
  }

  get file(): StoreFile {
    return this.reservation.file;
  }

  get writer(): PageWriter {
    return this.reservation.writer;
  }

  load(page: number, stamp: number): number {
    return this.pager.load(page, stamp);
  }

  freeNode(page: number, stamp: number): void {
    this.freedPages.push(page);
    this.freedBirths.push(pageSequence(this.memory, this.pager.load(page, stamp)));
  }

  freeValue(value: ValueExtents): void {
    this.freedValues.push(value);
  }

  allocateRun(pagesMin: number, pagesMax: number): Extent {
    return this.reservation.allocateRun(pagesMin, pagesMax);
  }

  releaseRun(page: number, pages: number): void {
    this.reservation.releaseRun(page, pages);
  }

  /** Makes the transaction the one that made and gave up these pages. */
  attachTo(transaction: PageTransaction): void {
    this.reservation.adoptInto(transaction);
    for (let i = 0; i < this.freedPages.length; i++)
      transaction.freeUnread(this.freedPages.at(i), 1, this.freedBirths.at(i));
    for (const value of this.freedValues) transaction.freeValue(value);
  }

  /** Gives back all pages that were taken. Safe to call at any time, also twice. */
  abandon(): void {
    this.reservation.abandon();
  }
}
