/** Figures about an open store, all of them kept or cheap to have; `check()` walks the file for the others. */
import type { Store } from './storage/store.js';

/**
 * Figures about an open store. Counts are since it was opened, where not said otherwise.
 *
 * @example
 * ```ts
 * const { fileBytes, freePages, pageSize } = db.stats();
 * console.log(`${fileBytes} bytes, of which ${freePages * pageSize} are free`);
 * ```
 */
export interface Stats {
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Pages of the file, used or free, as of the latest commit. */
  readonly pages: number;
  readonly freePages: number;
  /** Free pages that cannot be used yet, because a snapshot or the last checkpoint needs them. */
  readonly heldPages: number;
  /** Those of the held pages that a snapshot or a running read needs. */
  readonly snapshotPages: number;
  readonly fileBytes: number;
  /** Sequence of the latest commit. */
  readonly sequence: number;
  readonly buckets: number;
  /** Snapshots and running reads that pin a commit now. */
  readonly snapshots: number;
  /** How long ago, in milliseconds, the oldest of them began; 0 where there is none. */
  readonly oldestSnapshotMilliseconds: number;
  readonly cache: {
    /** Pages in memory that are as the file has them. */
    readonly cleanPages: number;
    /** Pages in memory that the file does not have yet: committed since the last checkpoint, or being changed. */
    readonly dirtyPages: number;
    /** Pages that were wanted and in memory. */
    readonly hits: number;
    /** Pages that were wanted and not in memory. */
    readonly misses: number;
  };
  /** Commits that changed something. Writes that share one count as one. */
  readonly commits: number;
  /** Times that the changes in memory were made a part of the file. */
  readonly checkpoints: number;
  readonly pagesRead: number;
  readonly pagesWritten: number;
  /** Bytes of pages and of records in the log. */
  readonly bytesWritten: number;
  /** Times that the file or the log was forced to the disk. */
  readonly syncs: number;
}

export function statsOf(store: Store): Stats {
  const { pager, space, writer, committed, snapshots } = store;
  return {
    pageSize: pager.pageSize,
    pages: space.pageCount,
    freePages: space.freePages,
    heldPages: store.heldPages,
    snapshotPages: store.snapshotPages,
    fileBytes: store.file.size(),
    sequence: committed.sequence,
    buckets: committed.buckets,
    snapshots: snapshots.count,
    oldestSnapshotMilliseconds: snapshots.oldestMilliseconds,
    cache: {
      cleanPages: pager.cache.cleanFrames,
      dirtyPages: pager.cache.dirtyFrames,
      hits: pager.counts.hits,
      misses: pager.counts.misses,
    },
    commits: store.commits,
    checkpoints: store.checkpoints,
    pagesRead: pager.counts.pagesRead,
    pagesWritten: writer.counts.pagesWritten,
    bytesWritten: writer.counts.bytesWritten,
    syncs: writer.counts.syncs,
  };
}
