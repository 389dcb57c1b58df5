/** The file seam over memory, for stores that live only as long as their process. */
import type { StoreFile } from './store-file.js';

const CHUNK_BYTES = 1 << 20;

export class MemoryFile implements StoreFile {
  readonly path: string;
  private readonly chunks: Buffer[] = [];
  private length = 0;

  constructor(path = ':memory:') {
    this.path = path;
  }

  readSync(target: Buffer, offset: number, length: number, position: number): number {
    const end = Math.min(position + length, this.length);
    let at = position;
    while (at < end) {
      const start = at % CHUNK_BYTES;
      const bytes = Math.min(CHUNK_BYTES - start, end - at);
      this.chunk(at).copy(target, offset + at - position, start, start + bytes);
      at += bytes;
    }
    return Math.max(0, at - position);
  }

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    return this.readSync(target, offset, length, position);
  }

  readManySync(targets: readonly Buffer[], position: number): number {
    let done = 0;
    for (const target of targets) {
      const read = this.readSync(target, 0, target.length, position + done);
      done += read;
      if (read < target.length) break;
    }
    return done;
  }

  async readMany(targets: readonly Buffer[], position: number): Promise<number> {
    return this.readManySync(targets, position);
  }

  writeSync(source: Buffer, offset: number, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const start = (position + done) % CHUNK_BYTES;
      const bytes = Math.min(CHUNK_BYTES - start, length - done);
      source.copy(this.chunk(position + done), start, offset + done, offset + done + bytes);
      done += bytes;
    }
    // As on a disk, nothing written past the end makes a file no longer.
    if (length > 0) this.length = Math.max(this.length, position + length);
  }

  async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    this.writeSync(source, offset, length, position);
  }

  async sync(): Promise<void> {}

  syncSync(): void {}

  size(): number {
    return this.length;
  }

  async truncate(size: number): Promise<void> {
    // Bytes past the end must read as zeros when the file grows again.
    const kept = Math.ceil(size / CHUNK_BYTES);
    this.chunks.length = Math.min(this.chunks.length, kept);
    if (size < this.length && size % CHUNK_BYTES !== 0) this.chunks[kept - 1]?.fill(0, size % CHUNK_BYTES);
    this.length = size;
  }

  async close(): Promise<void> {}

  private chunk(position: number): Buffer {
    const index = Math.floor(position / CHUNK_BYTES);
    let chunk = this.chunks[index];
    if (chunk === undefined) {
      chunk = Buffer.alloc(CHUNK_BYTES);
      this.chunks[index] = chunk;
    }
    return chunk;
  }
}
