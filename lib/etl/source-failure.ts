// What goes wrong with a source, in the words of the library.

import { StoreError } from '../errors.js';

// Of the system's errors those that come from elsewhere than the path: the machine has no more of something.
const NOT_THE_PATH = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EAGAIN']);
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  ENOTDIR: 'a part of the path is not a directory; check the path',
  EISDIR: 'it is a directory; name a file',
  EACCES: 'permission is denied; check who may read it',
  EPERM: 'permission is denied; check who may read it',
};

/** An error for a path that cannot be opened. */
export function openFailure(error: unknown, path: string): StoreError {
  const code = errorCode(error);
  if (NOT_THE_PATH.has(code)) return readFailure(error, path);
  const advice = ADVICE[code] ?? messageOf(error);
  return new StoreError('SOURCE_INVALID', `${path} cannot be opened: ${advice}`, {
    cause: error,
    details: { path },
  });
}

/** An error that came up while the source was read. */
export function sourceFailure(error: unknown, name: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = errorCode(error);
  if (code === 'Z_BUF_ERROR') return brokenGzip(error, name, 'ends in the middle; copy or download it again');
  if (code.startsWith('Z_')) return brokenGzip(error, name, 'is damaged; copy or download it again');
  return readFailure(error, name);
}

/** An error for a source that is shorter than what was read of it before. */
export function endsEarly(name: string): StoreError {
  return new StoreError(
    'SOURCE_INVALID',
    `${name} ends before the place to go on from; it is not the source it was`,
  );
}

function brokenGzip(error: unknown, name: string, problem: string): StoreError {
  return new StoreError('SOURCE_INVALID', `${name}: its gzip data ${problem}`, { cause: error });
}

function readFailure(error: unknown, name: string): StoreError {
  return new StoreError('IO_ERROR', `reading ${name} failed: ${messageOf(error)}`, { cause: error });
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
