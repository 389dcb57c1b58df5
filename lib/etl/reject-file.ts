// Rejects kept in a file of NDJSON. One with rejects of an earlier run of the same import is gone on with from where that
// stopped, or made anew; anything else is left alone: a slip of the pen must not cost the source, the store, or the
// rejects of another import.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import { fileError } from '../storage/store-file.js';
import type { EarlierRejects } from './earlier-rejects.js';
import { REJECT_LINE_START, type Reject } from './reject.js';
import { RejectStream } from './reject-stream.js';

const LINE_FEED = 0x0a;

export class RejectFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly stream: RejectStream,
    private readonly path: string,
    private readonly isFile: boolean,
  ) {}

  /**
   * @param earlier What the last run of this import left in the file.
   * @throws CONFLICT where the file holds the rejects of another import; INVALID_OPTION where the path cannot be written
   * to, holds something that is not rejects, or less than is to be gone on with.
   */
  static async open(path: string, earlier?: EarlierRejects): Promise<RejectFile> {
    const isFile = await mayReplace(path, earlier);
    const bytesKept = earlier?.goesOn === true ? (earlier.bytes ?? 0) : 0;
    const handle = await openOrRefuse(path, bytesKept > 0 ? 'r+' : 'w');
    try {
      if (bytesKept > 0) await cutOff(handle, path, bytesKept);
      // On the disk when it is closed, as the rows are when they are committed. Pipes and terminals cannot do that.
      const stream = handle.createWriteStream(isFile ? { flush: true, start: bytesKept } : {});
      return new RejectFile(handle, new RejectStream(stream, path, true), path, isFile);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get needsOwner(): boolean {
    return this.isFile;
  }

  write(reject: Reject): void | Promise<void> {
    return this.stream.write(reject);
  }

  /** Resolves, once all is on the disk, to the length of the file in bytes; undefined where it is no file. */
  async flush(): Promise<number | undefined> {
    await this.stream.allWritten();
    if (!this.isFile) return undefined;
    try {
      await this.handle.datasync();
      return (await this.handle.stat()).size;
    } catch (cause) {
      throw fileError('sync', this.path, cause);
    }
  }

  close(): Promise<void> {
    return this.stream.close();
  }
}

/** Takes away what came after the last commit: it comes again. */
async function cutOff(handle: FileHandle, path: string, bytesKept: number): Promise<void> {
  const { size } = await handle.stat();
  if (size < bytesKept)
    throw notAsLeft(path, `is shorter than the import left it (${size} of ${bytesKept} bytes)`);
  await handle.truncate(bytesKept);
}

function notAsLeft(path: string, problem: string, cause?: unknown): StoreError {
  const message = `rejects: ${path} ${problem}: put it back, or import from the beginning with \`restart: true\``;
  return new StoreError('INVALID_OPTION', message, { cause, details: { path, restart: true } });
}

/** Whether the path is that of a file, or of none yet. */
async function mayReplace(path: string, earlier: EarlierRejects | undefined): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const isMissed = earlier?.goesOn === true && (earlier.bytes ?? 0) > 0;
    if (isMissed) throw notAsLeft(path, 'is missing, which has the rejects of the run that was interrupted');
    return true;
  }
  if (!found.isFile() || found.size === 0) return found.isFile();
  const handle = await openOrRefuse(path, 'r');
  try {
    const head = await readAt(handle, 0, REJECT_LINE_START.length);
    if (head.toString('latin1') !== REJECT_LINE_START) {
      const message = `rejects: ${path} holds something other than rejects, and is left as it is; name another file`;
      throw new StoreError('INVALID_OPTION', message, { details: { path } });
    }
    if (!(await isOwn(handle, found.size, earlier))) throw othersRejects(path);
    return true;
  } finally {
    await handle.close();
  }
}

/**
 * Whether rejects that are there are what the last run of the import left. Another import may have used the name since
 * the file was moved away: then a line seldom ends where that run saw one end.
 */
async function isOwn(
  handle: FileHandle,
  size: number,
  earlier: EarlierRejects | undefined,
): Promise<boolean> {
  if (earlier === undefined) return false;
  // What is shorter is told when it is cut off.
  if (earlier.goesOn) return true;
  const { bytes = 0, complete } = earlier;
  if (complete ? size !== bytes : size < bytes) return false;
  return bytes === 0 || (await readAt(handle, bytes - 1, 1))[0] === LINE_FEED;
}

function othersRejects(path: string): StoreError {
  const message = `rejects: ${path} holds the rejects of another import, or of one that kept no checkpoint, and is left as it is: name another file, or move it away`;
  return new StoreError('CONFLICT', message, { details: { path, option: 'rejects' } });
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await handle.read(bytes, 0, length, position);
  return bytes;
}

async function openOrRefuse(path: string, flags: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `rejects: ${path} cannot be opened (${code}); name a file in a folder that may be written to`;
    throw new StoreError('INVALID_OPTION', message, { cause, details: { path } });
  }
}
