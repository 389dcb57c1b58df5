// Has an abort signal end the wait for a chunk, even for one that never comes.

import { StoreError } from '../errors.js';

/** @throws ABORTED where the signal was given already. */
export function throwIfAborted(signal: AbortSignal | undefined, name: string): void {
  if (signal?.aborted) throw aborted(signal, name);
}

function aborted(signal: AbortSignal, name: string): StoreError {
  return new StoreError('ABORTED', `reading ${name} was stopped by its signal`, { cause: signal.reason });
}

/**
 * What is waited for, unless the signal is given before; what comes after it goes to `late`.
 *
 * @throws ABORTED then.
 */
export async function unlessAborted<Result>(
  waitedFor: Promise<Result>,
  signal: AbortSignal | undefined,
  name: string,
  late: (result: Result) => void,
): Promise<Result> {
  if (!signal) return waitedFor;
  let onAbort = () => {};
  const interrupted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      waitedFor.then(late, () => undefined);
      reject(aborted(signal, name));
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([waitedFor, interrupted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * The chunks until the signal is given.
 *
 * @throws ABORTED then.
 */
export async function* interruptible<Chunk>(
  chunks: AsyncIterable<Chunk>,
  signal: AbortSignal | undefined,
  name: string,
): AsyncGenerator<Chunk, void, undefined> {
  if (!signal) {
    yield* chunks;
    return;
  }
  const iterator = chunks[Symbol.asyncIterator]();
  // One listener for all the chunks: Promise.race would add to a promise that lives as long as the source.
  let interrupt = () => {};
  const onAbort = () => interrupt();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      const step = await new Promise<IteratorResult<Chunk>>((resolve, reject) => {
        interrupt = () => reject(aborted(signal, name));
        if (signal.aborted) interrupt();
        else iterator.next().then(resolve, reject);
      });
      if (step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    const closing = iterator.return?.();
    // The chunk that was awaited may never come, and with it the end of the closing.
    if (signal.aborted) closing?.catch(() => {});
    else await closing;
  }
}
