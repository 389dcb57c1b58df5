/** A consistent, compacted copy of a store in another file, made while readers and the writer go on. */
import type { BackupPlace } from './backup-place.js';
import { pinTree } from './bucket-view.js';
import { StoreError } from './errors.js';
import type { TreeRoot } from './format/catalog-record.js';
import { isOwnFile } from './storage/own-files.js';
import type { Store } from './storage/store.js';
import { fileError } from './storage/store-file.js';
import { Stretch } from './stream/stretch.js';
import { Transaction } from './transaction.js';
import { catalogEntries, catalogRoot } from './tree/catalog.js';
import { copyTree } from './tree/copy-tree.js';

/**
 * How a backup is made.
 *
 * @example
 * ```ts
 * await db.backup('copy.db', { signal: AbortSignal.timeout(60_000) });
 * ```
 */
export interface BackupOptions {
  /** Stops the copy, which leaves no file. Rejects with ABORTED. */
  readonly signal?: AbortSignal;
}

const CACHE_BYTES = 4 * 1024 * 1024;

/**
 * Copies the latest commit under another name and gives the file its name only when it is whole and on
 * the disk: a copy that is cut short leaves at most a file whose name goes on with `.partial-`.
 */
export async function backupStore(store: Store, place: BackupPlace, options: BackupOptions): Promise<void> {
  store.assertOpen();
  const { path } = place;
  const taken = place.taken();
  if (taken !== undefined) throw takenAlready(taken);
  if (isOwnFile(store.file.path, path)) {
    const message = `${path} is a file of the store's own: name another for the backup`;
    throw new StoreError('CONFLICT', message, { details: { path } });
  }
  const folder = place.missingFolder();
  if (folder !== undefined) {
    const message = `there is no folder ${folder} for the backup ${path}: make it, or name a file in another`;
    throw new StoreError('STORE_NOT_FOUND', message, { details: { path, folder } });
  }
  try {
    await copyStore(store, place, options);
    if (!place.name()) throw takenAlready(path);
    clearIfPossible(place);
  } catch (error) {
    clearIfPossible(place);
    throw error instanceof StoreError ? error : fileError('write', path, error);
  }
}

function takenAlready(path: string): StoreError {
  const message = `there is a file at ${path} already: name another for the backup, or move it away`;
  return new StoreError('CONFLICT', message, { details: { path } });
}

/** After a failure, which is what is told: a file that stays behind is known by its name. */
function clearIfPossible(place: BackupPlace): void {
  try {
    place.clear();
  } catch {
    return;
  }
}

async function copyStore(store: Store, place: BackupPlace, options: BackupOptions): Promise<void> {
  const { committed } = store;
  // Before anything is waited for: the copy is of the commit at the time of the call.
  const pinned = pinTree(store, committed.sequence, catalogRoot(committed));
  try {
    const { store: target } = await place.open({
      readOnly: false,
      create: true,
      pageSize: store.checkpoint.pageSize,
      cacheBytesMax: CACHE_BYTES,
      dirtyBytesMax: CACHE_BYTES,
      durable: true,
    });
    try {
      await copyBuckets(store, pinned.root, target, pauseOf(options.signal));
    } finally {
      await target.close();
    }
  } finally {
    pinned.release();
  }
}

async function copyBuckets(
  store: Store,
  catalog: TreeRoot,
  target: Store,
  pause: () => Promise<void>,
): Promise<void> {
  const transaction = new Transaction(target, () => undefined);
  try {
    // A copy may be short, and be stopped all the same.
    await pause();
    for (const { name, record } of catalogEntries(store.pager, catalog)) {
      transaction.createBucket(name);
      await transaction.build(name, () => copyTree(store.pager, record.root, transaction.pages, pause));
      if (record.checkpoint !== undefined) transaction.setCheckpoint(name, record.checkpoint);
    }
    await pause();
    await transaction.commit();
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

/** Lets the event loop go on now and then, and raises once the signal has fired. */
function pauseOf(signal: AbortSignal | undefined): () => Promise<void> {
  const stretch = new Stretch();
  return async () => {
    if (signal?.aborted === true) {
      throw new StoreError('ABORTED', 'the backup was stopped by its signal: there is no copy', {
        cause: signal.reason,
      });
    }
    if (stretch.isOver) await stretch.pause();
  };
}
