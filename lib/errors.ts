// The one error class of the library and its stable codes. Every layer may import this file, so it
// imports none of them.

/**
 * What went wrong, as a word that programs may compare with. A code, once released, keeps its meaning;
 * new ones may be added. Each value says when the code comes and what to do about it.
 */
export const ERROR_CODES = {
  /** There is no file at the path and `create` is false. Check the path, or open with `create: true`. */
  STORE_NOT_FOUND: 'STORE_NOT_FOUND',
  /** Another handle, in this process or another, has the file open. Close it there, or wait and try again. */
  STORE_LOCKED: 'STORE_LOCKED',
  /** The file holds something other than a store. Check the path; nothing was changed. */
  NOT_A_STORE: 'NOT_A_STORE',
  /** The file was written in a format that this version cannot read. Open it with a version that can. */
  UNSUPPORTED_VERSION: 'UNSUPPORTED_VERSION',
  /** A page is damaged or is not the one expected; `details.page` names it. Run `check()`; restore a backup. */
  PAGE_CORRUPT: 'PAGE_CORRUPT',
  /** The pending log beside the store is another store's, or lacks commits. Restore both, or move the log away. */
  LOG_CORRUPT: 'LOG_CORRUPT',
  /** A temporary file of a bulk load was damaged while it was in use. Check the disk; load again. */
  RUN_CORRUPT: 'RUN_CORRUPT',
  /** The store was closed before or during the call. Open it again. */
  STORE_CLOSED: 'STORE_CLOSED',
  /** An earlier write or sync failed, so this handle refuses writes; `cause` is that failure. Open it again. */
  STORE_FAILED: 'STORE_FAILED',
  /** A write was asked of a store that was opened read-only. Open it without `readOnly`. */
  READ_ONLY: 'READ_ONLY',
  /** An option or argument is of the wrong type or out of bounds; the message names it. Correct the call. */
  INVALID_OPTION: 'INVALID_OPTION',
  /** A key is neither a string nor a Uint8Array, or a string that UTF-8 cannot hold. Encode it as one of them. */
  INVALID_KEY: 'INVALID_KEY',
  /** A value does not satisfy the schema of its bucket, or its bytes are not of its type; see `details.issues`. */
  INVALID_VALUE: 'INVALID_VALUE',
  /** The value of a key that is not there was to be streamed. Check with `has` first. */
  KEY_NOT_FOUND: 'KEY_NOT_FOUND',
  /** A key is longer than the page size allows. Shorten it, or make the store with larger pages. */
  KEY_TOO_LARGE: 'KEY_TOO_LARGE',
  /** A value is longer than the call can take. Write it with `createValueWriteStream`, or split it. */
  VALUE_TOO_LARGE: 'VALUE_TOO_LARGE',
  /** Bulk input that was declared sorted is not; the message names both keys. Sort it, or pass `sorted: 'auto'`. */
  KEY_OUT_OF_ORDER: 'KEY_OUT_OF_ORDER',
  /** A key came twice, or is in the bucket already, under `onDuplicate: 'error'`. Remove one, or choose another way. */
  DUPLICATE_KEY: 'DUPLICATE_KEY',
  /** A bucket to be created is there already. Use it, or drop it first. */
  BUCKET_EXISTS: 'BUCKET_EXISTS',
  /** The call needs a bucket that does not exist. Create it first, or check its name. */
  BUCKET_NOT_FOUND: 'BUCKET_NOT_FOUND',
  /** A bucket name is empty, too long or not a string. Choose another. */
  INVALID_BUCKET_NAME: 'INVALID_BUCKET_NAME',
  /** The transaction was committed or rolled back before the call. Begin another. */
  TRANSACTION_CLOSED: 'TRANSACTION_CLOSED',
  /** The snapshot was released before or during the read. Take another, and release it after the last read. */
  SNAPSHOT_RELEASED: 'SNAPSHOT_RELEASED',
  /** The operating system refused to read, write or sync; `cause` is its error. Mend that, then try again. */
  IO_ERROR: 'IO_ERROR',
  /** The disk or the quota is full. The last commit stands; make room, then try again. */
  DISK_FULL: 'DISK_FULL',
  /** The work was stopped by its signal or its consumer. What was committed before stands. */
  ABORTED: 'ABORTED',
  /** The call cannot go together with other work under way; the message names it. Wait for that to end. */
  CONFLICT: 'CONFLICT',
  /** The platform, the file system or this kind of store cannot do it. The message names the alternative. */
  NOT_SUPPORTED: 'NOT_SUPPORTED',
  /** An import's source cannot be read as what it is declared to be, or is not the one its checkpoint knows. */
  SOURCE_INVALID: 'SOURCE_INVALID',
  /** A row was refused and the import was told to stop there; `details` says where. Mend it, or collect rejects. */
  ROW_REJECTED: 'ROW_REJECTED',
  /** An invariant of the library does not hold: a defect in it. Report it with the message and the stack. */
  INTERNAL: 'INTERNAL',
} as const;

/** One of the codes of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts for programs beside the message, such as `{ page: 7 }` or `{ pid: 123 }`. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a {@link StoreError} may carry besides its code and message. */
export interface StoreErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
  /** Facts for programs; copied and frozen. Empty by default. */
  details?: ErrorDetails;
}

const noDetails: ErrorDetails = Object.freeze({});

/**
 * Every error that the library raises. Compare `code`; the message is for people, says what was wrong and
 * what to do, and may change between versions.
 *
 * @example
 * ```ts
 * try {
 *   await open('orders.db', { create: false });
 * } catch (error) {
 *   if (!(error instanceof StoreError) || error.code !== 'STORE_NOT_FOUND') throw error;
 *   console.log('there are no orders yet'); // prints there are no orders yet
 * }
 * ```
 */
export class StoreError extends Error {
  /** What went wrong; stable between versions. */
  readonly code: ErrorCode;
  /** Facts for programs, such as `{ page: 7 }`; frozen, empty where there are none. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: StoreErrorOptions = {}) {
    // `cause` is passed on only if given: an own property of undefined would print as "[cause]: undefined".
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ? Object.freeze({ ...options.details }) : noDetails;
  }
}

// On the prototype, as the built-in errors have it: no own property, so none is printed with each error.
Object.defineProperty(StoreError.prototype, 'name', {
  value: 'StoreError',
  writable: true,
  configurable: true,
});
