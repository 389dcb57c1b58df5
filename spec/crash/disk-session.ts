// Opens a store on a simulated disk, in the steps that opening a path takes: files, store, folder, replay.

import { type Database, StoreError } from 'btree-store';
import { recover } from '../../lib/recover.js';
import { openOn, type StoreFiles, type StoreOptions } from '../../lib/storage/store-open.js';
import { DiskBackupPlace, DiskDatabase } from './disk-backup.js';
import type { SimulatedDisk, SimulatedFile } from './simulated-disk.js';

/** Makes what a store is opened on instead of the files themselves. */
export type Double = (files: StoreFiles, disk: SimulatedDisk) => StoreFiles;

/** What may differ from one workload to the next; small bounds, so that little data reaches them. */
export interface SessionOptions {
  readonly pageSize?: StoreOptions['pageSize'];
  readonly dirtyBytesMax?: number;
  readonly cacheBytesMax?: number;
  readonly logHalfBytes?: number;
  readonly durable?: boolean;
  readonly syncOn?: StoreOptions['syncOn'];
  /** Puts a double between the store and the disk. */
  readonly double?: Double;
  /** The same for the store that a backup makes. */
  readonly backupDouble?: Double;
}

function storeOptions(options: SessionOptions, readOnly: boolean): StoreOptions {
  return {
    readOnly,
    create: true,
    pageSize: options.pageSize ?? 4096,
    cacheBytesMax: options.cacheBytesMax ?? 64 * 4096,
    dirtyBytesMax: options.dirtyBytesMax ?? 64 * 4096,
    durable: options.durable ?? true,
    syncOn: options.syncOn,
    logHalfBytes: options.logHalfBytes ?? 64 * 1024,
  };
}

export async function openOnDisk(
  disk: SimulatedDisk,
  options: SessionOptions,
  readOnly = false,
): Promise<Database> {
  const file = readOnly ? disk.open('store', true) : disk.create('store');
  if (file === undefined) throw new StoreError('STORE_NOT_FOUND', 'there is no store on the simulated disk');
  const ownsLog = !readOnly && !disk.exists('log');
  const log = readOnly ? disk.open('log', true) : disk.create('log');
  const files = filesOf(disk, file, log, readOnly);
  const opened = await openOn(options.double?.(files, disk) ?? files, storeOptions(options, readOnly)).catch(
    (error: unknown) => {
      if (ownsLog) disk.unlink('log');
      throw error;
    },
  );
  if (!readOnly) disk.syncFolder();
  await recover(opened);
  return new DiskDatabase(opened, new DiskBackupPlace(disk, options.backupDouble));
}

function filesOf(
  disk: SimulatedDisk,
  file: SimulatedFile,
  log: SimulatedFile | undefined,
  readOnly: boolean,
): StoreFiles {
  return {
    file,
    log,
    release: async (clean) => {
      await log?.close();
      if (clean && !readOnly) disk.unlink('log');
      await file.close();
    },
  };
}
