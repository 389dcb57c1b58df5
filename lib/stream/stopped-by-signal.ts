/** What a signal does to a reader: it ends it with ABORTED, lets go what it pins, and keeps no one alive. */
import type { Readable, Writable } from 'node:stream';
import { StoreError } from '../errors.js';
import type { LeafBatch } from '../tree/leaf-batch.js';
import type { Cursor } from '../tree/range-cursor.js';

export function abortedBy(signal: AbortSignal, what: string): StoreError {
  return new StoreError('ABORTED', `${what} was stopped by its signal`, { cause: signal.reason });
}

/**
 * A cursor that its signal closes at once, also while nobody reads, so that nothing stays pinned; what reads on then
 * raises ABORTED, and never takes it for the end of the range.
 */
export class StoppableCursor implements Cursor {
  private readonly cursor: Cursor;
  private readonly signal: AbortSignal;
  private isClosed = false;
  private readonly onAbort = (): void => this.cursor.close();

  constructor(cursor: Cursor, signal: AbortSignal) {
    this.cursor = cursor;
    this.signal = signal;
    signal.addEventListener('abort', this.onAbort);
    if (signal.aborted) this.onAbort();
  }

  nextBatch(max: number): LeafBatch | null | Promise<LeafBatch | null> {
    this.throwIfAborted();
    const batch = this.cursor.nextBatch(max);
    if (!(batch instanceof Promise)) return batch;
    return batch.then((next) => {
      this.throwIfAborted();
      return next;
    });
  }

  nextBatchSync(max: number): LeafBatch | null {
    this.throwIfAborted();
    return this.cursor.nextBatchSync(max);
  }

  /** Whoever closed it has its end, whatever the signal does. */
  private throwIfAborted(): void {
    if (this.isClosed || !this.signal.aborted) return;
    this.close();
    throw abortedBy(this.signal, 'the range');
  }

  close(): void {
    this.isClosed = true;
    this.signal.removeEventListener('abort', this.onAbort);
    this.cursor.close();
  }
}

/** Streams that were collected without having closed leave no listener on a signal that lives on. */
const forgotten = new FinalizationRegistry<() => void>((leave) => leave());

/** Destroys the stream with ABORTED when the signal fires. The signal does not keep it from being collected. */
export function destroyOnAbort(
  stream: Readable | Writable,
  signal: AbortSignal | undefined,
  what: string,
): void {
  if (signal === undefined) return;
  const weak = new WeakRef(stream);
  const onAbort = (): void => {
    weak.deref()?.destroy(abortedBy(signal, what));
  };
  const leave = (): void => signal.removeEventListener('abort', onAbort);
  signal.addEventListener('abort', onAbort);
  stream.once('close', leave);
  forgotten.register(stream, leave);
  // Not at once: whoever makes the stream has yet to listen for its error.
  if (signal.aborted) process.nextTick(onAbort);
}
