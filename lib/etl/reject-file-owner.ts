// Whose a file of rejects is. An import takes a name that no file has, an empty file, or the one that its own last run
// left; a slip of the pen must not cost the source, the store, or the rejects of another import. The import that has it
// holds it locked.

import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat, unlink } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import { crc32c } from '../format/checksum.js';
import { tryLockFile } from '../storage/file-lock.js';
import type { EarlierRejects } from './earlier-rejects.js';
import type { RejectFilePosition } from './import-position.js';
import { REJECT_LINE_START } from './reject.js';

const CHECKED_BYTES = 1024 * 1024;

/**
 * Opens the file, without what came after the last commit: it comes again.
 *
 * @returns The position to write at, where it is a file and no pipe or terminal.
 */
export async function openOwnRejects(
  path: string,
  earlier: EarlierRejects | undefined,
): Promise<{ handle: FileHandle; position: RejectFilePosition | undefined }> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile())
    return { handle: await openOrRefuse(path, 'w'), position: undefined };
  if (found === undefined && earlier?.goesOn === true && (earlier.file?.bytes ?? 0) > 0)
    throw notAsLeft(path, 'is missing, which has the rejects of the run that was interrupted');
  let handle = await openOrRefuse(path, found === undefined ? 'wx+' : 'r+');
  try {
    await refuseOtherContent(handle, path);
    await lock(handle, path);
    const { size } = await handle.stat();
    await refuseOthers(handle, path, size, earlier);
    const isNew = found === undefined || size > 0 || (await markOf(handle)) === earlier?.file?.mark;
    if (!isNew) handle = await replaceEmpty(handle, path, found);
    const { bytes = 0, checksum = 0 } = (earlier?.goesOn === true && earlier.file) || {};
    await handle.truncate(bytes);
    return { handle, position: { bytes, checksum, mark: await markOf(handle) } };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function refuseOtherContent(handle: FileHandle, path: string): Promise<void> {
  const head = Buffer.alloc(REJECT_LINE_START.length);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  if (bytesRead === 0 || head.toString('latin1') === REJECT_LINE_START) return;
  const message = `rejects: ${path} holds something other than rejects, and is left as it is; name another file`;
  throw new StoreError('INVALID_OPTION', message, { details: { path } });
}

/** @throws INVALID_OPTION, CONFLICT where what is there is not what the last run of the import left. */
async function refuseOthers(
  handle: FileHandle,
  path: string,
  size: number,
  earlier: EarlierRejects | undefined,
): Promise<void> {
  const { bytes = 0 } = earlier?.file ?? {};
  if (earlier?.goesOn === true && size < bytes)
    throw notAsLeft(path, `is shorter than the import left it (${size} of ${bytes} bytes)`);
  if (size === 0 || (await isAsLeft(handle, size, earlier))) return;
  throw bytes > 0
    ? conflict(path, 'holds rejects that this import did not write there, or was changed since')
    : conflict(path, 'holds the rejects of another import, or of one that kept no checkpoint');
}

/**
 * A run that was stopped may have written more than its position tells of, one that came to its end did not. What holds
 * rejects is known by them, so that a folder can be copied between two runs; what holds none, by its mark.
 */
async function isAsLeft(
  handle: FileHandle,
  size: number,
  earlier: EarlierRejects | undefined,
): Promise<boolean> {
  if (earlier?.file === undefined) return false;
  const { bytes, checksum, mark } = earlier.file;
  if (earlier.complete ? size !== bytes : size < bytes) return false;
  return bytes === 0 ? (await markOf(handle)) === mark : (await checksumOf(handle, bytes)) === checksum;
}

async function checksumOf(handle: FileHandle, length: number): Promise<number> {
  const buffer = Buffer.alloc(Math.min(length, CHECKED_BYTES));
  let checksum = 0;
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) return -1;
    checksum = crc32c(buffer.subarray(0, bytesRead), checksum);
    at += bytesRead;
  }
  return checksum;
}

/** Systems use the number of a file again once it is gone, but not its time of birth. */
async function markOf(handle: FileHandle): Promise<string> {
  const { ino, birthtimeNs } = await handle.stat({ bigint: true });
  return `${ino}-${birthtimeNs}`;
}

/**
 * Another import may have made an empty file, and know it by its mark: what is written here would be its own to take.
 * A file under several names, or behind a link, is one that somebody else made.
 */
async function replaceEmpty(handle: FileHandle, path: string, { mode, nlink }: Stats): Promise<FileHandle> {
  if (nlink !== 1 || !(await lstat(path)).isFile()) return handle;
  try {
    await unlink(path);
  } catch {
    // In a folder that must not be changed no import has made it either.
    return handle;
  }
  const made = await openOrRefuse(path, 'wx+', mode & 0o777);
  try {
    await lock(made, path);
  } catch (error) {
    await made.close();
    throw error;
  }
  await handle.close();
  return made;
}

/** @throws CONFLICT where another import writes to the file, or has just put another in its place. */
async function lock(handle: FileHandle, path: string): Promise<void> {
  const isLocked = tryLockFile(handle.fd, false);
  const [own, named] = [await handle.stat(), await stat(path).catch(() => undefined)];
  if (!isLocked || own.ino !== named?.ino || own.dev !== named.dev)
    throw conflict(path, 'is being written to by another import');
}

function notAsLeft(path: string, problem: string): StoreError {
  const message = `rejects: ${path} ${problem}: put it back, or import from the beginning with \`restart: true\``;
  return new StoreError('INVALID_OPTION', message, { details: { path, restart: true } });
}

function conflict(path: string, problem: string): StoreError {
  const message = `rejects: ${path} ${problem}, and is left as it is: name another file, or move it away`;
  return new StoreError('CONFLICT', message, { details: { path, option: 'rejects' } });
}

async function openOrRefuse(path: string, flags: string, mode?: number): Promise<FileHandle> {
  try {
    return await open(path, flags, mode);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `rejects: ${path} cannot be opened (${code}); name a file in a folder that may be written to`;
    throw new StoreError('INVALID_OPTION', message, { cause, details: { path } });
  }
}
