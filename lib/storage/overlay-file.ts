/**
 * A file that is only read, with what would be written kept in memory over it: so a read-only store
 * can do the commits of a log again without touching anything on the disk.
 */
import { StoreError } from '../errors.js';
import type { StoreFile } from './store-file.js';

const BLOCK_BYTES = 4096;

export class OverlayFile implements StoreFile {
  private readonly base: StoreFile;
  private readonly blocks = new Map<number, Buffer>();
  private end: number;
  /** What the base still counts for: less than its size once the file was cut. */
  private baseEnd: number;

  constructor(base: StoreFile) {
    this.base = base;
    this.end = base.size();
    this.baseEnd = this.end;
  }

  get path(): string {
    return this.base.path;
  }

  readSync(target: Buffer, offset: number, length: number, position: number): number {
    const read = Math.max(0, Math.min(length, this.end - position));
    const fromBase = this.readBase(target, offset, read, position);
    // A write past the end of the base leaves a gap, which reads as zeros.
    target.fill(0, offset + fromBase, offset + read);
    for (let at = position; at < position + read; ) {
      const block = Math.floor(at / BLOCK_BYTES);
      const next = Math.min((block + 1) * BLOCK_BYTES, position + read);
      const start = at - block * BLOCK_BYTES;
      this.blocks.get(block)?.copy(target, offset + at - position, start, start + next - at);
      at = next;
    }
    return read;
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
    for (let at = position; at < position + length; ) {
      const block = Math.floor(at / BLOCK_BYTES);
      const next = Math.min((block + 1) * BLOCK_BYTES, position + length);
      source.copy(
        this.block(block),
        at - block * BLOCK_BYTES,
        offset + at - position,
        offset + next - position,
      );
      at = next;
    }
    if (length > 0) this.end = Math.max(this.end, position + length);
  }

  async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    this.writeSync(source, offset, length, position);
  }

  private block(index: number): Buffer {
    let block = this.blocks.get(index);
    if (block === undefined) {
      block = Buffer.alloc(BLOCK_BYTES);
      this.readBase(block, 0, BLOCK_BYTES, index * BLOCK_BYTES);
      this.blocks.set(index, block);
    }
    return block;
  }

  private readBase(target: Buffer, offset: number, length: number, position: number): number {
    const inBase = Math.max(0, Math.min(length, this.baseEnd - position));
    return inBase === 0 ? 0 : this.base.readSync(target, offset, inBase, position);
  }

  async sync(): Promise<void> {
    this.syncSync();
  }

  syncSync(): void {
    throw new StoreError('READ_ONLY', `${this.path} was opened read-only: nothing of it can be made durable`);
  }

  size(): number {
    return this.end;
  }

  async truncate(size: number): Promise<void> {
    // Bytes past the end must read as zeros when the file grows again.
    for (const [index, block] of this.blocks) {
      const start = index * BLOCK_BYTES;
      if (start >= size) this.blocks.delete(index);
      else if (start + BLOCK_BYTES > size) block.fill(0, size - start);
    }
    this.baseEnd = Math.min(this.baseEnd, size);
    this.end = size;
  }

  close(): Promise<void> {
    return this.base.close();
  }
}
