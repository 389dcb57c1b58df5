/** The folder of a store's files: names in it are on the disk only once it is synced itself. */
import fs from 'node:fs';
import { uninterrupted } from './interrupted.js';
import { fileError } from './store-file.js';

/** What a disk says that cannot keep the name; anything else is a system that does not sync folders. */
const FAILURES = new Set(['EIO', 'ENOSPC', 'EDQUOT']);

/** Makes the names beside `path` durable. Some systems refuse; theirs is the risk. A failing disk raises. */
export function syncFolder(path: string): void {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const folder = slash < 0 ? '.' : path.slice(0, slash + 1);
  try {
    const descriptor = uninterrupted(() => fs.openSync(folder, fs.constants.O_RDONLY));
    try {
      uninterrupted(() => fs.fsyncSync(descriptor));
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && FAILURES.has(String(error.code)))
      throw fileError('sync the folder of', path, error);
  }
}
