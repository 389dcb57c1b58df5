/** Figures about an open store. */
import type { Store } from './storage/store.js';

/** Counts since the store was opened, where not said otherwise. */
export interface Stats {
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Pages of the file, used or free, as of the latest commit. */
  readonly pages: number;
  readonly freePages: number;
  /** Free pages that cannot be used yet, because a snapshot or the last checkpoint needs them. */
  readonly heldPages: number;
  readonly fileBytes: number;
  /** Sequence of the latest commit. */
  readonly sequence: number;
  readonly buckets: number;
  /** Snapshots and running reads that pin a commit. */
  readonly snapshots: number;
  readonly cache: {
    readonly cleanPages: number;
    readonly dirtyPages: number;
    readonly hits: number;
    readonly misses: number;
  };
  readonly pagesRead: number;
  readonly pagesWritten: number;
  readonly bytesWritten: number;
  readonly syncs: number;
}

export function statsOf(store: Store): Stats {
  const { pager, space, writer, committed } = store;
  return {
    pageSize: pager.pageSize,
    pages: space.pageCount,
    freePages: space.freePages,
    heldPages: store.heldPages,
    fileBytes: store.file.size(),
    sequence: committed.sequence,
    buckets: committed.buckets,
    snapshots: store.snapshots.count,
    cache: {
      cleanPages: pager.cache.cleanFrames,
      dirtyPages: pager.cache.dirtyFrames,
      hits: pager.counts.hits,
      misses: pager.counts.misses,
    },
    pagesRead: pager.counts.pagesRead,
    pagesWritten: writer.counts.pagesWritten,
    bytesWritten: writer.counts.bytesWritten,
    syncs: writer.counts.syncs,
  };
}
