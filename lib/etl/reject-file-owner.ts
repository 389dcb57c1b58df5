// Whose a file of rejects is. An import takes a name that no file has, an empty file, or the one that its own last run
// left; a slip of the pen must not cost the source, the store, or the rejects of another import. The import that has it
// holds it locked.

import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, stat, unlink } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import { crc32c } from '../format/checksum.js';
import { tryLockFile } from '../storage/file-lock.js';
import type { EarlierRejects } from './earlier-rejects.js';
import type { RejectFilePosition } from './import-position.js';
import { unlessAborted } from './interruptible.js';
import { REJECT_LINE_START } from './reject.js';

/** @throws INVALID_OPTION where rejects are to go to the file that is imported, which they would take the place of. */
export async function refuseSourceAsRejects(source: unknown, rejects: unknown): Promise<void> {
  if (typeof source !== 'string' || typeof rejects !== 'string') return;
  const [from, to] = await Promise.all([source, rejects].map((path) => stat(path).catch(() => undefined)));
  if (from?.isFile() !== true || from.ino !== to?.ino || from.dev !== to.dev) return;
  const message = `rejects: ${rejects} is the file that is imported: name another file`;
  throw new StoreError('INVALID_OPTION', message, { details: { path: rejects } });
}

const CHECKED_BYTES = 1024 * 1024;

/**
 * Opens the file; what stands after the position came after the last commit, and comes again.
 *
 * @returns The position to write at, where it is a file and no pipe or terminal.
 */
export async function openOwnRejects(
  path: string,
  earlier: EarlierRejects | undefined,
  signal: AbortSignal | undefined,
): Promise<{ handle: FileHandle; position: RejectFilePosition | undefined }> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile()) {
    // A pipe that nobody reads is not opened before somebody does.
    const opening = openOrRefuse(path, 'w');
    const handle = await unlessAborted(opening, signal, path, (late) => void late.close());
    return { handle, position: undefined };
  }
  if (found === undefined && earlier?.goesOn === true && (earlier.file?.bytes ?? 0) > 0)
    throw notAsLeft(path, 'is missing, which has the rejects of the run that was interrupted');
  let handle = await openAsFound(path, found !== undefined);
  try {
    await refuseOtherContent(handle, path);
    await lock(handle, path);
    const { size } = await handle.stat();
    await refuseOthers(handle, path, size, earlier);
    const isNew = found === undefined || size > 0 || (await markOf(handle)) === earlier?.file?.mark;
    if (!isNew) handle = await replaceEmpty(handle, path, found);
    const { bytes = 0, checksum = 0 } = (earlier?.goesOn === true && earlier.file) || {};
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
  const isMore = earlier?.goesOn === true && size > bytes;
  const cut = isMore ? `; if it is this import's, and was copied, cut it to ${bytes} bytes` : '';
  throw bytes > 0
    ? conflict(path, 'holds rejects that this import did not write there, or was changed since', cut)
    : conflict(path, 'holds the rejects of another import, or of one that kept no checkpoint');
}

/** A run that was stopped may have written more than its position tells of, one that came to its end did not. */
async function isAsLeft(
  handle: FileHandle,
  size: number,
  earlier: EarlierRejects | undefined,
): Promise<boolean> {
  if (earlier?.file === undefined) return false;
  const { bytes, checksum, mark } = earlier.file;
  if (earlier.complete ? size !== bytes : size < bytes) return false;
  const isMarked = (await markOf(handle)) === mark;
  if (bytes === 0) return isMarked;
  // One that was copied is known by what it holds; what goes on behind that may be another's.
  return (isMarked || size === bytes) && (await checksumOf(handle, bytes)) === checksum;
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
 */
async function replaceEmpty(handle: FileHandle, path: string, { mode, nlink }: Stats): Promise<FileHandle> {
  if (nlink !== 1)
    throw notReplaced(path, 'it is empty, and has other names that would be another file then');
  // Of a link, what it leads to.
  const real = await realpath(path);
  await unlink(real).catch((cause: unknown) => {
    throw notReplaced(path, 'it is empty, and cannot be replaced', cause);
  });
  const made = await openOrRefuse(real, 'wx+', mode & 0o777);
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

function notReplaced(path: string, problem: string, cause?: unknown): StoreError {
  const message = `rejects: ${path} cannot be used: ${problem}; name a file that is not there yet`;
  return new StoreError('INVALID_OPTION', message, { cause, details: { path } });
}

function notAsLeft(path: string, problem: string): StoreError {
  const message = `rejects: ${path} ${problem}: put it back, or import from the beginning with \`restart: true\``;
  return new StoreError('INVALID_OPTION', message, { details: { path, restart: true } });
}

function conflict(path: string, problem: string, more = ''): StoreError {
  const message = `rejects: ${path} ${problem}, and is left as it is: name another file, or move it away${more}`;
  return new StoreError('CONFLICT', message, { details: { path, option: 'rejects' } });
}

/** Another import may have made it just now, or put another in its place; a link that leads nowhere is refused. */
async function openAsFound(path: string, isThere: boolean): Promise<FileHandle> {
  const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
  if (isLink && !isThere) throw notReplaced(path, 'it is a link that leads nowhere');
  return openOrRefuse(path, isThere ? 'r+' : 'wx+').catch((error: StoreError) => {
    const { cause } = error;
    const isOther =
      cause instanceof Error && 'code' in cause && cause.code === (isThere ? 'ENOENT' : 'EEXIST');
    throw isOther ? conflict(path, 'has just been made by another import') : error;
  });
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
