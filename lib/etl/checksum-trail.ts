// Checksums along a source that has no size and no time of change: of its first bytes up to each chunk's end, so
// that one who goes on in the middle can tell whether what was read before is still the same.

import { StoreError } from '../errors.js';
import { crc32c } from '../format/checksum.js';

/** The CRC32C of the first bytes of a source. */
export interface PrefixChecksum {
  readonly bytes: number;
  readonly checksum: number;
}

export class ChecksumTrail {
  private marks: PrefixChecksum[] = [{ bytes: 0, checksum: 0 }];

  /** @param known What the source's beginning must come to. */
  constructor(
    private readonly known: PrefixChecksum | undefined,
    private readonly name: string,
  ) {}

  /** The chunks, unchanged; raises SOURCE_INVALID where they are not what is known of them. */
  async *over(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const { known } = this;
    let bytes = 0;
    let checksum = 0;
    for await (const chunk of chunks) {
      const end = bytes + chunk.length;
      if (known !== undefined && known.bytes > bytes && known.bytes <= end) {
        if (crc32c(chunk.subarray(0, known.bytes - bytes), checksum) !== known.checksum)
          throw notTheSource(this.name);
      }
      checksum = crc32c(chunk, checksum);
      bytes = end;
      this.marks.push({ bytes, checksum });
      yield chunk;
    }
  }

  /** The checksum of as many bytes as end with a chunk no further than `byteOffset`, which only grows. */
  upTo(byteOffset: number): PrefixChecksum {
    let last = 0;
    while (last + 1 < this.marks.length && this.marks[last + 1].bytes <= byteOffset) last++;
    this.marks = this.marks.slice(last);
    return this.marks[0];
  }
}

/** The error for a source that is another than the one that an import stopped in. */
export function notTheSource(name: string): StoreError {
  const advice = 'give the source as it was, or import it from its beginning with `restart: true`';
  return new StoreError(
    'SOURCE_INVALID',
    `${name} has changed since the import of it was stopped half-way; ${advice}`,
    { details: { restart: true } },
  );
}
