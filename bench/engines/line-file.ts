// A file of lines, gathered into large writes: how peers, that have no export of their own, write one.

import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

export class LineFile {
  private readonly file: WriteStream;
  private chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  private length = 0;
  private isFull = false;

  constructor(path: string) {
    this.file = createWriteStream(path);
  }

  /** Adds a line; false: wait for `drained` before the next. */
  add(line: Uint8Array): boolean {
    if (this.length + line.length + 1 > this.chunk.length) this.flush(line.length + 1);
    this.chunk.set(line, this.length);
    this.length += line.length;
    this.chunk[this.length++] = LINE_FEED;
    return !this.isFull;
  }

  private flush(next: number): void {
    this.isFull = !this.file.write(this.chunk.subarray(0, this.length));
    this.chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, next));
    this.length = 0;
  }

  async drained(): Promise<void> {
    await once(this.file, 'drain');
    this.isFull = false;
  }

  async end(): Promise<void> {
    this.file.end(this.chunk.subarray(0, this.length));
    await finished(this.file);
  }
}
