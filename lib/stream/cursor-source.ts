/** Where the faces of a range get their entries: each `open` is one consumption of one stable state. */
import type { Cursor } from '../tree/range-cursor.js';

export interface CursorSource {
  /** A cursor from the beginning; whoever opens it closes it. */
  open(): Cursor;
}

/** Cursors whose consumer was collected without closing them: they must not pin their snapshot for ever. */
interface Closable {
  close(): void;
}

const forgotten = new FinalizationRegistry<Closable>((closable) => closable.close());

/** Closes the cursor when `consumer` is collected; the cursor must not refer to the consumer. */
export function closeWhenForgotten(consumer: object, cursor: Closable): void {
  forgotten.register(consumer, cursor, cursor);
}

/** Closes the cursor for good. */
export function closeCursor(cursor: Cursor): void {
  forgotten.unregister(cursor);
  cursor.close();
}
