// Workloads on real files whose system calls fail: for every call that a workload makes, each way in which it can
// fail, once and from there on. See failing-calls.ts; lib/ must be loaded after that is in place.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Database } from '../../lib/database.js';
import { Random } from '../helpers/random.js';
import { type CallFault, type CallName, canMeet, FAULT_KINDS, FailingCalls } from './failing-calls.js';

const calls = new FailingCalls();
calls.install();

const { StoreDatabase } = await import('../../lib/database.js');
const { StoreError } = await import('../../lib/errors.js');
const { recover } = await import('../../lib/recover.js');
const { openStore } = await import('../../lib/storage/store-open.js');
const { Violation, violationOf } = await import('../crash/oracle.js');
const { digestOf } = await import('../crash/state-digest.js');
const { Stopped, WorkloadRun } = await import('../crash/workload-run.js');
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
];

const HANG_MILLISECONDS = 20_000;
const EXPECTED = new Set(['IO_ERROR', 'DISK_FULL', 'STORE_FAILED']);
const META_BYTES = 2 * 4096;

export function ioWorkloads(): Workload[] {
  return NAMES.map((name) => {
    const workload = WORKLOADS.find((known) => known.name === name);
    if (workload === undefined) throw new Error(`there is no workload ${name}`);
    return workload;
  });
}

/** One run of a workload in a folder of its own. */
class IoRun {
  readonly run: InstanceType<typeof WorkloadRun>;
  private readonly workload: Workload;
  private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'failing-io-'));
  private readonly opened = new Set<Database>();
  private acknowledged = 0;
  /** Whether nobody knows any more what the disk has of what the open store wrote. */
  private isUnknown = false;
  private metaFailures = 0;
  private hasFailed = false;

  constructor(workload: Workload, seed: number, onError?: (error: unknown, during: string) => void) {
    this.workload = workload;
    calls.onFailure = (name, position) => {
      this.hasFailed = true;
      if (name === 'fdatasync') this.isUnknown = true;
      if (name === 'write' && position !== undefined && position < META_BYTES) this.metaFailures++;
      // It could neither be written nor be taken back.
      if (this.metaFailures >= 2) this.isUnknown = true;
    };
    const ground = {
      open: (readOnly: boolean) => this.open(readOnly),
      kill: () => {
        throw new Error('a process cannot kill itself here');
      },
      mark: (kind: 'attempt' | 'acknowledge', step: number) => {
        if (kind === 'acknowledge') this.acknowledged = Math.max(this.acknowledged, step);
      },
    };
    this.run = new WorkloadRun(ground, Random.of(seed), workload.options, onError);
  }

  private async open(readOnly: boolean): Promise<Database> {
    this.isUnknown = false;
    this.metaFailures = 0;
    const { options } = this.workload;
    const opened = await openStore(path.join(this.folder, 'store.db'), {
      readOnly,
      create: true,
      pageSize: options.pageSize ?? 4096,
      cacheBytesMax: 64 * 4096,
      dirtyBytesMax: options.dirtyBytesMax ?? 64 * 4096,
      durable: true,
      logHalfBytes: options.logHalfBytes ?? 64 * 1024,
    });
    await recover(opened);
    const db = new StoreDatabase(opened.store, opened.recovery);
    this.opened.add(db);
    return db;
  }

  /** The workload from its beginning to its close; after a failure the store stays open, to be written to. */
  async work(): Promise<void> {
    try {
      await this.workload.run(this.run);
      if (!this.hasFailed) await this.run.finish();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  /** The calls do as they are asked again: all that was acknowledged is there, and the store goes on. */
  async goOn(): Promise<void> {
    const { run } = this;
    if (run.isOpen) {
      const accepted = await run.put('healed', 'key', 30);
      if (accepted === this.isUnknown)
        throw new Violation(
          `after a failure that left ${this.isUnknown ? 'un' : ''}known what the disk has, a write was ${accepted ? 'accepted' : 'refused'}`,
        );
      await run.close();
    }
    await run.open();
    await this.expectWhole();
    if (!(await run.put('healed', 'after', 30)))
      throw new Violation('a store that was opened again refuses to write');
    if (!(await run.close())) throw new Violation('a store that was opened again cannot be closed');
    await run.open();
    run.expectModel('after a clean close');
    await this.expectWhole();
    await run.close();
  }

  private async expectWhole(): Promise<void> {
    const report = await this.run.db.check();
    if (!report.ok) throw new Violation(`its check: ${JSON.stringify(report.problems.slice(0, 5))}`);
    const allowed = this.run.history.digests.slice(this.acknowledged);
    if (!allowed.includes(digestOf(this.run.db))) throw new Violation('it is at no step that it may be at');
  }

  async clearUp(): Promise<void> {
    for (const db of this.opened) await db.close().catch(() => undefined);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The calls of a run in which all do as they are asked. */
export async function callsOf(workload: Workload, seed: number): Promise<readonly CallName[]> {
  const run = new IoRun(workload, seed);
  try {
    calls.begin();
    await run.work();
    return calls.names.slice();
  } finally {
    calls.end();
    await run.clearUp();
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
  const run = new IoRun(workload, seed, (error, during) => {
    if (isHarmless || !(error instanceof StoreError) || !EXPECTED.has(error.code))
      throw violationOf(during, error);
  });
  try {
    calls.begin(fault);
    await inTime(run.work());
    calls.end();
    await inTime(run.goOn());
  } catch (error) {
    throw violationOf('running', error);
  } finally {
    calls.end();
    await run.clearUp();
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Violation(`it hangs for ${HANG_MILLISECONDS} ms`)),
      HANG_MILLISECONDS,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
