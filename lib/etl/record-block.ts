// The stretch of a source that is being cut into records: what is left of the last chunk, which no record end
// was found in, with the next chunk behind it, in one buffer that is used over and over.

import { LINE_FEED } from './line-end.js';
import type { SourcePosition } from './row-batch.js';

const BLOCK_BYTES = 512 * 1024;

/** Bytes of a source, contiguous, and where they stand in it. */
export class RecordBlock {
  bytes: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** The same bytes, for words that begin at any of them. */
  view = new DataView(this.bytes.buffer);
  /** Where the first record begins that was not cut off yet. */
  start = 0;
  /**
   * Where the bytes end. `bytes[end]` is a line feed, so that a search for the end of a line needs no bound; three
   * more bytes can be read, so that what ends there can be read by words.
   */
  end = 0;
  /** Whether the source ends here, so that the last record is whole though no line end follows. */
  final = false;
  /** Where `bytes[0]` stands in the source. */
  byteOffset: number;

  constructor(position: SourcePosition) {
    this.byteOffset = position.byteOffset;
    this.bytes[0] = LINE_FEED;
  }

  /** Puts a chunk behind the bytes that are left. */
  append(chunk: Uint8Array): void {
    const left = this.end - this.start;
    const needed = left + chunk.length + 4;
    const target = needed > this.bytes.length ? Buffer.allocUnsafeSlow(needed * 2) : this.bytes;
    if (target !== this.bytes || this.start > 0) this.bytes.copy(target, 0, this.start, this.end);
    target.set(chunk, left);
    this.byteOffset += this.start;
    if (target !== this.bytes) this.view = new DataView(target.buffer);
    this.bytes = target;
    this.start = 0;
    this.end = left + chunk.length;
    target[this.end] = LINE_FEED;
  }
}
