// The bytes of a plain file, a chunk at a time: into two buffers in turn, so that one is filled while the other is
// worked on. A buffer for each chunk would be garbage that the collector hurries for, as it counts memory, not objects.

import type { FileHandle } from 'node:fs/promises';

export const CHUNK_BYTES = 256 * 1024;

/** The bytes from `start` on, until there are no more. A chunk is valid until the next one is asked for. */
export async function* fileChunks(
  handle: FileHandle,
  start: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let filling = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let other = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let position = start;
  let read = fill(handle, filling, position);
  for (;;) {
    const length = await read;
    if (length === 0) return;
    const chunk = filling.subarray(0, length);
    position += length;
    [filling, other] = [other, filling];
    read = fill(handle, filling, position);
    // One who stops here never asks how that went.
    read.catch(() => undefined);
    yield chunk;
  }
}

/** Fills the buffer as far as the file reaches. */
async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
