/**
 * An open store below its trees: pages, transactions over them, commits, snapshots. It knows a
 * catalog's root but not what a catalog is.
 */
import { StoreError } from '../errors.js';
import type { Meta } from '../format/meta-page.js';
import { SpaceGeometry } from '../format/space-page.js';
import { type CheckpointState, finishCheckpoint, prepareCheckpoint } from './checkpoint.js';
import { HeldPages } from './held-pages.js';
import { NumberList } from './number-list.js';
import type { PageCache } from './page-cache.js';
import { PageTransaction, stampOf } from './page-transaction.js';
import { PageWriter } from './page-writer.js';
import { Pager } from './pager.js';
import { Snapshots } from './snapshots.js';
import { Space } from './space.js';
import { SpacePages } from './space-pages.js';
import type { StoreFile } from './store-file.js';
import { WriterLock } from './writer-lock.js';

/** The state that readers see: what the last commit left. */
export interface Commit {
  readonly sequence: number;
  readonly catalogPage: number;
  readonly catalogStamp: number;
  readonly buckets: number;
}

export interface StoreParts {
  readonly file: StoreFile;
  readonly meta: Meta;
  readonly cache: PageCache;
  readonly salt: number;
  readonly readOnly: boolean;
  /** false: commits resolve before they are on the disk; the file stays consistent all the same. */
  readonly durable: boolean;
  /** Gives the lock back and removes what an open store keeps beside its file. */
  readonly release: () => Promise<void>;
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
  private readonly salt: number;
  private readonly durable: boolean;
  private readonly releaseFile: () => Promise<void>;
  private meta: Meta;
  private lastSequence: number;
  private latest: Commit;
  private failure: StoreError | undefined;
  private closing: Promise<void> | undefined;
  private checkpointing = false;

  constructor(parts: StoreParts) {
    const { file, meta } = parts;
    this.file = file;
    this.readOnly = parts.readOnly;
    this.durable = parts.durable;
    this.salt = parts.salt;
    this.meta = meta;
    this.releaseFile = parts.release;
    this.lastSequence = meta.sequence;
    this.latest = {
      sequence: meta.sequence,
      catalogPage: meta.catalogPage,
      catalogStamp: meta.catalogStamp,
      buckets: meta.buckets,
    };
    this.pager = new Pager(parts.cache, file);
    this.writer = new PageWriter(file, meta.pageSize);
    const spacePages = new SpacePages(file, new SpaceGeometry(meta.pageSize));
    this.space = new Space(meta.pageSize, spacePages, meta.pageCount, meta.freePages, meta.directories);
    this.snapshots = new Snapshots(() => this.collect());
  }

  get committed(): Commit {
    return this.latest;
  }

  get checkpoint(): Meta {
    return this.meta;
  }

  get heldPages(): number {
    return this.held.count;
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
    if (this.failure !== undefined) {
      const message = `an earlier write to ${this.file.path} failed and left unknown what the disk holds: close the store and open it again`;
      throw new StoreError('STORE_FAILED', message, { cause: this.failure });
    }
  }

  /** Begins a transaction over pages; the caller holds the writer's lock. */
  begin(): PageTransaction {
    this.assertWritable();
    return new PageTransaction(
      this.pager,
      this.space,
      this.writer,
      this.snapshots,
      this.salt,
      () => ++this.lastSequence,
    );
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
   * stores resolve once it is on the disk; others keep it in memory until the next checkpoint.
   */
  async commit(transaction: PageTransaction, catalog: Omit<Commit, 'sequence'>): Promise<Commit> {
    const { pages, births } = transaction.freed;
    if (pages.length === 0 && transaction.bornPages.length === 0) return this.latest;
    const commit: Commit = { ...catalog, sequence: transaction.sequence };
    for (let i = 0; i < pages.length; i++) this.space.free(pages.at(i));
    try {
      if (this.durable || this.pager.cache.dirtyFrames >= this.pager.cache.dirtyFramesMax >>> 1)
        await this.writeCheckpoint(commit);
    } catch (error) {
      for (let i = 0; i < pages.length; i++) this.space.unfree(pages.at(i));
      this.collect();
      throw error;
    }
    this.held.add(pages, births, commit.sequence);
    this.latest = commit;
    this.collect();
    return commit;
  }

  /**
   * Writes all that is in memory only, and a meta page that reaches `commit`. If it raises before the
   * meta page was touched, the state in memory is as before and the store goes on.
   */
  private async writeCheckpoint(commit: Commit): Promise<void> {
    this.checkpointing = true;
    try {
      await this.writeDirtyPages(commit);
    } finally {
      this.checkpointing = false;
    }
  }

  private async writeDirtyPages(commit: Commit): Promise<void> {
    const { cache } = this.pager;
    const bases = cache.dirtyBases();
    await this.writer.write(this.pager.memory, bases);
    const state: CheckpointState = { ...commit, stamp: stampOf(this.salt, commit.sequence) };
    const plan = await prepareCheckpoint(this, state);
    try {
      await this.writer.sync();
      this.meta = await finishCheckpoint(this, state, plan, this.meta);
    } catch (error) {
      // Whether the new meta page or its pages reached the disk cannot be known, so no later write may
      // build on either answer.
      this.failure =
        error instanceof StoreError ? error : new StoreError('IO_ERROR', String(error), { cause: error });
      throw error;
    }
    for (const base of bases) cache.markClean(base);
  }

  private collect(): void {
    // The checkpoint writes dirty frames and then marks them clean: none may get another page meanwhile.
    if (this.checkpointing) return;
    this.held.collect(this.meta.sequence, this.snapshots, (page) => {
      // What is left of it in memory must neither be written by a checkpoint nor be found again.
      this.pager.cache.discard(page);
      this.space.makeAvailable(page);
    });
  }

  /** Waits for the writer, refuses whoever comes after, and gives the file back. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    await this.writerLock.close(storeClosed(this.file.path));
    try {
      const behind = this.latest.sequence > this.meta.sequence;
      if (behind && !this.readOnly && this.failure === undefined) await this.writeCheckpoint(this.latest);
    } finally {
      await this.releaseFile();
    }
  }
}

function storeClosed(path: string): StoreError {
  return new StoreError('STORE_CLOSED', `the store ${path} is closed: open it again`);
}
