// The garbage collector at a spec's command, for what is let go when it is forgotten.

import { setImmediate as nextTurn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');

/** Collects all that nothing refers to. */
export const collectGarbage = vm.runInNewContext('gc') as () => void;

/** Collects until `isDone`, and says whether it came to that: finalizers run some turns after a collection. */
export async function collectUntil(isDone: () => boolean, rounds = 40): Promise<boolean> {
  for (let round = 0; round < rounds; round++) {
    if (isDone()) return true;
    // What a WeakRef was asked for is kept until the turn ends.
    await nextTurn();
    collectGarbage();
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }
  return isDone();
}
