/**
 * The seam between the engine and whatever keeps its bytes: a file on a disk, memory, or a double
 * that lies, tears, loses and fails. Nothing above it touches a file descriptor.
 */
import { StoreError } from '../errors.js';

/**
 * A file of bytes. A failure raises DISK_FULL or IO_ERROR with the system's error as its cause.
 * Reads return fewer bytes than asked only at the end of the file; writes are whole or raise.
 */
export interface StoreFile {
  readonly path: string;
  /** Reads into target[offset, offset + length) from `position` on; returns the bytes read. */
  readSync(target: Buffer, offset: number, length: number, position: number): number;
  read(target: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** Reads into the buffers one after the other, in one request where the system can. */
  readManySync(targets: readonly Buffer[], position: number): number;
  readMany(targets: readonly Buffer[], position: number): Promise<number>;
  writeSync(source: Buffer, offset: number, length: number, position: number): void;
  write(source: Buffer, offset: number, length: number, position: number): Promise<void>;
  /** Resolves once everything written before the call is on the disk. */
  sync(): Promise<void>;
  /** As `sync`, holding up the event loop. */
  syncSync(): void;
  size(): number;
  /** Has its effect before it returns, so that no write made after the call is cut off by it. */
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What a failed call raised, as a typed error whatever it is. */
export function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('IO_ERROR', String(error), { cause: error });
}

/** The typed error for what the system answered to `operation` on the file at `path`. */
export function fileError(operation: string, path: string, cause: unknown): StoreError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  if (FULL.has(code)) {
    const message = `no space to ${operation} ${path} (${code}): the last commit stands; make room, then try again`;
    return new StoreError('DISK_FULL', message, { cause, details: { path } });
  }
  return new StoreError(
    'IO_ERROR',
    `cannot ${operation} ${path} (${code}): check the disk and the file's permissions`,
    {
      cause,
      details: { path },
    },
  );
}
