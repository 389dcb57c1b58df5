// Gzip, told by its first bytes and undone as a stream.

import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

const CHUNK_BYTES = 256 * 1024;
const MAGIC = [0x1f, 0x8b] as const;

/** Bytes from the beginning that {@link isGzip} needs. */
export const GZIP_MAGIC_BYTES: number = MAGIC.length;

/** Whether a stream that begins so is gzip. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === MAGIC[0] && head[1] === MAGIC[1];
}

/** The bytes that were compressed: of several gzip files put together, of all of them. */
export function unzipped(chunks: AsyncIterable<Uint8Array>): Readable {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // The one who reads gets the error as well, so that it need not be handled here.
  pipeline(Readable.from(chunks), gunzip, () => {});
  return gunzip;
}
