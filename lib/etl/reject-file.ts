// Rejects kept in a file of NDJSON. A file of an earlier import is replaced, anything else is left alone: a slip
// of the pen must not cost the source, or the store, its content.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import { REJECT_LINE_START } from './reject.js';
import { RejectStream } from './reject-stream.js';

/** @throws INVALID_OPTION where the path cannot be written to, or holds something that is not rejects. */
export async function openRejectFile(path: string): Promise<RejectStream> {
  const isFile = await mayReplace(path);
  const handle = await openOrRefuse(path, 'w');
  // On the disk when it is closed, as the rows are when they are committed. Pipes and terminals cannot do that.
  const stream = handle.createWriteStream(isFile ? { flush: true } : {});
  return new RejectStream(stream, path, true);
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
