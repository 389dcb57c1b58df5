/**
 * Waits that cannot end: for the writer's turn, in a process that has nothing else left to do. So whoever has the
 * turn will never give it back, most often because it waits for this very write. To tell that in every process, which
 * write comes from which transaction would have to be followed through all promises, and on the older releases of
 * Node that makes each of them slower, also where nobody writes.
 */
import { StoreError } from './errors.js';

const waits = new Set<() => void>();

/** Emitted by the process once its event loop is empty: no timer, no I/O, nobody to resolve a promise. */
function onBeforeExit(): void {
  for (const giveUp of [...waits]) giveUp();
}

/** Calls `giveUp` if the process would end while the wait goes on; returns what ends the watch. */
export function watchWait(giveUp: () => void): () => void {
  if (waits.size === 0) process.on('beforeExit', onBeforeExit);
  waits.add(giveUp);
  return () => {
    waits.delete(giveUp);
    if (waits.size === 0) process.off('beforeExit', onBeforeExit);
  };
}

export function stalledWait(cause: unknown): StoreError {
  const message =
    'this write waits for a transaction that never ends: inside db.write and after db.begin write through the transaction, as in tx.bucket(name).put(key, value), and commit or roll it back';
  return new StoreError('CONFLICT', message, { cause });
}
