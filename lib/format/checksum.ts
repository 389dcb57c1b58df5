/**
 * CRC32C (Castagnoli, as in iSCSI, RFC 3720) over bytes. Hardware speed comes from a prebuilt
 * binary; where none loads, a table-driven JavaScript package gives the same numbers, slower.
 */
import { createRequire } from 'node:module';

type Crc32c = (bytes: Uint8Array, seed?: number) => number;

function load(): Crc32c {
  const require = createRequire(import.meta.url);
  try {
    const native = require('@node-rs/crc32') as { crc32c(bytes: Uint8Array, seed?: number): number };
    return native.crc32c;
  } catch {
    const portable = require('crc-32/crc32c') as { buf(bytes: Uint8Array, seed?: number): number };
    return (bytes, seed = 0) => portable.buf(bytes, seed | 0) >>> 0;
  }
}

/** CRC32C of `bytes` as an unsigned 32-bit number; `seed` is the checksum of what came before. */
export const crc32c: Crc32c = load();
