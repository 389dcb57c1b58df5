/**
 * Opens or creates the file of a store: takes its lock, finds the newest whole meta page, and gives
 * back what interrupted work left behind.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import { resolve } from 'node:path';
import { StoreError } from '../errors.js';
import type { LogRecord } from '../format/log-record.js';
import { hasMagic, META_PAGES, type Meta } from '../format/meta-page.js';
import { PAGE_SIZES, type PageSize, pageCorrupt } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { SpaceGeometry } from '../format/space-page.js';
import { DiskFile } from './disk-file.js';
import { storeLocked, tryLockFile } from './file-lock.js';
import { syncFolder } from './folder.js';
import { uninterrupted } from './interrupted.js';
import { MemoryFile } from './memory-file.js';
import { OverlayFile } from './overlay-file.js';
import { PageCache } from './page-cache.js';
import { holderOf, openPending, openPendingReadOnly, pendingExists, removePending } from './pending-file.js';
import { forgetLog, PendingLog, type SyncThread } from './pending-log.js';
import { Store } from './store.js';
import { fileError, type StoreFile } from './store-file.js';
import { createImage, isUnfinishedImage } from './store-image.js';
import { newestMeta, readMetas } from './store-metas.js';
import { removeLeftovers } from './temporary-files.js';

export interface StoreOptions {
  readonly readOnly: boolean;
  readonly create: boolean;
  readonly pageSize: PageSize;
  readonly cacheBytesMax: number;
  readonly dirtyBytesMax: number;
  readonly durable: boolean;
  /** Default: 'thread'. */
  readonly syncOn?: SyncThread;
  /** Bytes of each half of the log, part of its format: another number only for files that no one else opens. */
  readonly logHalfBytes?: number;
}

/**
 * What opening found and mended after an interrupted run.
 *
 * @example
 * ```ts
 * const { clean, commitsReplayed } = db.recovery; // => { clean: true, commitsReplayed: 0 }
 * if (!clean) console.error(`the last run was cut short; ${commitsReplayed} commits were done again`);
 * ```
 */
export interface RecoveryReport {
  /** Whether the last run closed the store; false also for one that was killed without work under way. */
  readonly clean: boolean;
  /** Whether a meta page was torn or damaged, so that the other one, perhaps older, was used. */
  readonly metaPageDamaged: boolean;
  /** Pages past the end of the last checkpoint that interrupted work had written; they were cut off. */
  readonly pagesReclaimed: number;
  /** Commits since the last checkpoint that were done again from the log. */
  readonly commitsReplayed: number;
  /** Sequence of the commit that the store opened at. */
  readonly sequence: number;
}

export interface OpenedStore {
  readonly store: Store;
  /** Commits that the log tells of and the store's pages do not have yet: to be done again, in order. */
  readonly records: readonly LogRecord[];
  readonly recovery: RecoveryReport;
}

/** The files of a store, on the disk or on any double of it. */
export interface StoreFiles {
  readonly file: StoreFile;
  /** Undefined for stores in memory, and where a read-only store has none. */
  readonly log: StoreFile | undefined;
  /** Closes both, and removes the log after a clean end. */
  release(clean: boolean): Promise<void>;
}

/** Opens the store in the file at `path`, or makes it. */
export async function openStore(given: string, options: StoreOptions): Promise<OpenedStore> {
  // Absolute: the process may change its folder before the store is closed and the log removed.
  const path = resolve(given);
  const file = openFile(path, options);
  let log: DiskFile | undefined;
  let ownsLog = false;
  try {
    if (!tryLockFile(file.descriptor, options.readOnly)) throw storeLocked(path, holderOf(path));
    const empty = file.size() === 0;
    if (empty && options.readOnly) {
      const message = `${path} is empty: there is no store in it to read`;
      throw new StoreError('NOT_A_STORE', message, { details: { path } });
    }
    ownsLog = !options.readOnly && !pendingExists(path);
    // Where the last run ended cleanly there are none, and a long folder need not be gone through.
    if (!options.readOnly && !ownsLog) removeLeftovers(path);
    log = options.readOnly ? openPendingReadOnly(path) : openPending(path);
    const opened = await openOn(storeFiles(path, file, log, options.readOnly), options);
    if (!options.readOnly) syncFolder(path);
    return opened;
  } catch (error) {
    // The log of an interrupted run stays for whoever can open the store; ours has nothing to tell.
    await closeFiles(path, file, log, ownsLog).catch(() => undefined);
    throw error;
  }
}

function storeFiles(path: string, file: DiskFile, log: DiskFile | undefined, readOnly: boolean): StoreFiles {
  return { file, log, release: (clean) => closeFiles(path, file, log, clean && !readOnly) };
}

/** Closes both files whatever happens: the lock goes with the store's own. */
async function closeFiles(
  path: string,
  file: DiskFile,
  log: DiskFile | undefined,
  removesLog: boolean,
): Promise<void> {
  try {
    await log?.close();
    // Before the lock goes: another opener must not find the log of a clean end.
    if (removesLog) removePending(path);
  } finally {
    await file.close();
  }
}

/** A store that lives in memory and is gone when it is closed. */
export async function openMemoryStore(options: StoreOptions): Promise<OpenedStore> {
  const file = new MemoryFile();
  return openOn({ file, log: undefined, release: () => file.close() }, { ...options, durable: false });
}

/** Opens a store on files that the caller has exclusive use of. */
export async function openOn(files: StoreFiles, options: StoreOptions): Promise<OpenedStore> {
  const { file } = files;
  const found = readMetas(file);
  let damaged = found.damaged;
  let newest = newestMeta(found.metas);
  const fresh = newest === undefined;
  if (newest === undefined) {
    await create(files, options);
    newest = newestMeta(readMetas(file).metas);
    damaged = false;
    if (newest === undefined)
      throw new StoreError('IO_ERROR', `the new store at ${file.path} cannot be read back: check the disk`);
  }
  // A process that was killed may have left a meta page that only the system's memory has: nothing may be
  // built on it, and no page that the one before it reaches be used again, until it is on the disk.
  if (!fresh && !options.readOnly) await file.sync();
  const { log, records, interrupted } = await openLog(files.log, newest, fresh, options);
  const pagesReclaimed = await cutTail(file, newest, options.readOnly);
  const cache = new PageCache(newest.pageSize, options.cacheBytesMax, options.dirtyBytesMax);
  const salt = crypto.randomBytes(4).readUInt32LE();
  const { readOnly, durable, syncOn = 'thread' } = options;
  const release = (clean: boolean): Promise<void> => files.release(clean);
  const store = new Store({
    // What the log tells of is done again in memory where nothing may be written.
    file: readOnly && records.length > 0 ? new OverlayFile(file) : file,
    meta: newest,
    cache,
    salt,
    readOnly,
    durable,
    syncOn,
    log: durable && !readOnly ? log : undefined,
    release,
  });
  const recovery = {
    clean: !interrupted && !damaged,
    metaPageDamaged: damaged,
    pagesReclaimed,
    commitsReplayed: records.length,
    sequence: records.at(-1)?.sequence ?? newest.sequence,
  };
  return { store, records, recovery };
}

interface OpenedLog {
  readonly log: PendingLog | undefined;
  readonly records: readonly LogRecord[];
  /** Whether the log was there already: the last run did not end cleanly. */
  readonly interrupted: boolean;
}

async function openLog(
  file: StoreFile | undefined,
  meta: Meta,
  fresh: boolean,
  options: StoreOptions,
): Promise<OpenedLog> {
  if (file === undefined) return { log: undefined, records: [], interrupted: false };
  const log = new PendingLog(file, meta.storeId, options.logHalfBytes);
  log.checkStore(fresh);
  const interrupted = !fresh && file.size() > 0;
  const records = interrupted ? log.read(meta.generation, meta.sequence) : [];
  log.switchTo(meta.generation);
  if (!options.readOnly) await log.begin(process.pid);
  return { log, records, interrupted };
}

function openFile(path: string, options: StoreOptions): DiskFile {
  const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants;
  const flags = options.readOnly ? O_RDONLY : options.create ? O_RDWR | O_CREAT : O_RDWR;
  let isFile = false;
  try {
    const descriptor = uninterrupted(() => fs.openSync(path, flags, 0o644));
    try {
      isFile = uninterrupted(() => fs.fstatSync(descriptor)).isFile();
      if (isFile) return new DiskFile(path, descriptor);
    } finally {
      if (!isFile) fs.closeSync(descriptor);
    }
  } catch (cause) {
    throw openError(path, cause);
  }
  throw new StoreError(
    'NOT_A_STORE',
    `${path} is not a file: name the file that holds, or is to hold, the store`,
    { details: { path } },
  );
}

function openError(path: string, cause: unknown): StoreError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new StoreError(
      'STORE_NOT_FOUND',
      `there is no store at ${path}: check the path, and that its folder exists`,
      { cause, details: { path } },
    );
  }
  if (code === 'EISDIR') {
    return new StoreError(
      'NOT_A_STORE',
      `${path} is a folder: name the file that holds, or is to hold, the store`,
      { cause, details: { path } },
    );
  }
  return fileError('open', path, cause);
}

/** Makes a new store where there is none; refuses to overwrite anything that might hold data. */
async function create({ file, log }: StoreFiles, options: StoreOptions): Promise<void> {
  const size = file.size();
  if (size > 0 && !isUnfinishedStore(file, size)) throw notAStore(file, size);
  if (options.readOnly) throw notAStore(file, size);
  if (log !== undefined) await forgetLog(log);
  try {
    await writeImage(file, createImage(options.pageSize), META_PAGES * options.pageSize);
  } catch (error) {
    // What a failed sync leaves is shown to whoever opens the file next, and is perhaps not on the disk.
    await file.truncate(0).catch(() => undefined);
    throw error;
  }
}

async function writeImage(file: StoreFile, image: Buffer, metaBytes: number): Promise<void> {
  await file.truncate(0);
  await file.write(image, metaBytes, image.length - metaBytes, metaBytes);
  await file.sync();
  // Last, so that a meta page that holds means that all else is on the disk.
  await file.write(image, 0, metaBytes, 0);
  await file.sync();
}

/** Whether the file is what a crash during `create` leaves, and so holds nothing yet. */
function isUnfinishedStore(file: StoreFile, size: number): boolean {
  const largest = PAGE_SIZES[PAGE_SIZES.length - 1];
  if (size > new SpaceGeometry(largest).fixedEnd(0) * largest) return false;
  const bytes = Buffer.alloc(size);
  file.readSync(bytes, 0, size, 0);
  return isUnfinishedImage(bytes);
}

function notAStore(file: StoreFile, size: number): StoreError {
  const memory = new PageMemory(PAGE_SIZES[PAGE_SIZES.length - 1] * META_PAGES);
  file.readSync(memory.bytes, 0, Math.min(size, memory.bytes.length), 0);
  const ours = hasMagic(memory.bytes, 0) || PAGE_SIZES.some((pageSize) => hasMagic(memory.bytes, pageSize));
  if (ours) return pageCorrupt(0, 'neither meta page holds, so no commit can be found');
  const message = `${file.path} is not a btree-store file: check the path; nothing was changed`;
  return new StoreError('NOT_A_STORE', message, { details: { path: file.path } });
}

/** Cuts off pages that unfinished work appended after the last checkpoint; returns how many. */
async function cutTail(file: StoreFile, meta: Meta, readOnly: boolean): Promise<number> {
  const end = meta.pageCount * meta.pageSize;
  const size = file.size();
  if (size < end && !readOnly)
    throw pageCorrupt(Math.floor(size / meta.pageSize), 'the file was cut off before it');
  if (size <= end || readOnly) return 0;
  await file.truncate(end);
  return Math.ceil((size - end) / meta.pageSize);
}
