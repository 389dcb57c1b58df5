// Rejects kept in a file of NDJSON. A file of an earlier import is replaced, or gone on with from where that
// stopped; anything else is left alone: a slip of the pen must not cost the source, or the store, its content.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import { fileError } from '../storage/store-file.js';
import { REJECT_LINE_START, type Reject } from './reject.js';
import { RejectStream } from './reject-stream.js';

export class RejectFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly stream: RejectStream,
    private readonly path: string,
    private readonly isFile: boolean,
  ) {}

  /**
   * @param bytesKept What the file has of this import already.
   * @throws INVALID_OPTION where the path cannot be written to, holds something that is not rejects, or less than
   * is to be kept.
   */
  static async open(path: string, bytesKept = 0): Promise<RejectFile> {
    const isFile = await mayReplace(path);
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
  if (size < bytesKept) {
    const message = `rejects: ${path} is shorter than the import left it (${size} of ${bytesKept} bytes): put it back, or import from the beginning with \`restart: true\``;
    throw new StoreError('INVALID_OPTION', message, { details: { path, restart: true } });
  }
  await handle.truncate(bytesKept);
}

/** Whether the path is that of a file, or of none yet. */
async function mayReplace(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return true;
  if (!found.isFile() || found.size === 0) return found.isFile();
  const handle = await openOrRefuse(path, 'r');
  const head = Buffer.alloc(REJECT_LINE_START.length);
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  if (head.toString('latin1') === REJECT_LINE_START) return true;
  const message = `rejects: ${path} holds something other than rejects, and is left as it is; name another file`;
  throw new StoreError('INVALID_OPTION', message, { details: { path } });
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
