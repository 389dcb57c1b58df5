/** Who watches which buckets, and how they are told what a commit changed. */
import { Observable, type Subscriber } from 'rxjs';
import type { Change, ChangeBase, ChangedRange } from './change.js';
import { ChangeRecorder, type RecordedChange, type WatchedRange } from './change-recorder.js';
import { StoreError } from './errors.js';
import { parseOptions, type RangeOptions, rangeSchema } from './options.js';
import { boundsOf } from './range-bounds.js';
import { ALL_KEYS, areBoundsEmpty, intersectBounds, isInBounds, type KeyBounds } from './tree/key-bounds.js';

/** One subscription to the changes of a bucket. */
interface Watcher extends WatchedRange {
  /** When it began, in the order of subscriptions and transactions. */
  readonly began: number;
  readonly subscriber: Subscriber<Change>;
}

const NONE: ReadonlySet<Watcher> = new Set();

export class Watchers {
  private readonly byBucket = new Map<string, Set<Watcher>>();
  private clock = 0;
  private completed = false;

  /** The changes within the range that commits make from the subscription on. Raises INVALID_OPTION. */
  watch(bucket: string, options: RangeOptions): Observable<Change> {
    const checked = parseOptions(rangeSchema, options, 'watch');
    if (checked.reverse !== undefined || checked.limit !== undefined) {
      throw new StoreError(
        'INVALID_OPTION',
        'watch: changes come in the order of their commits, all of them: give bounds or a prefix, without reverse and limit',
      );
    }
    const bounds = boundsOf(checked);
    return new Observable((subscriber) => {
      if (this.completed) {
        subscriber.complete();
        return undefined;
      }
      subscriber.add(this.add(bucket, { bounds, began: this.clock++, subscriber }));
      completeOnAbort(subscriber, checked.signal);
      return undefined;
    });
  }

  private add(bucket: string, watcher: Watcher): () => void {
    const watchers = this.byBucket.get(bucket) ?? new Set();
    this.byBucket.set(bucket, watchers);
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      // A set that was emptied may have been replaced since by that of a later watcher.
      if (watchers.size === 0 && this.byBucket.get(bucket) === watchers) this.byBucket.delete(bucket);
    };
  }

  /** For a transaction that begins now. */
  createRecorder(): ChangeRecorder {
    return new ChangeRecorder((bucket) => this.byBucket.get(bucket) ?? NONE, this.clock++);
  }

  /** Tells what a transaction recorded, once its commit is visible and before the next one is. */
  tell(recorder: ChangeRecorder, sequence: number): void {
    if (this.byBucket.size === 0) return;
    const told = new Map<string, Watcher[]>();
    for (const bucket of recorder.touched) {
      const early: Watcher[] = [];
      for (const watcher of [...(this.byBucket.get(bucket) ?? NONE)]) {
        if (watcher.began < recorder.began) early.push(watcher);
        // Not all of it was recorded for those who came while the transaction was under way.
        else deliver(watcher, { type: 'load', bucket, bounds: ALL_KEYS }, sequence);
      }
      told.set(bucket, early);
    }
    for (const change of recorder.changes)
      for (const watcher of told.get(change.bucket) ?? []) deliver(watcher, change, sequence);
  }

  /** Ends every watch: the store is closed. */
  complete(): void {
    this.completed = true;
    for (const watchers of [...this.byBucket.values()])
      for (const { subscriber } of [...watchers]) subscriber.complete();
  }
}

/** As the end of the store does: an error would end a process that only looks on. */
function completeOnAbort(subscriber: Subscriber<Change>, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => subscriber.complete();
  signal.addEventListener('abort', onAbort);
  subscriber.add(() => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
}

/** Hands the watcher the part of a change that lies in its range, if any does. */
function deliver({ bounds, subscriber }: Watcher, change: RecordedChange, sequence: number): void {
  const base: ChangeBase = { sequence, bucket: change.bucket };
  switch (change.type) {
    case 'put':
      if (isInBounds(bounds, change.key))
        subscriber.next({ ...base, type: 'put', key: change.key, value: change.value });
      return;
    case 'delete':
      if (isInBounds(bounds, change.key)) subscriber.next({ ...base, type: 'delete', key: change.key });
      return;
    case 'drop':
      subscriber.next({ ...base, type: 'drop' });
      return;
    default: {
      const inside = intersectBounds(bounds, change.bounds);
      if (!areBoundsEmpty(inside))
        subscriber.next({ ...base, type: change.type, bounds: changedRange(inside) });
    }
  }
}

function changedRange({ lower, lowerOpen, upper, upperOpen }: KeyBounds): ChangedRange {
  const range: { gt?: Buffer; gte?: Buffer; lt?: Buffer; lte?: Buffer } = {};
  if (lower !== undefined) range[lowerOpen === true ? 'gt' : 'gte'] = Buffer.from(lower);
  if (upper !== undefined) range[upperOpen === true ? 'lt' : 'lte'] = Buffer.from(upper);
  return range;
}
