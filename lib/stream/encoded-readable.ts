/** A range as a stream of bytes: entries are encoded straight into chunks. */
import type { LeafBatch } from '../tree/leaf-batch.js';
import { BatchReadable } from './batch-readable.js';
import { ByteArena } from './byte-arena.js';
import type { CursorSource } from './cursor-source.js';
import { CHUNK_BYTES } from './export-options.js';

/** Turns entries into bytes, one behind the other. */
export interface EntryEncoder {
  write(key: Uint8Array, value: Uint8Array, arena: ByteArena): void;
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
    for (let i = 0; i < batch.length; i++) this.encoder.write(batch.key(i), batch.value(i), this.arena);
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
