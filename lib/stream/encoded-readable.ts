/** A range as a stream of bytes: entries are encoded straight into chunks. */
import type { LeafBatch } from '../tree/leaf-batch.js';
import { BatchReadable } from './batch-readable.js';
import { ByteArena } from './byte-arena.js';
import type { CursorSource } from './cursor-source.js';
import { CHUNK_BYTES } from './export-options.js';

/** Turns entries into bytes, one behind the other. */
export interface EntryEncoder {
  write(key: Uint8Array, value: Uint8Array, arena: ByteArena): void;
  /** As `write`, from where the entry lies; false, with nothing appended, for one that is for `write`. */
  writeInPlace?(batch: LeafBatch, index: number, arena: ByteArena): boolean;
  /** Appends what follows the last entry. */
  end(arena: ByteArena): void;
}

export class EncodedReadable extends BatchReadable {
  private readonly encoder: EntryEncoder;
  private readonly chunkBytes: number;
  private arena: ByteArena;

  constructor(source: CursorSource, encoder: EntryEncoder, chunkBytes: number = CHUNK_BYTES) {
    super(source, { highWaterMark: 4 * chunkBytes });
    this.encoder = encoder;
    this.chunkBytes = chunkBytes;
    this.arena = this.newArena();
  }

  /** With room past the chunk's size, so that the last entry seldom makes it grow. */
  private newArena(): ByteArena {
    return new ByteArena(this.chunkBytes + Math.min(this.chunkBytes, 16 * 1024));
  }

  protected override takeBatch(batch: LeafBatch | null): boolean {
    if (batch === null) {
      this.encoder.end(this.arena);
      this.flush();
      return false;
    }
    const { encoder, arena } = this;
    for (let i = 0; i < batch.length; i++)
      if (encoder.writeInPlace?.(batch, i, arena) !== true)
        encoder.write(batch.key(i), batch.value(i), arena);
    return this.arena.length < this.chunkBytes || this.flush();
  }

  private flush(): boolean {
    if (this.arena.length === 0) return true;
    const chunk = this.arena.bytes.subarray(0, this.arena.length);
    // The chunk belongs to the consumer now, so the next one is written elsewhere.
    this.arena = this.newArena();
    return this.push(chunk);
  }
}
