/**
 * Tells who begins an iteration: a loop, which is done with an entry before it asks for the next, or a stream of the
 * runtime's (`Readable.from(range)`, `pipeline(range, …)`, `ReadableStream.from(range)`), which takes entries before it
 * hands on those it has, and buffers them. Both ask for the same iterator, and nothing but the file of the code that
 * asks tells them apart.
 */

/** Files of the runtime itself. */
const RUNTIME = 'node:internal/';

/** Whether `begin`, which must be the function that runs, was called by the runtime. Takes a few microseconds. */
export function isCalledByStream(begin: (...values: never[]) => unknown): boolean {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const caller: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, [site]) => site?.getFileName();
    Error.captureStackTrace(caller, begin);
    return typeof caller.stack === 'string' && caller.stack.startsWith(RUNTIME);
  } catch {
    // Where errors are frozen nothing can be told: then copies, which are right for all.
    return true;
  } finally {
    restore(prepareStackTrace, stackTraceLimit);
  }
}

function restore(prepareStackTrace: typeof Error.prepareStackTrace, stackTraceLimit: number): void {
  try {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  } catch {
    // Frozen, so that nothing was changed.
  }
}
