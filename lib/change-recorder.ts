/** What one transaction changes in buckets that are watched; of others only that it did. */
import { isInBounds, type KeyBounds, unionBounds } from './tree/key-bounds.js';

/** A change that is not committed yet. */
export type RecordedChange =
  | {
      readonly bucket: string;
      readonly type: 'put';
      readonly key: Buffer;
      readonly value: Buffer | undefined;
    }
  | { readonly bucket: string; readonly type: 'delete'; readonly key: Buffer }
  | { readonly bucket: string; readonly type: 'deleteRange' | 'load'; readonly bounds: KeyBounds }
  | { readonly bucket: string; readonly type: 'drop' };

/** A part of a bucket that someone watches. */
export interface WatchedRange {
  readonly bounds: KeyBounds;
}

/** The watched ranges of a bucket. The set tells of those that end; those that begin later may be missing. */
export type WatchedRanges = (bucket: string) => ReadonlySet<WatchedRange>;

const NONE: ReadonlySet<WatchedRange> = new Set();

export class ChangeRecorder {
  /** When its transaction began, in the order of watches and transactions. */
  readonly began: number;
  /** Changes that some watcher wants, in the order in which they were made. */
  readonly changes: RecordedChange[] = [];
  private readonly rangesOf: WatchedRanges;
  /** The buckets that were changed, watched or not. */
  readonly touched = new Set<string>();
  // Of the bucket that was changed last, so that a row of changes to one bucket looks it up once.
  private last: string | undefined;
  private ranges = NONE;

  constructor(rangesOf: WatchedRanges, began: number) {
    this.rangesOf = rangesOf;
    this.began = began;
  }

  put(bucket: string, key: Uint8Array, value: Uint8Array): void {
    if (this.wants(bucket, key))
      this.changes.push({ bucket, type: 'put', key: Buffer.from(key), value: Buffer.from(value) });
  }

  /** A value that is in the file already and not in memory. */
  putUnread(bucket: string, key: Uint8Array): void {
    if (this.wants(bucket, key))
      this.changes.push({ bucket, type: 'put', key: Buffer.from(key), value: undefined });
  }

  delete(bucket: string, key: Uint8Array): void {
    if (this.wants(bucket, key)) this.changes.push({ bucket, type: 'delete', key: Buffer.from(key) });
  }

  deleteRange(bucket: string, bounds: KeyBounds): void {
    if (this.isWatched(bucket)) this.changes.push({ bucket, type: 'deleteRange', bounds });
  }

  drop(bucket: string): void {
    if (this.isWatched(bucket)) this.changes.push({ bucket, type: 'drop' });
  }

  /** Entries changed that are not told one by one; `boundsOf`, called only if need be, says where they lie. */
  load(bucket: string, boundsOf: () => KeyBounds): void {
    if (!this.isWatched(bucket)) return;
    const bounds = boundsOf();
    const last = this.changes.at(-1);
    // A load comes in many pieces, and is one change.
    if (last?.type === 'load' && last.bucket === bucket)
      this.changes[this.changes.length - 1] = {
        bucket,
        type: 'load',
        bounds: unionBounds(last.bounds, bounds),
      };
    else this.changes.push({ bucket, type: 'load', bounds });
  }

  private wants(bucket: string, key: Uint8Array): boolean {
    if (!this.isWatched(bucket)) return false;
    for (const { bounds } of this.ranges) if (isInBounds(bounds, key)) return true;
    return false;
  }

  private isWatched(bucket: string): boolean {
    if (bucket !== this.last) {
      this.last = bucket;
      this.touched.add(bucket);
      this.ranges = this.rangesOf(bucket);
    }
    return this.ranges.size > 0;
  }
}
