// A line that is longer than rows may be, while its rest goes by: only its beginning is kept, so that
// memory stays bounded however long it is.

import type { RecordBlock } from './record-block.js';
import type { Reject } from './reject.js';
import type { SourcePosition } from './row-batch.js';

const RAW_BYTES_KEPT = 64 * 1024;

/** The beginning and length of a record that is being skipped. */
export class OversizeRecord {
  private raw: Buffer;
  private byteLength = 0;

  /** Its bytes are yet to be added. */
  constructor(
    readonly position: SourcePosition,
    private readonly message: string,
  ) {
    this.raw = Buffer.alloc(0);
  }

  /** Takes the record's bytes in the block from `block.start` up to `end`, and moves the start there. */
  take(block: RecordBlock, end: number): void {
    const kept = Math.min(end, block.start + RAW_BYTES_KEPT - this.raw.length);
    if (kept > block.start) this.raw = Buffer.concat([this.raw, block.bytes.subarray(block.start, kept)]);
    this.byteLength += end - block.start;
    block.start = end;
  }

  /** The reject, once the record has ended. */
  reject(): Reject {
    const { raw, byteLength, message } = this;
    return { ...this.position, byteLength, reason: 'ROW_TOO_LARGE', message, raw };
  }
}
