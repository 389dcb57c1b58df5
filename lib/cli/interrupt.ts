// Ctrl-C during work that can be stopped in order: the first one asks for that, the second one does not wait.

import { EXIT_INTERRUPTED } from './exit-status.js';

/** A signal that Ctrl-C gives. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning again. */
  release(): void;
}

/** @param onFirst Runs with the first Ctrl-C, before the signal is given. */
export function catchInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    onFirst();
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  return { signal: controller.signal, release: () => process.off('SIGINT', onInterrupt) };
}
