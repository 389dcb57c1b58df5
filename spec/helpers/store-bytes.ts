// Stores whose file is at hand as bytes: kept as they were at some moment, damaged, and opened again.

import { StoreDatabase } from '../../lib/database.js';
import type { PageSize } from '../../lib/format/page.js';
import { recover } from '../../lib/recover.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { type OpenedStore, openOn, type StoreOptions } from '../../lib/storage/store-open.js';

/** The smallest cache that there is, so that pages come and go. */
const SMALLEST = 1;

export function storeOptions(more: Partial<StoreOptions> = {}): StoreOptions {
  return {
    readOnly: false,
    create: true,
    pageSize: 4096,
    cacheBytesMax: SMALLEST,
    dirtyBytesMax: SMALLEST,
    durable: true,
    ...more,
  };
}

/** A file in memory that begins with these bytes. */
export function fileOf(bytes: Uint8Array): MemoryFile {
  const file = new MemoryFile('bytes');
  file.writeSync(Buffer.from(bytes), 0, bytes.length, 0);
  return file;
}

export function bytesOf(file: StoreFile): Buffer {
  const bytes = Buffer.alloc(file.size());
  file.readSync(bytes, 0, bytes.length, 0);
  return bytes;
}

/** Opens a store below its public face on a file, without a log beside it. */
export function openFileStore(file: StoreFile, more: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  return openOn({ file, log: undefined, release: () => file.close() }, storeOptions(more));
}

/** Opens a store on a file, without a log beside it: each commit is a checkpoint. */
export async function openFile(file: StoreFile, more: Partial<StoreOptions> = {}): Promise<StoreDatabase> {
  const opened = await openFileStore(file, more);
  await recover(opened);
  return new StoreDatabase(opened.store, opened.recovery);
}

export function openBytes(bytes: Uint8Array, more: Partial<StoreOptions> = {}): Promise<StoreDatabase> {
  return openFile(fileOf(bytes), more);
}

export type Step = (db: StoreDatabase) => Promise<unknown>;

/** The bytes of a store, as each of the steps leaves it behind after a clean close. */
export async function bytesAfter(pageSize: PageSize, ...steps: readonly Step[]): Promise<Buffer[]> {
  const kept: Buffer[] = [];
  const file = new MemoryFile('bytes');
  for (const step of steps) {
    const db = await openFile(file, { pageSize });
    await step(db);
    await db.close();
    kept.push(bytesOf(file));
  }
  return kept;
}

/** The bytes of a store after a step, before a close makes both meta pages tell of the same commit. */
export async function bytesDuring(bytes: Buffer, step: Step): Promise<Buffer> {
  const file = fileOf(bytes);
  const db = await openFile(file);
  await step(db);
  const kept = bytesOf(file);
  await db.close();
  return kept;
}
