// Workloads on real files whose system calls fail: for every call that a workload makes, each way in which it can
// fail, once and from there on. See failing-calls.ts; lib/ must be loaded after that is in place.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { OnError } from '../crash/workload-run.js';
import { type CallFault, type CallName, canMeet, FAULT_KINDS, FailingCalls } from './failing-calls.js';

const calls = new FailingCalls();
calls.install();

const { StoreError } = await import('../../lib/errors.js');
const { violationOf } = await import('../crash/oracle.js');
const { inTime } = await import('../helpers/in-time.js');
const { RealRun } = await import('./real-run.js');
const { WORKLOADS } = await import('../crash/workloads.js');

type Workload = (typeof WORKLOADS)[number];

/** Workloads without kills, which a process cannot do to itself. */
const NAMES = [
  '3 small commits of 20 bytes',
  'puts, deletes and updates',
  'group commits that fill the log',
  'a commit too long for the log',
  'read-only between commits',
  'rolled back after a spill',
  'spills and small commits in turn',
  'larger values',
  'a value as a stream beside commits',
  'an atomic load into a full bucket',
  'a load in small commits',
  'growth and shrinking',
  'a snapshot held over commits',
  'compaction',
  'a backup',
];

const HANG_MILLISECONDS = 20_000;
const EXPECTED = new Set(['IO_ERROR', 'DISK_FULL', 'STORE_FAILED']);

export function ioWorkloads(): Workload[] {
  return NAMES.map((name) => {
    const workload = WORKLOADS.find((known) => known.name === name);
    if (workload === undefined) throw new Error(`there is no workload ${name}`);
    return workload;
  });
}

/** A run in a folder of its own; what fails under it is told to it. */
function runOf(workload: Workload, seed: number, onError?: OnError): InstanceType<typeof RealRun> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'failing-io-'));
  const run = new RealRun(workload, folder, seed, onError);
  calls.onFailure = (name, place) => run.noteFailure(name, place);
  return run;
}

async function clearUp(run: InstanceType<typeof RealRun>): Promise<void> {
  await run.close();
  fs.rmSync(run.folder, { recursive: true, force: true });
}

/** The calls of a run in which all do as they are asked. */
export async function callsOf(workload: Workload, seed: number): Promise<readonly CallName[]> {
  const run = runOf(workload, seed);
  try {
    calls.begin();
    await run.work();
    return calls.names.slice();
  } finally {
    calls.end();
    await clearUp(run);
  }
}

/** Each call, each fault that it can meet, alone and followed by others of its kind. */
export function* faultsOf(names: readonly CallName[]): Generator<CallFault> {
  for (const [index, name] of names.entries()) {
    for (const kind of FAULT_KINDS) {
      if (!canMeet(name, kind)) continue;
      yield { kind, index, calls: 1 };
      // A signal may interrupt a call again and again, but not for ever.
      yield { kind, index, calls: kind === 'EINTR' ? 5 : Number.POSITIVE_INFINITY };
    }
  }
}

/** Runs the workload with the fault. Raises a Violation. */
export async function runWithFault(workload: Workload, seed: number, fault: CallFault): Promise<void> {
  const isHarmless = fault.kind === 'EINTR' || fault.kind === 'short';
  const run = runOf(workload, seed, (error, during) => {
    if (isHarmless || !(error instanceof StoreError) || !EXPECTED.has(error.code))
      throw violationOf(during, error);
  });
  try {
    calls.begin(fault);
    await inTime(run.work(), HANG_MILLISECONDS);
    calls.end();
    await inTime(run.goOn(), HANG_MILLISECONDS);
  } catch (error) {
    throw violationOf('running', error);
  } finally {
    calls.end();
    await clearUp(run);
  }
}
