/**
 * Files that work under way keeps beside a store, `<path>.sort-<16 hex digits>`, and that are worth nothing
 * without it. Only who holds the store's lock makes them, so those that its next holder finds are leftovers.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StoreError } from '../errors.js';
import { DiskFile } from './disk-file.js';
import { fileError, type StoreFile } from './store-file.js';

/** Nothing else may match: a file with another ending is the user's. */
const ENDING = /^\.sort-[0-9a-f]{16}$/;

/** The temporary files of one piece of work. */
export class TemporaryFiles {
  private readonly open = new Set<StoreFile>();
  private readonly storePath: string | undefined;
  private closed: StoreError | undefined;

  private readonly isNameless: boolean;

  /**
   * `storePath` is undefined for a store in memory, whose files go to the system's folder for such. Files of work that
   * has no lock on the path must be nameless: no one else may tell them from those of a process that was killed.
   */
  constructor(storePath: string | undefined, isNameless = storePath === undefined) {
    this.storePath = storePath;
    this.isNameless = isNameless;
  }

  /** Raises DISK_FULL or IO_ERROR, and what the work was ended with. */
  create(): StoreFile {
    if (this.closed !== undefined) throw this.closed;
    const base = this.storePath ?? join(os.tmpdir(), 'btree-store');
    const path = `${base}.sort-${crypto.randomBytes(8).toString('hex')}`;
    const { O_RDWR, O_CREAT, O_EXCL } = fs.constants;
    let descriptor: number;
    try {
      descriptor = fs.openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
    } catch (cause) {
      throw fileError('create', path, cause);
    }
    const file = new DiskFile(path, descriptor);
    this.open.add(file);
    // Where no one looks for leftovers, a file has a name only as long as it must.
    if (this.isNameless) unlink(path);
    return file;
  }

  /** Closes and removes a file. Requests under way must have ended. */
  async remove(file: StoreFile): Promise<void> {
    this.open.delete(file);
    unlink(file.path);
    // Its content was given up: whether the system had trouble with it does not matter any more.
    await file.close().catch(() => undefined);
  }

  /** The store was closed: the names go at once, the files with their last request; no other is made. */
  forsake(): void {
    this.closed = new StoreError('STORE_CLOSED', 'the store was closed during a bulk load: open it again');
    for (const { path } of this.open) unlink(path);
  }
}

/** Removes what a process that was killed left beside the store. The caller holds the store's lock. */
export function removeLeftovers(storePath: string): void {
  const folder = dirname(storePath);
  const name = basename(storePath);
  try {
    for (const entry of fs.readdirSync(folder))
      if (entry.startsWith(name) && ENDING.test(entry.slice(name.length))) unlink(join(folder, entry));
  } catch {
    // A folder that may not be listed: the store can be opened all the same.
    return;
  }
}

/** Where a system refuses, the file is a leftover: no reason for a load to fail that was done. */
function unlink(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    return;
  }
}
