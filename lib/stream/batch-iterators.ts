/** Iteration over whole batches, the fastest way through a range. */
import type { LeafBatch } from '../tree/leaf-batch.js';
import type { Cursor } from '../tree/range-cursor.js';
import { type CursorSource, closeCursor, closeWhenForgotten, LazyCursor } from './cursor-source.js';
import { Stretch } from './stretch.js';

const ALL = Number.POSITIVE_INFINITY;

class BatchIterator implements IterableIterator<LeafBatch> {
  private readonly cursor: Cursor;

  constructor(source: CursorSource) {
    this.cursor = source.open();
    closeWhenForgotten(this, this.cursor);
  }

  next(): IteratorResult<LeafBatch> {
    const batch = this.cursor.nextBatchSync(ALL);
    return batch === null ? this.return() : { done: false, value: batch };
  }

  return(): IteratorResult<LeafBatch> {
    closeCursor(this.cursor);
    return { done: true, value: undefined };
  }

  throw(error: unknown): IteratorResult<LeafBatch> {
    closeCursor(this.cursor);
    throw error;
  }

  [Symbol.iterator](): this {
    return this;
  }
}

class AsyncBatchIterator implements AsyncIterableIterator<LeafBatch> {
  private readonly cursor: LazyCursor;
  private readonly stretch = new Stretch();
  private batches = 0;

  constructor(source: CursorSource) {
    this.cursor = new LazyCursor(source);
  }

  async next(): Promise<IteratorResult<LeafBatch>> {
    if ((++this.batches & 15) === 0 && this.stretch.isOver) await this.stretch.pause();
    try {
      const next = this.cursor.nextBatch(this);
      const batch = next instanceof Promise ? await next : next;
      return batch === null ? this.return() : { done: false, value: batch };
    } catch (error) {
      // A loop does not call `return` on an iterator that rejected.
      this.cursor.close();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<LeafBatch>> {
    this.cursor.close();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<LeafBatch>> {
    this.cursor.close();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Batches in either style; each iteration opens a cursor of its own. */
export function batchesOf(source: CursorSource): Iterable<LeafBatch> & AsyncIterable<LeafBatch> {
  return {
    [Symbol.iterator]: () => new BatchIterator(source),
    [Symbol.asyncIterator]: () => new AsyncBatchIterator(source),
  };
}
