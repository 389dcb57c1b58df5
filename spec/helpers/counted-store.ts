// Stores on files that count what is asked of them, for specs of what the engine does to its file and log.

import fs from 'node:fs';
import { StoreDatabase } from '../../lib/database.js';
import { recover } from '../../lib/recover.js';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { OverlayFile } from '../../lib/storage/overlay-file.js';
import type { Store } from '../../lib/storage/store.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { openOn, type StoreOptions } from '../../lib/storage/store-open.js';
import { storeOptions } from './store-bytes.js';

/** Passes everything on, and counts. */
export class CountedFile implements StoreFile {
  writes = 0;
  bytesWritten = 0;
  bytesRead = 0;
  /** Those of the bytes that were read while the event loop stood still. */
  bytesReadSync = 0;
  syncs = 0;
  /** Those of the syncs that held up the event loop. */
  syncsOnLoop = 0;
  truncates = 0;
  private readonly file: StoreFile;

  constructor(file: StoreFile) {
    this.file = file;
  }

  get path(): string {
    return this.file.path;
  }

  reset(): void {
    this.writes = 0;
    this.bytesWritten = 0;
    this.bytesRead = 0;
    this.bytesReadSync = 0;
    this.syncs = 0;
    this.syncsOnLoop = 0;
    this.truncates = 0;
  }

  readSync(target: Buffer, offset: number, length: number, position: number): number {
    return this.countReadSync(this.file.readSync(target, offset, length, position));
  }

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    return this.countRead(await this.file.read(target, offset, length, position));
  }

  readManySync(targets: readonly Buffer[], position: number): number {
    return this.countReadSync(this.file.readManySync(targets, position));
  }

  async readMany(targets: readonly Buffer[], position: number): Promise<number> {
    return this.countRead(await this.file.readMany(targets, position));
  }

  writeSync(source: Buffer, offset: number, length: number, position: number): void {
    this.countWrite(length);
    this.file.writeSync(source, offset, length, position);
  }

  async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    this.countWrite(length);
    await this.file.write(source, offset, length, position);
  }

  async sync(): Promise<void> {
    this.syncs++;
    await this.file.sync();
  }

  syncSync(): void {
    this.syncs++;
    this.syncsOnLoop++;
    this.file.syncSync();
  }

  size(): number {
    return this.file.size();
  }

  async truncate(size: number): Promise<void> {
    this.truncates++;
    await this.file.truncate(size);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private countReadSync(bytes: number): number {
    this.bytesReadSync += bytes;
    return this.countRead(bytes);
  }

  private countRead(bytes: number): number {
    this.bytesRead += bytes;
    return bytes;
  }

  private countWrite(bytes: number): void {
    this.writes++;
    this.bytesWritten += bytes;
  }
}

/** A file in memory of which only the pages that were written take any: it may be as long as one likes. */
export class SparseFile extends OverlayFile {
  constructor() {
    super(new MemoryFile('sparse'));
  }

  override async sync(): Promise<void> {}
}

/** A file of which a sync, once it is shut, waits until it is let through. */
export class GatedFile extends SparseFile {
  isWaiting = false;
  /** Resolves once a sync waits. */
  reached: Promise<void> = Promise.resolve();
  private gate: Promise<void> = Promise.resolve();
  private open: () => void = () => undefined;
  private arrive: () => void = () => undefined;

  shut(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
    this.reached = new Promise((resolve) => {
      this.arrive = resolve;
    });
  }

  letThrough(): void {
    this.open();
  }

  override async sync(): Promise<void> {
    this.isWaiting = true;
    this.arrive();
    await this.gate;
    this.isWaiting = false;
  }
}

/** An open store, what is below it, and the files that it stands on. */
export interface CountedStore {
  readonly db: StoreDatabase;
  readonly store: Store;
  readonly file: CountedFile;
  readonly log: CountedFile;
  /** Bytes that opening read from the file, and wrote to it. */
  readonly opening: { readonly bytesRead: number; readonly bytesWritten: number };
}

/** Opens the store in this file, with what is in this log, and counts from then on. */
export async function openCountedOn(
  files: { file: StoreFile; log: StoreFile; release?: (clean: boolean) => Promise<void> },
  more: Partial<StoreOptions> = {},
): Promise<CountedStore> {
  const file = new CountedFile(files.file);
  const log = new CountedFile(files.log);
  const opened = await openOn(
    { file, log, release: files.release ?? (async () => undefined) },
    storeOptions({ cacheBytesMax: 64 << 20, dirtyBytesMax: 32 << 20, ...more }),
  );
  await recover(opened);
  const opening = { bytesRead: file.bytesRead, bytesWritten: file.bytesWritten };
  file.reset();
  log.reset();
  return { db: new StoreDatabase(opened.store, opened.recovery), store: opened.store, file, log, opening };
}

/** Opens the store at this path, with its log beside it, but without a lock. */
export function openCounted(path: string, more: Partial<StoreOptions> = {}): Promise<CountedStore> {
  const { O_RDWR, O_CREAT } = fs.constants;
  const open = (name: string): DiskFile => new DiskFile(name, fs.openSync(name, O_RDWR | O_CREAT, 0o644));
  const file = open(path);
  const log = open(`${path}.pending`);
  const release = async (clean: boolean): Promise<void> => {
    await log.close();
    if (clean) fs.rmSync(log.path);
    await file.close();
  };
  return openCountedOn({ file, log, release }, more);
}
