// Signals that end a command, during work that can be stopped in order: Ctrl-C, the end that another process asks for, and
// the terminal that goes. The first one asks the work to stop, the second one does not wait.

import { constants } from 'node:os';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type EndingSignal = (typeof ENDING)[number];

/** What such a signal gives. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** 128 and the number of the signal that came first, as shells have it. */
  readonly exitStatus: number;
  /** Gives the signals their usual meaning again. */
  release(): void;
}

/** @param onFirst Runs with the first signal, before `signal` is given. */
export function catchInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let exitStatus = statusOf('SIGINT');
  const onSignal = (name: EndingSignal): void => {
    if (controller.signal.aborted) {
      endBy(name);
      return;
    }
    exitStatus = statusOf(name);
    onFirst();
    controller.abort();
  };
  const listeners = ENDING.map((name) => [name, () => onSignal(name)] as const);
  for (const [name, listener] of listeners) process.on(name, listener);
  return {
    signal: controller.signal,
    get exitStatus() {
      return exitStatus;
    },
    release: () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}

const HELD_MILLISECONDS = 3000;

/**
 * Ends the process by the signal that its exit status tells of, if it does not end by itself: a call of the system that
 * never returns holds it, as the opening of a pipe that has no other end.
 */
export function endIfHeld(exitStatus: number): void {
  const name = ENDING.find((each) => statusOf(each) === exitStatus);
  if (name !== undefined) setTimeout(() => endBy(name), HELD_MILLISECONDS).unref();
}

/** By the signal itself: `process.exit` waits for calls of the system. */
function endBy(name: EndingSignal): void {
  // Temporary files go.
  process.emit('exit', statusOf(name));
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

function statusOf(name: EndingSignal): number {
  return 128 + constants.signals[name];
}
