// A promise that must settle: what waits for ever is found, not waited for.

import { Violation } from '../crash/oracle.js';

/** Raises a Violation if the work is not done in time. */
export async function inTime(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Violation(`it hangs for ${milliseconds} ms`)), milliseconds);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
