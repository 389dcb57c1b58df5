/**
 * The file seam over a real file. The runtime repeats neither short reads and writes nor calls that
 * a signal interrupted, so every transfer loops until it is whole.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { StoreError } from '../errors.js';
import { isInterrupted, uninterrupted } from './interrupted.js';
import { fileError, type StoreFile } from './store-file.js';

const readAsync = promisify(fs.read);
const writeAsync = promisify(fs.write);
const readvAsync = promisify(fs.readv);
const syncAsync = promisify(fs.fdatasync);
const closeAsync = promisify(fs.close);

/** Buffers that one vectored read may take; systems allow at least this many. */
const VECTORS_MAX = 1024;

export class DiskFile implements StoreFile {
  readonly path: string;
  readonly descriptor: number;
  /** Once closed the descriptor may be another file's: whoever still reads must not be given that one's bytes. */
  private closed = false;
  /** Reads, writes and syncs under way. */
  private transfers = 0;
  private onIdle: (() => void) | undefined;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  readSync(target: Buffer, offset: number, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const read = this.attempt('read', () =>
        fs.readSync(this.descriptor, target, offset + done, length - done, position + done),
      );
      if (read === 0) break;
      if (read > 0) done += read;
    }
    return done;
  }

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const read = await this.attemptAsync('read', async () => {
        const result = await readAsync(
          this.descriptor,
          target,
          offset + done,
          length - done,
          position + done,
        );
        return result.bytesRead;
      });
      if (read === 0) break;
      if (read > 0) done += read;
    }
    return done;
  }

  readManySync(targets: readonly Buffer[], position: number): number {
    const batch = targets.slice(0, VECTORS_MAX);
    const read = this.attempt('read', () => fs.readvSync(this.descriptor, batch, position));
    return this.finishMany(targets, position, Math.max(read, 0));
  }

  async readMany(targets: readonly Buffer[], position: number): Promise<number> {
    const batch = targets.slice(0, VECTORS_MAX);
    const read = await this.attemptAsync(
      'read',
      async () => (await readvAsync(this.descriptor, batch, position)).bytesRead,
    );
    return this.finishMany(targets, position, Math.max(read, 0));
  }

  /** A vectored read that came back short goes on buffer by buffer: rare, so simple. */
  private finishMany(targets: readonly Buffer[], position: number, read: number): number {
    let before = 0;
    let done = read;
    for (const target of targets) {
      const end = before + target.length;
      if (done < end) {
        const have = done - before;
        const more = this.readSync(target, have, target.length - have, position + done);
        done += more;
        if (done < end) break;
      }
      before = end;
    }
    return done;
  }

  writeSync(source: Buffer, offset: number, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const written = this.attempt('write', () =>
        fs.writeSync(this.descriptor, source, offset + done, length - done, position + done),
      );
      if (written === 0) throw this.wroteNothing();
      if (written > 0) done += written;
    }
  }

  async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    let done = 0;
    while (done < length) {
      const written = await this.attemptAsync('write', async () => {
        const result = await writeAsync(
          this.descriptor,
          source,
          offset + done,
          length - done,
          position + done,
        );
        return result.bytesWritten;
      });
      if (written === 0) throw this.wroteNothing();
      if (written > 0) done += written;
    }
  }

  /** Asked again and again, such a file would keep the caller for ever. */
  private wroteNothing(): StoreError {
    return fileError('write', this.path, new Error('the system took none of the bytes'));
  }

  async sync(): Promise<void> {
    this.assertOpen();
    this.transfers++;
    try {
      // Not repeated when interrupted: after any failed sync the kernel may have dropped the pages.
      await syncAsync(this.descriptor);
    } catch (error) {
      throw fileError('sync', this.path, error);
    } finally {
      this.endTransfer();
    }
  }

  syncSync(): void {
    this.assertOpen();
    try {
      // Not repeated either.
      fs.fdatasyncSync(this.descriptor);
    } catch (error) {
      throw fileError('sync', this.path, error);
    }
  }

  size(): number {
    return this.attempt('stat', () => uninterrupted(() => fs.fstatSync(this.descriptor)).size);
  }

  async truncate(size: number): Promise<void> {
    // Not by the thread pool: a write that is made meanwhile past the new end would be cut off with the rest.
    this.attempt('resize', () => {
      uninterrupted(() => fs.ftruncateSync(this.descriptor, size));
      return 0;
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    // The system may give the descriptor's number to another file while a transfer still uses it.
    if (this.transfers > 0)
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
      });
    try {
      await closeAsync(this.descriptor);
    } catch (error) {
      throw fileError('close', this.path, error);
    }
  }

  /** The result of one system call, or -1 if a signal interrupted it and it is to be made again. */
  private attempt(operation: string, call: () => number): number {
    this.assertOpen();
    try {
      return call();
    } catch (error) {
      if (isInterrupted(error)) return -1;
      throw fileError(operation, this.path, error);
    }
  }

  private async attemptAsync(operation: string, call: () => Promise<number>): Promise<number> {
    this.assertOpen();
    this.transfers++;
    try {
      return await call();
    } catch (error) {
      if (isInterrupted(error)) return -1;
      throw fileError(operation, this.path, error);
    } finally {
      this.endTransfer();
    }
  }

  private endTransfer(): void {
    this.transfers--;
    if (this.transfers === 0) this.onIdle?.();
  }

  private assertOpen(): void {
    if (!this.closed) return;
    throw new StoreError('STORE_CLOSED', `${this.path} was closed during a read: open the store again`);
  }
}
