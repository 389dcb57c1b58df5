/** Where the faces of a range get their entries: each `open` is one consumption of one stable state. */
import { setImmediate } from 'node:timers';
import type { LeafBatch } from '../tree/leaf-batch.js';
import type { Cursor } from '../tree/range-cursor.js';

export interface CursorSource {
  /** A cursor from the beginning; whoever opens it closes it. */
  open(): Cursor;
  /** Closes its cursors; streams over them are to end at once, also those that are not read. */
  readonly signal?: AbortSignal | undefined;
}

/** Cursors whose consumer was collected without closing them: they must not pin their snapshot for ever. */
interface Closable {
  close(): void;
}

const forgotten = new FinalizationRegistry<Closable>((closable) => closable.close());

/**
 * Cursors of this turn of the event loop, with their consumers: most are closed before it ends, and to register one
 * takes longer than a short range does.
 */
const young = new Map<Closable, object>();
const YOUNG_MAX = 256;
let isTurnWatched = false;

/**
 * Closes the cursor when `consumer` is collected; the cursor must not refer to the consumer. Until the turn ends, the
 * consumer is held.
 */
export function closeWhenForgotten(consumer: object, cursor: Closable): void {
  young.set(cursor, consumer);
  // A turn may be long, and one whose end nobody tells, as where timers are replaced, must not hold them for ever.
  if (young.size >= YOUNG_MAX) registerYoung();
  if (isTurnWatched) return;
  isTurnWatched = true;
  setImmediate(registerYoung).unref();
}

function registerYoung(): void {
  for (const [cursor, consumer] of young) forgotten.register(consumer, cursor, cursor);
  young.clear();
  isTurnWatched = false;
}

/**
 * A cursor that is opened with the first read of its consumer, so that one who never reads pins nothing, and closed when
 * the consumer is collected. Once closed it is at its end, opened or not.
 */
export class LazyCursor {
  private readonly source: CursorSource;
  private cursor: Cursor | undefined;
  private isClosed = false;

  constructor(source: CursorSource) {
    this.source = source;
  }

  nextBatch(consumer: object): LeafBatch | null | Promise<LeafBatch | null> {
    if (this.isClosed) return null;
    if (this.cursor === undefined) {
      this.cursor = this.source.open();
      closeWhenForgotten(consumer, this.cursor);
    }
    return this.cursor.nextBatch(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.isClosed = true;
    if (this.cursor !== undefined) closeCursor(this.cursor);
  }
}

/** Closes the cursor for good. */
export function closeCursor(cursor: Cursor): void {
  if (!young.delete(cursor)) forgotten.unregister(cursor);
  cursor.close();
}
