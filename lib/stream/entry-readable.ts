/** A range as a Readable in object mode; every entry is a copy that stays valid. */
import type { LeafBatch } from '../tree/leaf-batch.js';
import { BatchReadable } from './batch-readable.js';
import type { CursorSource } from './cursor-source.js';
import { takeEntryCopy } from './entry-iterators.js';

export class EntryReadable extends BatchReadable {
  constructor(source: CursorSource) {
    super(source, { objectMode: true, highWaterMark: 256 });
  }

  protected override takeBatch(batch: LeafBatch | null): boolean {
    let wanted = true;
    // All of the batch goes into the stream's buffer, even past its mark: a leaf is a small excess.
    for (let i = 0; batch !== null && i < batch.length; i++) wanted = this.push(takeEntryCopy(batch, i));
    return wanted;
  }
}
