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

/** Past a chunk's size, so that its last entries seldom make it grow. */
const ROOM_BYTES = 16 * 1024;

export class EncodedReadable extends BatchReadable {
  private readonly encoder: EntryEncoder;
  private readonly chunkBytes: number;
  private arena: ByteArena;

  constructor(source: CursorSource, encoder: EntryEncoder, chunkBytes: number = CHUNK_BYTES) {
    super(source, { highWaterMark: 4 * chunkBytes });
    this.encoder = encoder;
    this.chunkBytes = chunkBytes;
    // A short range fills no chunk: the first one grows, those behind it are made as large as they get.
    this.arena = new ByteArena(Math.min(chunkBytes, ROOM_BYTES));
  }

  protected override takeBatch(batch: LeafBatch | null): boolean {
    if (batch === null) {
      this.encoder.end(this.arena);
      const { bytes, length } = this.arena;
      // What is left may be little: its memory is not to be held by it.
      if (length > 0)
        this.push(
          length * 2 < bytes.length ? Buffer.from(bytes.subarray(0, length)) : bytes.subarray(0, length),
        );
      return false;
    }
    const { encoder, arena } = this;
    for (let i = 0; i < batch.length; i++)
      if (encoder.writeInPlace?.(batch, i, arena) !== true)
        encoder.write(batch.key(i), batch.value(i), arena);
    return this.arena.length < this.chunkBytes || this.flush();
  }

  private flush(): boolean {
    const chunk = this.arena.bytes.subarray(0, this.arena.length);
    // The chunk belongs to the consumer now, so the next one is written elsewhere.
    this.arena = new ByteArena(this.chunkBytes + Math.min(this.chunkBytes, ROOM_BYTES));
    return this.push(chunk);
  }
}
