// How an import fails: with the error that stopped it, and what of the rows stays.

import { StoreError } from '../errors.js';
import type { ImportFailureDetails } from './import-report.js';

/** The error of an import that was stopped by `cause`. Errors that are not the library's own stay what they are. */
export function importFailure(
  cause: unknown,
  counts: ImportFailureDetails,
  signal: AbortSignal | undefined,
): unknown {
  // An option that is wrong was wrong before the import began.
  if (!(cause instanceof StoreError) || cause.code === 'INVALID_OPTION') return cause;
  const details = { ...cause.details, ...counts };
  if (cause.code === 'ABORTED' && signal?.aborted) {
    return new StoreError('ABORTED', `the import was stopped by its signal; ${whatStays(counts)}`, {
      cause: signal.reason,
      details,
    });
  }
  return new StoreError(cause.code, `${cause.message}; ${whatStays(counts)}`, { cause, details });
}

function whatStays({ rows }: ImportFailureDetails): string {
  if (rows === 0) return 'nothing was imported';
  return rows === 1 ? '1 row was committed before and stays' : `${rows} rows were committed before and stay`;
}
