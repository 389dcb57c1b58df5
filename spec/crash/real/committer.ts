// A process of its own that commits one step after the other, and writes the number of each once its commit has
// resolved; every few steps it closes the store and opens it again. It kills itself in the call that it is told.
// Arguments: the path, the step to begin with, and what else it is to do as JSON.

import fs from 'node:fs';
import { promisify } from 'node:util';
import { type CallName, FailingCalls } from '../../fault/failing-calls.js';

export interface CommitterPlan {
  /** The call in which it kills itself: before it is made, or with a part of what it should have written. */
  readonly kill?: { readonly call: CallName; readonly count: number; readonly part: boolean };
  readonly defect?: CommitterDefect;
}

/** Defects that the harness must find. */
export type CommitterDefect = 'acknowledges before the commit' | 'syncs do nothing';

const STEPS_OPEN = 6;

const [path, first, json] = process.argv.slice(2);
const plan = JSON.parse(json ?? '{}') as CommitterPlan;
const tell = fs.writeSync;

if (plan.defect === 'syncs do nothing')
  Object.assign(fs, {
    fdatasync: Object.assign(() => undefined, { [promisify.custom]: async () => undefined }),
  });

const calls = new FailingCalls();
let left = plan.kill?.count ?? 0;
let isLast = false;
calls.onCall = (name) => {
  const { kill } = plan;
  // Of what it writes in part it must not write more.
  if (isLast) process.kill(process.pid, 'SIGKILL');
  if (name !== kill?.call || left-- > 0) return undefined;
  tell(1, `in ${name}\n`);
  if (!kill.part) process.kill(process.pid, 'SIGKILL');
  isLast = true;
  return 'short';
};
calls.install();
const { open } = await import('btree-store');
const { takeStep } = await import('../../helpers/steps.js');

calls.begin();
for (let step = Number(first); ; ) {
  const db = await open(path);
  tell(1, 'open\n');
  for (let i = 0; i < STEPS_OPEN; i++, step++) {
    if (plan.defect === 'acknowledges before the commit') tell(1, `${step}\n`);
    await takeStep(db, step);
    // Synchronous: what is written here has left this process when the next step begins.
    if (plan.defect !== 'acknowledges before the commit') tell(1, `${step}\n`);
  }
  await db.close();
}
