// A file whose pages come with their checksums made right, so that to a store on it no checksum is checked: the
// harnesses of damage must find what that lets through.

import type { StoreDatabase } from '../../lib/database.js';
import { crc32c } from '../../lib/format/checksum.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { openFile } from '../helpers/store-bytes.js';

const PAGE_SIZE = 4096;

class UncheckedFile extends MemoryFile {
  override readSync(target: Buffer, offset: number, length: number, position: number): number {
    const read = super.readSync(target, offset, length, position);
    makeChecksumsRight(target.subarray(offset, offset + read), position);
    return read;
  }
}

/** Changes whole pages, read from `position`, so that their checksums are those of their content. */
export function makeChecksumsRight(bytes: Buffer, position: number): void {
  for (let at = 0; at + PAGE_SIZE <= bytes.length; at += PAGE_SIZE) {
    const page = bytes.subarray(at, at + PAGE_SIZE);
    // Behind the meta pages, which are known by their checksums alone.
    if (position + at >= 2 * PAGE_SIZE) page.writeUInt32LE(crc32c(page.subarray(4)), 0);
  }
}

export function openUnchecked(
  bytes: Uint8Array,
  options: { readOnly?: boolean } = {},
): Promise<StoreDatabase> {
  const file = new UncheckedFile('unchecked');
  file.writeSync(Buffer.from(bytes), 0, bytes.length, 0);
  return openFile(file, options);
}
