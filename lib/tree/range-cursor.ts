/**
 * The cursor over a range of a tree: batches of entries, each within one leaf, in either direction.
 * This is the seam that streams, iterators and exports stand on.
 */
import type { TreeRoot } from '../format/catalog-record.js';
import { searchLeaf } from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import type { Pager } from '../storage/pager.js';
import { ValueScan } from '../storage/value-scan.js';
import type { KeyBounds } from './key-bounds.js';
import { readScannedValue } from './large-value.js';
import { LeafBatch } from './leaf-batch.js';
import { LeafCursor, type PageRun } from './leaf-cursor.js';

export interface CursorOptions {
  readonly bounds: KeyBounds;
  readonly reverse?: boolean;
  /** The most entries handed out in all. */
  readonly limit?: number;
}

/** What a cursor is to those above: batches until null, and an end that is safe at any time. */
export interface Cursor {
  /**
   * The next entries, at most `max` of them, or null at the end. A promise where the disk must be
   * waited for. The batch is used again by the next call.
   */
  nextBatch(max: number): LeafBatch | null | Promise<LeafBatch | null>;
  nextBatchSync(max: number): LeafBatch | null;
  close(): void;
}

/** The first read ahead takes few pages, for ranges that end soon; each further one twice as many. */
const FIRST_RUN_PAGES = 4;

/** Pages that are being read. */
interface ReadBeyond {
  readonly first: number;
  readonly end: number;
  readonly reading: Promise<void>;
}

export class RangeCursor implements Cursor {
  private readonly pager: Pager;
  private readonly bounds: KeyBounds;
  private readonly step: 1 | -1;
  private readonly leaves: LeafCursor;
  private readonly batch: LeafBatch;
  private readonly onClose: (() => void) | undefined;
  /** Made where there are large values. */
  private values: ValueScan | undefined;
  private left: number;
  private started = false;
  private closed = false;
  /** The slot that comes next in the present leaf, and the last one of it that is inside. */
  private slot = 0;
  private endSlot = -1;
  /** Whether the bound ends the range within the present leaf. */
  private isLastLeaf = false;
  private runPages = FIRST_RUN_PAGES;
  /** The read of what comes behind the leaves that are here, while it is under way. */
  private beyond: ReadBeyond | undefined;
  /** Leaves to go until it is looked for what to read next. */
  private untilLook = 0;
  private readonly isHere = (page: number): boolean => this.pager.has(page);
  /** The same of pages that are about to be asked for: what is read meanwhile does not take their places. */
  private readonly keepIfHere = (page: number): boolean => this.pager.keepIfHere(page);
  /** What is being read may be further on: the pages before it were here when that began, and need not be now. */
  private readonly isHereOrComing = (page: number): boolean =>
    this.pager.has(page) ||
    (this.beyond !== undefined && page >= this.beyond.first && page < this.beyond.end);

  constructor(pager: Pager, root: TreeRoot, options: CursorOptions, onClose?: () => void) {
    this.pager = pager;
    this.bounds = options.bounds;
    this.step = options.reverse === true ? -1 : 1;
    this.left = options.limit ?? Number.POSITIVE_INFINITY;
    this.leaves = new LeafCursor(pager, root);
    this.batch = new LeafBatch(pager, pager.cache, (leaf, record, reused) => {
      this.values ??= new ValueScan(pager.file, pager.pageSize);
      return readScannedValue(pager, pager.file, this.values, leaf, record, reused);
    });
    this.onClose = onClose;
  }

  nextBatch(max: number): LeafBatch | null | Promise<LeafBatch | null> {
    if (this.hasSlots() || !this.started || this.closed || this.left === 0) return this.nextBatchSync(max);
    const reading = this.readAhead();
    if (reading === undefined) {
      if (this.beyond === undefined && this.untilLook-- <= 0) this.readBeyond();
      return this.nextBatchSync(max);
    }
    return this.bringNext(reading)
      .then(() => {
        this.readBeyond();
        return this.nextBatchSync(max);
      })
      .catch((error) => {
        this.close();
        throw error;
      });
  }

  /** Waits for the next leaf: branches on the way to it come first. What does not hold never comes: `load` says so. */
  private async bringNext(first: Promise<void>): Promise<void> {
    await first;
    // Once the cursor is closed, its pages may be used again.
    for (let level = this.leaves.branchLevels; level > 0 && !this.closed; level--) {
      const reading = this.readAhead();
      if (reading === undefined) return;
      await reading;
    }
  }

  /** What must be waited for before the next leaf is in memory, if anything. */
  private readAhead(): Promise<void> | undefined {
    const { beyond } = this;
    const run = this.runAhead();
    if (run !== undefined) return this.pager.fetchRunAsync(run.first, run.stamps, run.isPassing);
    if (beyond === undefined || this.isLastLeaf) return undefined;
    const next = this.leaves.runAhead(this.step, 1, this.isHere);
    return next === undefined ? undefined : beyond.reading;
  }

  /** Has the disk read on while the leaves that have come are worked on; of a range that may end soon, nothing. */
  private readBeyond(): void {
    if (this.closed || this.isLastLeaf || this.beyond !== undefined) return;
    if (this.runPages < this.pager.runPagesMax) return;
    const { runPagesMax } = this.pager;
    // As far as is read anyway: more would only be in memory longer.
    const present = this.leaves.presentAhead(this.step, 2 * runPagesMax, this.keepIfHere);
    this.untilLook = Math.max(present - runPagesMax, 0);
    if (this.untilLook > 0 || present === 0) return;
    const run = this.leaves.runAhead(this.step, runPagesMax, this.isHere, present);
    if (run === undefined) {
      this.untilLook = present;
      return;
    }
    const { first, stamps } = run;
    const reading = this.pager.fetchRunAsync(first, stamps, !run.isBranch);
    this.beyond = { first, end: first + stamps.length, reading };
    // A failure is told to whoever waits for it before; nobody may.
    const end = (): void => {
      this.beyond = undefined;
    };
    reading.then(end, end);
  }

  nextBatchSync(max: number): LeafBatch | null {
    if (this.closed) return null;
    try {
      return this.advance(max);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.batch.length = 0;
    this.onClose?.();
  }

  private advance(max: number): LeafBatch | null {
    while (!this.hasSlots()) {
      if (this.left === 0 || !this.nextLeaf()) {
        this.close();
        return null;
      }
    }
    const inLeaf = this.step === 1 ? this.endSlot - this.slot + 1 : this.slot - this.endSlot + 1;
    const length = Math.min(inLeaf, max, this.left);
    this.batch.set(this.leaves.page, this.leaves.stamp, this.leaves.load(), this.slot, length, this.step);
    this.slot += this.step * length;
    this.left -= length;
    return this.batch;
  }

  private hasSlots(): boolean {
    return (
      this.left > 0 &&
      (this.step === 1 ? this.slot <= this.endSlot : this.slot >= this.endSlot && this.endSlot >= 0)
    );
  }

  private nextLeaf(): boolean {
    if (this.isLastLeaf) return false;
    if (!this.started) {
      this.started = true;
      if (!this.startLeaf()) return false;
    } else {
      for (let level = this.leaves.branchLevels; level > 0; level--) {
        const run = this.runAhead();
        if (run === undefined) break;
        this.pager.fetchRun(run.first, run.stamps, run.isPassing);
        // A branch on the way comes alone, and what follows it after it.
        if (!run.isBranch) break;
      }
      if (!(this.step === 1 ? this.leaves.next() : this.leaves.previous())) return false;
      this.slot = this.step === 1 ? 0 : nodeCount(this.pager.memory, this.leaves.load()) - 1;
    }
    this.findEnd();
    return true;
  }

  /** Where a read ahead pays: the next leaf is not in memory and is followed by others in the file. */
  private runAhead(): (PageRun & { isPassing: boolean }) | undefined {
    if (this.isLastLeaf) return undefined;
    const run = this.leaves.runAhead(this.step, this.runPages, this.isHereOrComing);
    if (run === undefined) return undefined;
    const isPassing = !run.isBranch && this.runPages === this.pager.runPagesMax;
    if (!run.isBranch) this.runPages = Math.min(this.pager.runPagesMax, this.runPages * 2);
    return { ...run, isPassing };
  }

  /** Goes to the leaf where the range begins and the slot in it. */
  private startLeaf(): boolean {
    const { pager, leaves, bounds } = this;
    const start = this.step === 1 ? bounds.lower : bounds.upper;
    if (start === undefined) {
      if (!(this.step === 1 ? leaves.seekFirst() : leaves.seekLast())) return false;
      this.slot = this.step === 1 ? 0 : nodeCount(pager.memory, leaves.load()) - 1;
      return true;
    }
    if (!leaves.seek(start, start.length)) return false;
    const found = searchLeaf(pager.memory, leaves.load(), pager.pageSize, start, start.length);
    const open = this.step === 1 ? bounds.lowerOpen === true : bounds.upperOpen === true;
    if (this.step === 1) this.slot = found < 0 ? ~found : open ? found + 1 : found;
    else this.slot = found < 0 ? ~found - 1 : open ? found - 1 : found;
    return true;
  }

  /** Finds how far the range goes in the present leaf. */
  private findEnd(): void {
    const { memory, pageSize } = this.pager;
    const base = this.leaves.load();
    const count = nodeCount(memory, base);
    const end = this.step === 1 ? this.bounds.upper : this.bounds.lower;
    this.endSlot = this.step === 1 ? count - 1 : 0;
    if (end === undefined) return;
    const found = searchLeaf(memory, base, pageSize, end, end.length);
    if (this.step === 1) {
      const last = found >= 0 ? (this.bounds.upperOpen === true ? found - 1 : found) : ~found - 1;
      this.isLastLeaf = found >= 0 || ~found < count;
      this.endSlot = last;
      return;
    }
    const first = found >= 0 ? (this.bounds.lowerOpen === true ? found + 1 : found) : ~found;
    this.isLastLeaf = found >= 0 || ~found > 0;
    this.endSlot = first;
  }
}
