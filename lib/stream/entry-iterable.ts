/**
 * Iteration as a range offers it: to loops what is filled anew at each step, to streams of the runtime copies. The
 * runtime looks whether what it is given can be iterated before it does so itself, or hands it on to a function of the
 * caller's (`pipeline(range, async function* (entries) { … })`), which buffers as it likes: so from the look on all
 * that is handed out is copies.
 */
import type { CursorSource } from './cursor-source.js';
import { AsyncEntryIterator, EntryIterator, type Take } from './entry-iterators.js';
import { isCalledByStream } from './stream-caller.js';

export class EntryIterable<T> implements Iterable<T>, AsyncIterable<T> {
  protected readonly source: CursorSource;
  private readonly takerOf: () => Take<T>;
  private readonly takeCopy: Take<T>;
  private isForStream = false;

  /** `takerOf` is asked once for each consumption. */
  constructor(source: CursorSource, takerOf: () => Take<T>, takeCopy: Take<T>) {
    this.source = source;
    this.takerOf = takerOf;
    this.takeCopy = takeCopy;
  }

  [Symbol.iterator](): Iterator<T> {
    return new EntryIterator(this.source, this.isForStream ? this.takeCopy : this.takerOf());
  }

  get [Symbol.asyncIterator](): () => AsyncIterator<T> {
    if (isCalledByStream(getAsyncIterator)) this.isForStream = true;
    return this.begin;
  }

  private begin(): AsyncIterator<T> {
    return this.isForStream ? this.copies() : new AsyncEntryIterator(this.source, this.takerOf(), true);
  }

  /** For those who are known to buffer. */
  copies(): AsyncIterator<T> {
    return new AsyncEntryIterator(this.source, this.takeCopy, false);
  }
}

// The look is a stack frame of its own, told apart by the function that runs.
const getAsyncIterator = Object.getOwnPropertyDescriptor(EntryIterable.prototype, Symbol.asyncIterator)
  ?.get as () => unknown;
