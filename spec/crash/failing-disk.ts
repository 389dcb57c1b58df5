// Lets calls on the simulated disk fail, one or all from one on, and sees how the store takes it: typed errors,
// nothing lost that was acknowledged, no write accepted after a failed sync, and all well once the disk is.

import { StoreError } from 'btree-store';
import { inTime } from '../helpers/in-time.js';
import { Random } from '../helpers/random.js';
import { cutPower } from './disk-image.js';
import type { Double } from './disk-session.js';
import { DiskState, isEvent } from './disk-state.js';
import { type Cut, cutsOf, groundOn, verify } from './explore.js';
import { Violation, violationOf } from './oracle.js';
import { withRandomBytes } from './seeded-crypto.js';
import { type DiskCall, type DiskFault, SimulatedDisk } from './simulated-disk.js';
import { Stopped, WorkloadRun } from './workload-run.js';
import type { Workload } from './workloads.js';

export interface FaultPlan {
  /** The first call to fail. */
  readonly index: number;
  readonly code: string;
  /** Whether all calls after it fail too, until the workload has ended. */
  readonly lasting: boolean;
  /** The part of a write that reaches the file all the same. */
  readonly part: number;
}

/** Codes of the system, and the calls that can end with them. */
const CODES: Readonly<Record<string, readonly DiskCall['kind'][]>> = {
  EIO: ['read', 'write', 'sync', 'size', 'truncate'],
  ENOSPC: ['write', 'sync', 'truncate'],
  EFBIG: ['write', 'truncate'],
};

/** Every way in which a workload that made these calls can fail. */
export function* faultPlans(calls: readonly DiskCall['kind'][]): Generator<FaultPlan> {
  for (const [index, kind] of calls.entries()) {
    for (const [code, kinds] of Object.entries(CODES)) {
      if (!kinds.includes(kind)) continue;
      for (const lasting of [false, true]) yield { index, code, lasting, part: kind === 'write' ? 0.4 : 0 };
    }
  }
}

/** The calls of a run without faults. */
export async function callsOf(workload: Workload, seed: number): Promise<DiskCall['kind'][]> {
  const calls: DiskCall['kind'][] = [];
  const random = Random.of(seed, 0xfa17);
  const disk = new SimulatedDisk({
    random,
    turnsMax: TURNS,
    fault: ({ kind }) => {
      calls.push(kind);
      return undefined;
    },
  });
  const run = new WorkloadRun(groundOn(disk, workload.options, random), random, workload.options);
  await withRandomBytes(random, async () => {
    await workload.run(run);
    await run.finish();
  });
  return calls;
}

const TURNS = { store: 20, log: 6 };
const HANG_MILLISECONDS = 60_000;
const EXPECTED = new Set(['IO_ERROR', 'DISK_FULL', 'STORE_FAILED']);
/** Power cuts after the store was opened again, about. */
const CUTS = 12;

class FaultyRun {
  readonly disk: SimulatedDisk;
  readonly run: WorkloadRun;
  private healed = false;
  /** Whether a sync failed under the store that is open now. */
  private syncFailed = false;
  /** Operations before the store was first opened after the fault. */
  private reopenedAt: number | undefined;
  private hasFailed = false;
  private readonly plan: FaultPlan;
  private readonly workload: Workload;
  private readonly random: Random;

  constructor(workload: Workload, seed: number, plan: FaultPlan, double: Double | undefined) {
    const random = Random.of(seed, 0xfa17);
    this.random = random;
    this.plan = plan;
    this.workload = workload;
    this.disk = new SimulatedDisk({ random, turnsMax: TURNS, fault: (call) => this.faultOf(call) });
    const ground = groundOn(this.disk, { ...workload.options, double }, random);
    const opening = {
      ...ground,
      open: (readOnly: boolean) => {
        this.syncFailed = false;
        if (this.hasFailed) this.reopenedAt ??= this.disk.operations.length;
        return ground.open(readOnly);
      },
    };
    this.run = new WorkloadRun(opening, random, workload.options, (error, during) =>
      expectTyped(error, during),
    );
  }

  private faultOf({ kind, name, index }: DiskCall): DiskFault | undefined {
    const { plan } = this;
    const isDue = index === plan.index || (plan.lasting && index > plan.index);
    if (this.healed || !isDue || !CODES[plan.code].includes(kind)) return undefined;
    // What fails in a backup leaves the store as it is.
    if (kind === 'sync' && (name === 'store' || name === 'log')) this.syncFailed = true;
    this.hasFailed = true;
    return { code: plan.code, part: plan.part };
  }

  async work(): Promise<void> {
    try {
      await this.workload.run(this.run);
      // Only the close is left to fail.
      if (!this.hasFailed) await this.run.finish();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
    this.healed = true;
    // A disk that fails for good is well again only after the system was started again.
    if (this.plan.lasting && this.hasFailed) {
      this.disk.restart(this.random);
      this.run.forgetStore();
    }
    await this.goOn();
  }

  /** The disk is well again: so is the store, unless it cannot know what the disk has. */
  private async goOn(): Promise<void> {
    const { run } = this;
    if (run.isOpen) {
      const accepted = await run.put('healed', 'key', 30);
      if (accepted && this.syncFailed) throw new Violation('a write was accepted after a failed sync');
      if (!accepted && !this.syncFailed)
        throw new Violation('a write was refused though the disk is well again');
      const closed = await run.close();
      if (!closed && !this.syncFailed)
        throw new Violation('it cannot be closed though the disk is well again');
    }
    await run.open();
    await run.put('healed', 'after', 30);
    await run.write(Array.from({ length: 100 }, (_, i) => run.putOf('healed', `key ${i}`, 900)));
    await run.put('healed', 'last', 30);
  }

  get cutCount(): number {
    return this.disk.operations.slice(this.reopenedAt ?? 0).filter(isEvent).length + 1;
  }

  /** Cuts from where it was opened again, with what failed behind it. */
  *cuts(): Generator<Cut> {
    const { operations } = this.disk;
    const recording = { start: new DiskState(), operations, digests: this.run.history.digests };
    for (const cut of cutsOf(recording)) if (cut.at >= (this.reopenedAt ?? 0)) yield cut;
  }
}

function expectTyped(error: unknown, during: string): void {
  if (error instanceof StoreError && EXPECTED.has(error.code)) return;
  throw violationOf(during, error);
}

export interface FaultOptions {
  /** Stands between the store and the disk. */
  readonly double?: Double;
  /** How long it may take before it is said to hang. */
  readonly hangMilliseconds?: number;
}

/** Runs the workload with the fault; returns how many images were looked at. Raises a Violation. */
export async function runWithFault(
  workload: Workload,
  seed: number,
  plan: FaultPlan,
  { double, hangMilliseconds = HANG_MILLISECONDS }: FaultOptions = {},
): Promise<number> {
  const faulty = new FaultyRun(workload, seed, plan, double);
  await withRandomBytes(Random.of(seed, plan.index), () => inTime(faulty.work(), hangMilliseconds));
  if (faulty.disk.violations.length > 0) throw new Violation(faulty.disk.violations.join('; '));
  const chance = CUTS / faulty.cutCount;
  const random = Random.of(seed, plan.index, plan.lasting ? 1 : 0);
  let images = 0;
  for (const cut of faulty.cuts()) {
    if (!random.chance(chance)) continue;
    const image = cutPower(cut.state, random.below(20), random);
    await verify(image, workload.options, cut.allowed, random);
    images++;
  }
  return images;
}
