/** Where a store's pending log lies on the disk, and how it is opened and removed. */
import fs from 'node:fs';
import { DiskFile } from './disk-file.js';
import { uninterrupted } from './interrupted.js';
import { readPendingHeader } from './pending-log.js';
import { fileError } from './store-file.js';

export function pendingPath(path: string): string {
  return `${path}.pending`;
}

/**
 * The process that last opened the store for writing, if its note can be read and it lives still: readers
 * leave no note, and the one of a killed writer stays until the next one comes.
 */
export function holderOf(path: string): number | undefined {
  try {
    const file = openExisting(pendingPath(path), fs.constants.O_RDONLY);
    if (file === undefined) return undefined;
    try {
      const pid = readPendingHeader(file)?.pid;
      return pid !== undefined && isAlive(pid) ? pid : undefined;
    } finally {
      fs.closeSync(file.descriptor);
    }
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 is sent to nobody: it only asks whether there is someone.
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}

export function pendingExists(path: string): boolean {
  return fs.existsSync(pendingPath(path));
}

/** Opens the log for writing, or makes it. */
export function openPending(path: string): DiskFile {
  try {
    return new DiskFile(
      pendingPath(path),
      uninterrupted(() => fs.openSync(pendingPath(path), fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)),
    );
  } catch (cause) {
    throw fileError('open', pendingPath(path), cause);
  }
}

/** Opens the log for reading; undefined if there is none. */
export function openPendingReadOnly(path: string): DiskFile | undefined {
  return openExisting(pendingPath(path), fs.constants.O_RDONLY);
}

function openExisting(path: string, flags: number): DiskFile | undefined {
  try {
    return new DiskFile(
      path,
      uninterrupted(() => fs.openSync(path, flags)),
    );
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw fileError('open', path, cause);
  }
}

export function removePending(path: string): void {
  try {
    uninterrupted(() => fs.rmSync(pendingPath(path), { force: true }));
  } catch (cause) {
    throw fileError('remove', pendingPath(path), cause);
  }
}
