/** Gives free space back to the file system: moves pages to the front of the file and cuts off its end. */
import { StoreError } from './errors.js';
import type { Store } from './storage/store.js';
import type { StoreWriter } from './store-writer.js';
import type { Transaction } from './transaction.js';

/** How a compaction is made. */
export interface CompactOptions {
  /** Stops between two commits: what was moved stays moved. Rejects with ABORTED. */
  readonly signal?: AbortSignal;
}

/** What a compaction did. */
export interface CompactReport {
  /** Pages of the file before it. */
  readonly pagesBefore: number;
  /** Pages of the file after it; more than before where others wrote meanwhile. */
  readonly pagesAfter: number;
  /** Pages that were copied nearer to the front; a page that is moved twice counts twice. */
  readonly pagesMoved: number;
  /** Bytes by which the file became shorter. */
  readonly bytesFreed: number;
}

/** Pages moved in one commit at the most: other writers wait no longer than that takes. */
const MOVES_PER_COMMIT_MAX = 2048;
/** Pages that may lie past the least possible end: to gain the last few would cost a pass over all. */
const SPARE_PAGES = 16;

/**
 * Works in commits of its own, between which other writers get their turn; readers go on. Pages that a
 * live snapshot needs stay where they are.
 */
export async function compactStore(
  store: Store,
  writer: StoreWriter,
  options: CompactOptions,
): Promise<CompactReport> {
  const { signal } = options;
  store.assertWritable();
  try {
    return await compactPages(store, writer, signal);
  } catch (error) {
    // Also the wait for the writer's turn says that it was stopped.
    if (signal?.aborted !== true || !(error instanceof StoreError) || error.code !== 'ABORTED') throw error;
    throw stopped(signal);
  }
}

async function compactPages(
  store: Store,
  writer: StoreWriter,
  signal: AbortSignal | undefined,
): Promise<CompactReport> {
  const { space, pager } = store;
  const pagesBefore = space.pageCount;
  // A commit's moves wait in memory beside what commits before it left there.
  const movesMax = Math.min(MOVES_PER_COMMIT_MAX, pager.cache.dirtyFramesMax >>> 1);
  let pagesMoved = 0;
  // The checkpoint in it also makes what was freed since the last one available to be moved to.
  await shrink(store, signal);
  // Each page should have to move once; what snapshots pin, or free space in pieces, ends it all the same.
  for (let passes = 4 + Math.ceil((2 * pagesBefore) / movesMax); passes > 0; passes--) {
    const before = space.pageCount;
    const { moved, rest } = await moveSome(store, movesMax, await writer.begin({ signal }));
    pagesMoved += moved;
    await shrink(store, signal);
    if (!rest || (moved === 0 && space.pageCount >= before)) break;
  }
  const pagesAfter = space.pageCount;
  return {
    pagesBefore,
    pagesAfter,
    pagesMoved,
    bytesFreed: Math.max(0, pagesBefore - pagesAfter) * pager.pageSize,
  };
}

/** Moves pages in one commit, that of the transaction; `rest`: whether there were any to move. */
async function moveSome(
  store: Store,
  movesMax: number,
  transaction: Transaction,
): Promise<{ moved: number; rest: boolean }> {
  const { space } = store;
  try {
    let moved = 0;
    const boundary = space.pageCount - space.freePages + SPARE_PAGES;
    const rest = transaction.relocate({
      boundary,
      mayMove: (pages) => {
        if (moved >= movesMax || space.searchFromStart() + pages > boundary) return false;
        moved += pages;
        return true;
      },
    });
    if (moved === 0) await transaction.rollback();
    else await transaction.commit();
    return { moved, rest };
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

async function shrink(store: Store, signal: AbortSignal | undefined): Promise<void> {
  await store.writerLock.acquire({ signal });
  try {
    await store.shrink();
  } finally {
    store.writerLock.release();
  }
}

function stopped(signal: AbortSignal): StoreError {
  return new StoreError(
    'ABORTED',
    'the compaction was stopped by its signal: the store is whole, and what was moved stays moved',
    {
      cause: signal.reason,
    },
  );
}
