// Rejects written to a stream, as lines of NDJSON or, in object mode, as they are.

import type { Writable } from 'node:stream';
import { StoreError } from '../errors.js';
import { fileError } from '../storage/store-file.js';
import { type Reject, rejectToNdjson } from './reject.js';

/** @throws IO_ERROR, DISK_FULL where the stream fails. */
export class RejectStream {
  private failure: Error | undefined;
  private writing = 0;
  private wake: (() => void) | undefined;
  // For as long as rejects are written their failure is the import's: without a listener it would end the process.
  private readonly onError = (error: Error): void => this.fail(error);

  /**
   * @param name For messages: the path, or what the stream is.
   * @param owned Whether the stream is ended with the rejects.
   */
  constructor(
    private readonly stream: Writable,
    private readonly name: string,
    private readonly owned: boolean,
  ) {
    stream.on('error', this.onError);
  }

  write(reject: Reject): void | Promise<void> {
    return this.writeChunk(this.stream.writableObjectMode ? reject : rejectToNdjson(reject));
  }

  /** Takes what `write` makes of a reject. */
  writeChunk(chunk: Reject | string | Uint8Array): void | Promise<void> {
    this.throwIfFailed();
    this.writing++;
    const more = this.stream.write(chunk, (error) => this.written(error));
    if (!more) return this.allWritten();
  }

  flush(): Promise<void> {
    return this.allWritten();
  }

  async close(): Promise<void> {
    await this.allWritten();
    if (this.owned) await this.end();
    this.stream.off('error', this.onError);
  }

  private end(): Promise<void> {
    const { stream } = this;
    return new Promise((resolve, reject) => {
      stream.once('close', () => (this.failure ? reject(this.storeError(this.failure)) : resolve()));
      stream.end();
    });
  }

  /** Resolves once the stream has taken all. */
  async allWritten(): Promise<void> {
    if (this.writing > 0 && !this.failure) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.throwIfFailed();
  }

  private written(error: Error | null | undefined): void {
    this.writing--;
    if (error) this.fail(error);
    else if (this.writing === 0) this.wake?.();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake?.();
  }

  private throwIfFailed(): void {
    if (this.failure) throw this.storeError(this.failure);
  }

  private storeError(cause: Error): StoreError {
    if (this.owned) return fileError('write', this.name, cause);
    return new StoreError('IO_ERROR', `${this.name} failed: ${cause.message}`, { cause });
  }
}
