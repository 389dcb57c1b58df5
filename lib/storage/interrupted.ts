/**
 * Calls of the system that a signal interrupted, EINTR, have done nothing and are made again. The runtime does
 * that for some calls and not for others, and a file system in user space may answer so to any.
 */

export function isInterrupted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EINTR';
}

/** The result of a call that is made until no signal interrupts it. Not for syncs: see `DiskFile.sync`. */
export function uninterrupted<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!isInterrupted(error)) throw error;
    }
  }
}
