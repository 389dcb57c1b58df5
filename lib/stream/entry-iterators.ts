/**
 * Iteration over entries, sync and async, without an allocation an entry: the result object, the entry and its Buffers
 * are the same at each step, and so is the promise while no disk is waited for. For those who buffer, the async one
 * hands out copies, with a promise of its own each (`stream-caller.ts` tells who does).
 */
import type { Entry } from '../options.js';
import type { LeafBatch } from '../tree/leaf-batch.js';
import type { Cursor } from '../tree/range-cursor.js';
import { type CursorSource, closeCursor, closeWhenForgotten, LazyCursor } from './cursor-source.js';
import { Stretch } from './stretch.js';

const EMPTY = Buffer.alloc(0);
/** Entries of one batch: a leaf never has more. */
const ALL = Number.POSITIVE_INFINITY;
/** Batches between two looks at the clock. */
const BATCHES_PER_LOOK = 16;

/** What an iterator takes from each entry of a batch. */
export type Take<T> = (batch: LeafBatch, index: number) => T;

/** Takes both: one entry, filled anew at each step. */
export function entryTaker(): Take<Entry> {
  const entry: Entry = [EMPTY, EMPTY];
  return (batch, index) => {
    entry[0] = batch.key(index);
    entry[1] = batch.value(index);
    return entry;
  };
}

export const takeKey: Take<Buffer> = (batch, index) => batch.key(index);
export const takeValue: Take<Buffer> = (batch, index) => batch.value(index);
export const takeKeyCopy: Take<Buffer> = (batch, index) => batch.keyCopy(index);
export const takeValueCopy: Take<Buffer> = (batch, index) => batch.valueCopy(index);
/** Takes both, as an entry that stays valid. */
export const takeEntryCopy: Take<Entry> = (batch, index) => [batch.keyCopy(index), batch.valueCopy(index)];

interface MutableResult<T> {
  done: boolean;
  value: T;
}

export class EntryIterator<T> implements IterableIterator<T> {
  private readonly cursor: Cursor;
  private readonly take: Take<T>;
  private batch: LeafBatch | null = null;
  private index = 0;
  // The value of the first result is set before it is handed out.
  private readonly result: MutableResult<T> = { done: false, value: undefined as T };

  constructor(source: CursorSource, take: Take<T>) {
    this.cursor = source.open();
    this.take = take;
    closeWhenForgotten(this, this.cursor);
  }

  next(): IteratorResult<T> {
    try {
      // A cursor that was closed meanwhile has emptied its batch.
      if (this.batch === null || this.index >= this.batch.length) {
        this.batch = this.cursor.nextBatchSync(ALL);
        if (this.batch === null) return this.finish();
        this.index = 0;
      }
      this.result.value = this.take(this.batch, this.index++);
      return this.result;
    } catch (error) {
      // A loop does not call `return` on an iterator that raised.
      this.finish();
      throw error;
    }
  }

  return(value?: unknown): IteratorResult<T> {
    this.finish();
    return { done: true, value };
  }

  throw(error: unknown): IteratorResult<T> {
    this.finish();
    throw error;
  }

  [Symbol.iterator](): this {
    return this;
  }

  private finish(): IteratorResult<T> {
    this.batch = null;
    this.index = 0;
    closeCursor(this.cursor);
    return { done: true, value: undefined };
  }
}

export class AsyncEntryIterator<T> implements AsyncIterableIterator<T> {
  private readonly cursor: LazyCursor;
  private readonly take: Take<T>;
  private readonly stretch = new Stretch();
  private batch: LeafBatch | null = null;
  private index = 0;
  private batches = 0;
  private readonly isReused: boolean;
  /** The step that waits for the disk or its turn. */
  private waiting: Promise<IteratorResult<T>> | undefined;
  // The value of the first result is set before it is handed out.
  private readonly result: MutableResult<T> = { done: false, value: undefined as T };
  private readonly resolved = Promise.resolve(this.result as IteratorResult<T>);

  /** `isReused`: what `take` gives is filled anew at each step, as is the result that holds it. */
  constructor(source: CursorSource, take: Take<T>, isReused: boolean) {
    this.cursor = new LazyCursor(source);
    this.take = take;
    this.isReused = isReused;
  }

  next(): Promise<IteratorResult<T>> {
    try {
      // A cursor that was closed meanwhile has emptied its batch.
      if (this.batch !== null && this.index < this.batch.length) return this.give(this.batch);
      return this.nextFromCursor();
    } catch (error) {
      return this.fail(error);
    }
  }

  private nextFromCursor(): Promise<IteratorResult<T>> {
    const { waiting } = this;
    if (waiting !== undefined) {
      const next = (): Promise<IteratorResult<T>> => this.next();
      return waiting.then(next, next);
    }
    if (++this.batches % BATCHES_PER_LOOK !== 0 || !this.stretch.isOver) return this.pull();
    return this.after(this.stretch.pause().then(() => this.cursor.nextBatch(this)));
  }

  private pull(): Promise<IteratorResult<T>> {
    const batch = this.cursor.nextBatch(this);
    return batch instanceof Promise ? this.after(batch) : this.start(batch);
  }

  /** Who asks again before this has come waits for it, so that none is passed over. */
  private after(batch: Promise<LeafBatch | null>): Promise<IteratorResult<T>> {
    const started = batch
      .then((next) => {
        this.waiting = undefined;
        return this.start(next);
      })
      .catch((error: unknown) => this.fail(error));
    this.waiting = started;
    return started;
  }

  /** A loop does not call `return` on an iterator that rejected. */
  private fail(error: unknown): Promise<never> {
    this.waiting = undefined;
    this.finish();
    return Promise.reject(error);
  }

  private start(batch: LeafBatch | null): Promise<IteratorResult<T>> {
    if (batch === null) {
      this.finish();
      return Promise.resolve({ done: true, value: undefined });
    }
    this.batch = batch;
    this.index = 0;
    return this.give(batch);
  }

  private give(batch: LeafBatch): Promise<IteratorResult<T>> {
    const value = this.take(batch, this.index++);
    if (!this.isReused) return Promise.resolve({ done: false, value });
    this.result.value = value;
    return this.resolved;
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    this.finish();
    return { done: true, value };
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    this.finish();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private finish(): void {
    this.batch = null;
    this.index = 0;
    this.cursor.close();
  }
}
