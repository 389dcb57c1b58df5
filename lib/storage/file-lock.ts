/**
 * The lock that keeps two writers, or a writer and readers, from one file. It belongs to the open
 * file, so the system releases it when the process dies, and a second handle in the same process is
 * refused too.
 */
import { createRequire } from 'node:module';
import { StoreError } from '../errors.js';

interface LockBinding {
  tryLock(descriptor: number, offset: number, length: number, options: { shared: boolean }): boolean;
  unlock(descriptor: number, offset: number, length: number): void;
}

/** Far past any store's end: where locks are mandatory, they must not stand in the way of reads. */
const LOCK_OFFSET = 2 ** 52;
const LOCK_BYTES = 1;

let loaded: LockBinding | undefined;

function binding(): LockBinding {
  if (loaded !== undefined) return loaded;
  try {
    loaded = createRequire(import.meta.url)('fs-native-extensions') as LockBinding;
    return loaded;
  } catch (cause) {
    const message = `no prebuilt file locks for ${process.platform}-${process.arch}: use a platform that fs-native-extensions supports`;
    throw new StoreError('NOT_SUPPORTED', message, { cause });
  }
}

/** Takes the lock if no one holds it against us; returns whether it did. Never waits. */
export function tryLockFile(descriptor: number, shared: boolean): boolean {
  return binding().tryLock(descriptor, LOCK_OFFSET, LOCK_BYTES, { shared });
}

export function storeLocked(path: string, pid: number | undefined): StoreError {
  const holder =
    pid === undefined
      ? 'another handle has'
      : pid === process.pid
        ? `this process (pid ${pid}) already has`
        : `process ${pid} has`;
  const message = `${holder} the store ${path} open: close it there, or wait until that process ends`;
  return new StoreError('STORE_LOCKED', message, {
    details: { path, ...(pid === undefined ? {} : { pid }) },
  });
}
