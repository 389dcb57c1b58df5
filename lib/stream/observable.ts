/** A range as an Observable; every entry is a copy that stays valid. */
import { Observable } from 'rxjs';
import type { Entry } from '../options.js';
import type { CursorSource } from './cursor-source.js';
import { takeEntryCopy } from './entry-iterators.js';
import { Stretch } from './stretch.js';

/** Emits the entries of a fresh cursor to each subscriber; unsubscribing closes it. */
export function observableOf(source: CursorSource): Observable<Entry> {
  return new Observable((subscriber) => {
    const cursor = source.open();
    const stretch = new Stretch();
    const run = async (): Promise<void> => {
      for (;;) {
        const next = cursor.nextBatch(Number.POSITIVE_INFINITY);
        const batch = next instanceof Promise ? await next : next;
        if (batch === null) return;
        for (let i = 0; i < batch.length && !subscriber.closed; i++) subscriber.next(takeEntryCopy(batch, i));
        if (subscriber.closed) return;
        if (stretch.isOver) await stretch.pause();
      }
    };
    run().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => cursor.close();
  });
}
