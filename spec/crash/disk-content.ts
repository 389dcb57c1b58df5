// The bytes of one simulated file, in blocks that copies share: an image of a disk costs what it changes.

export const BLOCK_BYTES = 4096;

/** Blocks are never changed once they stand here, so that any number of contents can have them. */
export class DiskContent {
  private blocks: (Uint8Array | undefined)[] = [];
  private end = 0;

  get length(): number {
    return this.end;
  }

  clone(): DiskContent {
    const copy = new DiskContent();
    copy.blocks = this.blocks.slice();
    copy.end = this.end;
    return copy;
  }

  /** `bytes` must not change afterwards: whole blocks of them are taken as they are. */
  write(position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = position + done;
      const index = Math.floor(at / BLOCK_BYTES);
      const start = at - index * BLOCK_BYTES;
      const length = Math.min(BLOCK_BYTES - start, bytes.length - done);
      const part = bytes.subarray(done, done + length);
      if (length === BLOCK_BYTES) this.blocks[index] = part;
      else {
        const block = new Uint8Array(BLOCK_BYTES);
        const before = this.blocks[index];
        if (before !== undefined) block.set(before);
        block.set(part, start);
        this.blocks[index] = block;
      }
      done += length;
    }
    this.end = Math.max(this.end, position + bytes.length);
  }

  /** Reads what lies before the end; returns how many bytes. */
  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const bytes = Math.max(0, Math.min(length, this.end - position));
    for (let done = 0; done < bytes; ) {
      const at = position + done;
      const index = Math.floor(at / BLOCK_BYTES);
      const start = at - index * BLOCK_BYTES;
      const part = Math.min(BLOCK_BYTES - start, bytes - done);
      const block = this.blocks[index];
      if (block === undefined) target.fill(0, offset + done, offset + done + part);
      else target.set(block.subarray(start, start + part), offset + done);
      done += part;
    }
    return bytes;
  }

  /** Cuts the file off, or lengthens it with zeros. */
  truncate(size: number): void {
    if (size < this.end) {
      const kept = Math.ceil(size / BLOCK_BYTES);
      this.blocks.length = Math.min(this.blocks.length, kept);
      const last = this.blocks[kept - 1];
      if (last !== undefined && size % BLOCK_BYTES !== 0) {
        const block = new Uint8Array(BLOCK_BYTES);
        block.set(last.subarray(0, size % BLOCK_BYTES));
        this.blocks[kept - 1] = block;
      }
    }
    this.end = size;
  }

  equals(other: DiskContent): boolean {
    if (this.end !== other.end) return false;
    const length = Math.max(this.blocks.length, other.blocks.length);
    for (let i = 0; i < length; i++) {
      const a = this.blocks[i] ?? ZEROS;
      const b = other.blocks[i] ?? ZEROS;
      if (a !== b && Buffer.compare(a, b) !== 0) return false;
    }
    return true;
  }
}

const ZEROS = new Uint8Array(BLOCK_BYTES);
