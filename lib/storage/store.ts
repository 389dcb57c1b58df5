/**
 * An open store below its trees: pages, transactions over them, commits, snapshots. It knows a
 * catalog's root but not what a catalog is.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreError } from '../errors.js';
import type { LogRecordWriter } from '../format/log-record.js';
import { META_PAGES, type Meta } from '../format/meta-page.js';
import { SpaceGeometry } from '../format/space-page.js';
import type { CheckpointState } from './checkpoint.js';
import { Checkpointer } from './checkpointer.js';
import { HeldPages } from './held-pages.js';
import { NumberList } from './number-list.js';
import type { PageCache } from './page-cache.js';
import { PageTransaction, stampOf } from './page-transaction.js';
import { PageWriter } from './page-writer.js';
import { Pager } from './pager.js';
import type { PendingLog, SyncThread } from './pending-log.js';
import { Reservation } from './reservation.js';
import { Snapshots } from './snapshots.js';
import { Space } from './space.js';
import { SpacePages } from './space-pages.js';
import { asStoreError, type StoreFile } from './store-file.js';
import { WriterLock } from './writer-lock.js';

/** The state that readers see: what the last commit left. */
export interface Commit {
  readonly sequence: number;
  readonly catalogPage: number;
  readonly catalogStamp: number;
  readonly buckets: number;
}

/** Bytes of a load between two syncs: enough that the syncs are few, so few that the last one is short. */
const UNSYNCED_BYTES_MAX = 16 << 20;
/** Past so many pages that only a checkpoint sets free, beside those that it replaces, one is due. */
const HELD_PAGES_MAX = 1024;

export interface StoreParts {
  readonly file: StoreFile;
  readonly meta: Meta;
  readonly cache: PageCache;
  readonly salt: number;
  readonly readOnly: boolean;
  /** false: commits resolve before they are on the disk; the file stays consistent all the same. */
  readonly durable: boolean;
  /** Who waits for the disk at small commits. */
  readonly syncOn: SyncThread;
  /** Where small commits are told; undefined for stores that are not durable, or read-only. */
  readonly log: PendingLog | undefined;
  /** Gives the lock back and removes what an open store keeps beside its file. */
  readonly release: (clean: boolean) => Promise<void>;
}

export class Store {
  readonly file: StoreFile;
  readonly readOnly: boolean;
  readonly pager: Pager;
  readonly space: Space;
  readonly writer: PageWriter;
  readonly snapshots: Snapshots;
  readonly writerLock = new WriterLock();
  private readonly held = new HeldPages();
  /** Pages freed by this sequence wait for snapshots alone: no checkpoint sets them free. */
  private waitingAfter: number;
  private readonly salt: number;
  private readonly durable: boolean;
  private readonly syncOn: SyncThread;
  private readonly releaseFile: (clean: boolean) => Promise<void>;
  private readonly checkpointer: Checkpointer;
  private readonly log: PendingLog | undefined;
  private commitCount = 0;
  private lastSequence: number;
  private latest: Commit;
  private failure: StoreError | undefined;
  private closing: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    const { file, meta } = parts;
    this.file = file;
    this.readOnly = parts.readOnly;
    this.durable = parts.durable;
    this.syncOn = parts.syncOn;
    this.salt = parts.salt;
    this.log = parts.log;
    this.releaseFile = parts.release;
    this.lastSequence = meta.sequence;
    this.waitingAfter = meta.sequence;
    this.latest = {
      sequence: meta.sequence,
      catalogPage: meta.catalogPage,
      catalogStamp: meta.catalogStamp,
      buckets: meta.buckets,
    };
    this.pager = new Pager(parts.cache, file);
    const onFailure = (error: unknown): void => this.fail(error);
    // No more waits for a sync than may be in memory only, where that is less.
    const dirtyBytesMax = parts.cache.dirtyFramesMax * meta.pageSize;
    const unsyncedBytesMax = parts.durable
      ? Math.min(dirtyBytesMax, UNSYNCED_BYTES_MAX)
      : Number.POSITIVE_INFINITY;
    this.writer = new PageWriter(file, meta.pageSize, unsyncedBytesMax, onFailure);
    const spacePages = new SpacePages(file, new SpaceGeometry(meta.pageSize));
    this.space = new Space(meta.pageSize, spacePages, meta.pageCount, meta.freePages, meta.directories);
    this.snapshots = new Snapshots((sequence, next) => this.collectAfter(sequence, next));
    const checkpointed = {
      file,
      space: this.space,
      writer: this.writer,
      cache: parts.cache,
      log: parts.log,
      onFailure,
      onDurable: () => this.collectWaiting(),
    };
    this.checkpointer = new Checkpointer(checkpointed, meta);
  }

  get committed(): Commit {
    return this.latest;
  }

  /** What the last durable meta page says. */
  get checkpoint(): Meta {
    return this.checkpointer.meta;
  }

  get checkpoints(): number {
    return this.checkpointer.checkpoints;
  }

  get heldPages(): number {
    return this.held.count;
  }

  /** Those of the held pages that a snapshot or a running read reaches. */
  get snapshotPages(): number {
    return this.held.countReached(this.snapshots.sequences);
  }

  /** Commits made since the store was opened. */
  get commits(): number {
    return this.commitCount;
  }

  get isClosed(): boolean {
    return this.closing !== undefined;
  }

  /** Raises STORE_CLOSED once `close` was called. */
  assertOpen(): void {
    if (this.closing !== undefined) throw storeClosed(this.file.path);
  }

  /** Raises what stands against writing: a closed, read-only or failed store. */
  assertWritable(): void {
    this.assertOpen();
    if (this.readOnly) {
      throw new StoreError(
        'READ_ONLY',
        `the store ${this.file.path} was opened read-only: open it without readOnly in order to write`,
      );
    }
    this.assertNotFailed();
  }

  /** Raises STORE_FAILED once a sync, or what cannot be told from a failed one, has failed. */
  private assertNotFailed(): void {
    if (this.failure === undefined) return;
    const message = `an earlier write to ${this.file.path} failed and left unknown what the disk holds: close the store and open it again`;
    throw new StoreError('STORE_FAILED', message, { cause: this.failure });
  }

  /**
   * Begins a transaction over pages; the caller holds the writer's lock. `replaying`: commits of the log
   * are done again, which a read-only store may do in memory. That keeps to the sequence that it begins with.
   */
  begin(replaying: boolean): PageTransaction {
    if (!replaying) this.assertWritable();
    const first = this.lastSequence + 1;
    return new PageTransaction(
      this.pager,
      this.space,
      this.writer,
      this.snapshots,
      this.salt,
      () => {
        this.lastSequence = replaying ? first : this.lastSequence + 1;
        return this.lastSequence;
      },
      () => Math.min(this.checkpoint.sequence, this.snapshots.oldest),
    );
  }

  /** Pages for a value that is written beside transactions. */
  reserve(): Reservation {
    this.assertWritable();
    const sequence = ++this.lastSequence;
    const { space, file, writer, pager } = this;
    return new Reservation({
      space,
      file,
      writer,
      cache: pager.cache,
      sequence,
      stamp: stampOf(this.salt, sequence),
    });
  }

  rollback(transaction: PageTransaction): void {
    const first = this.latest.sequence + 1;
    const held = this.snapshots.reaches(first);
    const pages = transaction.rollback(held);
    if (!held) return;
    const births = new NumberList();
    for (let i = 0; i < pages.length; i++) births.push(first);
    this.held.add(pages, births, ++this.lastSequence);
  }

  /**
   * Makes the transaction's pages, reached from the new catalog, the state that readers see. Durable
   * stores resolve once it is on the disk: as `record` in the log if there is one and it has room, else
   * by a checkpoint. Others, and commits that are replayed (no `record`), are kept in memory until the
   * next checkpoint.
   */
  async commit(
    transaction: PageTransaction,
    catalog: Omit<Commit, 'sequence'>,
    record: LogRecordWriter | undefined,
  ): Promise<Commit> {
    const { pages, births } = transaction.freed;
    if (pages.length === 0 && transaction.bornPages.length === 0) return this.latest;
    // A checkpoint beside this transaction may have failed since it began.
    this.assertNotFailed();
    const commit: Commit = { ...catalog, sequence: transaction.sequence };
    const logged = this.durable && record !== undefined && (await this.appendToLog(commit.sequence, record));
    for (let i = 0; i < pages.length; i++) this.space.free(pages.at(i));
    if (this.durable && record !== undefined && !logged) {
      try {
        await this.checkpointer.idle();
        this.assertNotFailed();
        await this.checkpointer.start(this.stateOf(commit));
      } catch (error) {
        for (let i = 0; i < pages.length; i++) this.space.unfree(pages.at(i));
        throw error;
      }
    }
    this.held.add(pages, births, commit.sequence);
    this.latest = commit;
    this.collectAfter(commit.sequence - 1);
    if (record !== undefined) {
      this.commitCount++;
      this.checkpointIfDue();
      // In a loop of commits that wait for no one but the event loop itself, nothing else would ever get its turn: no
      // timer, and no checkpoint, so that what is not durable would be lost with the process.
      const heldUp = logged && this.syncOn === 'loop';
      if (heldUp || (!this.durable && this.checkpointer.isRunning)) await nextTurn();
    }
    return commit;
  }

  /** After this no one can tell what the disk holds. The first failure is the one that is told. */
  private fail(error: unknown): void {
    this.failure ??= asStoreError(error);
  }

  private async appendToLog(sequence: number, record: LogRecordWriter): Promise<boolean> {
    const { log } = this;
    if (log === undefined) return false;
    const bytes = record.finish(
      log.currentGeneration,
      sequence,
      this.latest.sequence,
      this.checkpoint.storeId,
    );
    if (bytes === undefined || !log.hasRoom(bytes.length)) return false;
    log.append(bytes);
    try {
      await log.sync(this.syncOn);
    } catch (error) {
      // The record may or may not be on the disk; what comes after it could not be told apart.
      this.fail(error);
      throw error;
    }
    this.writer.counts.syncs++;
    this.writer.counts.bytesWritten += bytes.length;
    return true;
  }

  private stateOf(commit: Commit): CheckpointState {
    return { ...commit, stamp: stampOf(this.salt, commit.sequence) };
  }

  /** Starts a checkpoint beside the commits to come, if the log or the pages in memory are many. */
  private checkpointIfDue(): void {
    const { cache } = this.pager;
    const { pageCount, freePages } = this.checkpoint;
    // Pages replaced since the last checkpoint are no more than it reaches; what goes far beyond is younger.
    const held = this.held.countAfter(this.waitingAfter) - (pageCount - freePages);
    const due =
      cache.dirtyFrames >= cache.dirtyFramesMax >>> 1 || held >= HELD_PAGES_MAX || this.log?.isFull === true;
    if (!due || this.readOnly || this.checkpointer.isRunning || this.failure !== undefined) return;
    if (this.latest.sequence === this.checkpoint.sequence) return;
    // A failure that is not final is met again by whoever cannot go on without a checkpoint.
    this.checkpointer.start(this.stateOf(this.latest)).catch(() => undefined);
  }

  /**
   * Makes the file as the latest commit is, so that the log need not be read. The caller is the writer.
   * `always`: also where the file is so already, because one of its meta pages does not hold.
   */
  async checkpointNow(always = false): Promise<void> {
    await this.checkpointer.idle();
    this.assertNotFailed();
    if (always || this.latest.sequence > this.checkpoint.sequence)
      await this.checkpointer.start(this.stateOf(this.latest));
  }

  /**
   * Gives free pages at the end back to the file system, after a checkpoint that no longer counts them.
   * The caller is the writer. Returns how many pages went.
   */
  async shrink(): Promise<number> {
    await this.checkpointNow();
    const pages = this.space.trimTail();
    if (pages === 0) return 0;
    // Twice: where one meta page is damaged later, the other must not count on what is about to go.
    for (let metaPage = 0; metaPage < META_PAGES; metaPage++)
      await this.checkpointer.start(this.stateOf(this.latest));
    await this.file.truncate(this.space.pageCount * this.pager.pageSize);
    return pages;
  }

  /** Where a map of free space is damaged the file stays as long as it is: no reason not to close the store. */
  private async shrinkIfSound(): Promise<void> {
    try {
      await this.shrink();
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'PAGE_CORRUPT') throw error;
    }
  }

  /** For commits that are done again: the next one gets this sequence. */
  resumeAt(sequence: number): void {
    this.lastSequence = sequence - 1;
  }

  /** After a checkpoint: looks at pages that it set free, and at those that readers gave up meanwhile. */
  private collectWaiting(): void {
    this.collectAfter(this.waitingAfter);
    this.waitingAfter = this.checkpoint.sequence;
  }

  /**
   * Makes pages available that no one needs any more, of those freed after `sequence`. Those freed after
   * `next` too are left where a snapshot of that sequence is known to need whatever one of `sequence` did.
   */
  private collectAfter(sequence: number, next = Number.POSITIVE_INFINITY): void {
    const { snapshots, checkpointer } = this;
    // A checkpoint under way keeps all that was there when it began, so they are looked at again after it.
    if (checkpointer.isRunning) this.waitingAfter = Math.min(this.waitingAfter, sequence);
    this.held.collect(
      sequence,
      (birth, death) => checkpointer.needs(birth, death) || snapshots.needs(birth, death),
      (page) => {
        // What is left of it in memory must neither be written by a checkpoint nor be found again.
        this.pager.cache.discard(page);
        this.space.makeAvailable(page);
      },
      next,
    );
  }

  /** Waits for the writer, refuses whoever comes after, and gives the file back. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /** Gives the file back as it is, without a checkpoint: for a store that could not be opened. */
  async abandon(): Promise<void> {
    this.closing ??= this.releaseFile(false);
    await this.closing;
  }

  private async finish(): Promise<void> {
    await this.writerLock.close(storeClosed(this.file.path));
    let clean = false;
    try {
      await this.checkpointer.idle();
      // Commits that no log tells of are lost with the handle: a checkpoint beside them has failed, told to no one.
      if (!this.durable && this.latest.sequence > this.checkpoint.sequence) this.assertNotFailed();
      if (!this.readOnly && this.failure === undefined) {
        await this.checkpointNow();
        await this.shrinkIfSound();
        await this.checkpointer.evenOut(this.stateOf(this.latest));
        clean = true;
      }
    } finally {
      await this.releaseFile(clean);
    }
  }
}

function storeClosed(path: string): StoreError {
  return new StoreError('STORE_CLOSED', `the store ${path} is closed: open it again`);
}
