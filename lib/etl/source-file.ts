// Opens a path as a source.

import { type FileHandle, open } from 'node:fs/promises';
import { CHUNK_BYTES, fileChunks } from './file-chunks.js';
import { GZIP_MAGIC_BYTES, isGzip } from './gzip.js';
import type { OpenedSource } from './opened-source.js';
import { endsEarly, openFailure } from './source-failure.js';

/**
 * Opens a file, at the byte `start` if it is a plain one. What must be read from its beginning, as gzip and pipes,
 * is opened there.
 *
 * @throws SOURCE_INVALID, IO_ERROR
 */
export async function openFile(path: string, start: number): Promise<OpenedSource> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw openFailure(error, path);
  });
  try {
    const stat = await handle.stat();
    if (stat.isDirectory())
      throw openFailure(Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' }), path);
    const bytesTotal = stat.isFile() ? stat.size : undefined;
    if (stat.isFile() && !(await beginsAsGzip(handle))) {
      if (start > stat.size) throw endsEarly(path);
      const close = (): void => void handle.close().catch(() => undefined);
      return { chunks: fileChunks(handle, start), skipped: start, bytesTotal, close };
    }
    // What unzips keeps several chunks. A pipe has no positions: it is read from where it is only if none is given.
    const position = stat.isFile() ? { start: 0 } : {};
    const stream = handle.createReadStream({ highWaterMark: CHUNK_BYTES, ...position });
    return { chunks: stream, skipped: 0, bytesTotal, close: () => stream.destroy() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function beginsAsGzip(handle: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(GZIP_MAGIC_BYTES);
  await handle.read(head, 0, head.length, 0);
  return isGzip(head);
}
