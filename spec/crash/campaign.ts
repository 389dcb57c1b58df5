// Goes through the workloads with one seed: cuts, kills, and crashes during recovery; says how to repeat what it
// finds.

import { Random } from '../helpers/random.js';
import type { Double } from './disk-session.js';
import type { DiskState } from './disk-state.js';
import { type Cut, cutsOf, imagesOf, type Recording, record, verify } from './explore.js';
import { Violation, violationOf } from './oracle.js';
import { crashRecovery } from './recovery-crash.js';
import { WORKLOADS, type Workload } from './workloads.js';

/** How the state was come by from which a recovery is cut. */
type Origin = 'killed' | 'power cut';

export interface CampaignOptions {
  readonly seed: number;
  /** Images made of each cut; those that come out the same are looked at once. */
  readonly variants: number;
  /** The part of all cuts that is taken. */
  readonly cutChance: number;
  /** Cuts of each workload from which recovery is cut in its turn. */
  readonly recoveries: number;
  /** Images made of each cut of a recovery, and of the recovery from that. */
  readonly recoveryVariants: readonly number[];
  /** Ends the round once so many images were looked at. */
  readonly imagesMax: number;
  /** Stands between the stores whose work is cut and their disks. */
  readonly double?: Double;
  /** The same for backups that they make. */
  readonly backupDouble?: Double;
  /** Narrows it to what is to be repeated. */
  readonly only?: Only;
}

export interface Only {
  readonly workload?: string;
  readonly cut?: number;
  readonly variant?: number;
  readonly origin?: string;
  /** Cut and variant in the recovery, and in the recovery from that. */
  readonly path?: readonly number[];
}

export interface CampaignCounts {
  workloads: number;
  cuts: number;
  images: number;
  recoveries: number;
  recoveryImages: number;
}

/** Workloads between those that two seeds begin with. */
const SEED_STEP = 29;

export function noCampaignCounts(): CampaignCounts {
  return { workloads: 0, cuts: 0, images: 0, recoveries: 0, recoveryImages: 0 };
}

export async function runCampaign(options: CampaignOptions, counts: CampaignCounts): Promise<void> {
  // Each seed begins with another workload, so that short runs do not all look at the same few.
  const first = options.seed * SEED_STEP;
  for (let i = 0; i < WORKLOADS.length; i++) {
    const index = (first + i) % WORKLOADS.length;
    const workload = WORKLOADS[index];
    if ((options.only?.workload ?? workload.name) !== workload.name) continue;
    if (counts.images + counts.recoveryImages >= options.imagesMax) return;
    await new WorkloadCampaign(workload, index, options, counts).run();
    counts.workloads++;
  }
}

class WorkloadCampaign {
  private readonly workload: Workload;
  private readonly index: number;
  private readonly options: CampaignOptions;
  private readonly counts: CampaignCounts;

  constructor(workload: Workload, index: number, options: CampaignOptions, counts: CampaignCounts) {
    this.workload = workload;
    this.index = index;
    this.options = options;
    this.counts = counts;
  }

  async run(): Promise<void> {
    const { only, cutChance, recoveries, seed, double, backupDouble } = this.options;
    const recording = await this.repeatable('', () =>
      record(this.workload, seed, this.index, { double, backupDouble }),
    );
    const choice = this.randomOf(0xc407ce);
    const recovered = this.recoveredCuts(recording, recoveries);
    for (const cut of cutsOf(recording)) {
      if (this.counts.images + this.counts.recoveryImages >= this.options.imagesMax) return;
      if (cut.at !== (only?.cut ?? cut.at)) continue;
      const isChosen = choice.chance(cutChance) || only?.cut !== undefined;
      if (isChosen && only?.origin === undefined) await this.cutImages(cut);
      if (!recovered.has(cut.at) && only?.origin === undefined) continue;
      await this.recover(cut, 'killed', () => this.killed(cut));
      await this.recover(cut, 'power cut', () => this.cutOff(cut));
    }
  }

  private randomOf(...parts: readonly number[]): Random {
    return Random.of(this.options.seed, this.index, ...parts);
  }

  private recoveredCuts(recording: Recording, count: number): Set<number> {
    const cuts = [...cutsOf(recording)].map(({ at }) => at);
    const random = this.randomOf(0x4ec0);
    return new Set(Array.from({ length: count }, () => random.pick(cuts)));
  }

  private async cutImages(cut: Cut): Promise<void> {
    this.counts.cuts++;
    const images = imagesOf(cut, this.options.variants, (variant) => this.randomOf(cut.at, variant));
    for (const { variant, image } of images) {
      if (variant !== (this.options.only?.variant ?? variant)) continue;
      this.counts.images++;
      await this.repeatable(` --cut ${cut.at} --variant ${variant}`, () =>
        verify(image, this.workload.options, cut.allowed, this.randomOf(cut.at, variant, 1)),
      );
    }
  }

  private killed(cut: Cut): DiskState {
    const random = this.randomOf(cut.at, 0x4111);
    return cut.state.afterKill(() => random.chance(0.5));
  }

  private cutOff(cut: Cut): DiskState {
    const random = this.randomOf(cut.at, 0xc0ff);
    const [{ image }] = [...imagesOf(cut, 16, () => random)].slice(-1);
    return image.state;
  }

  private async recover(cut: Cut, origin: Origin, make: () => DiskState): Promise<void> {
    const { only, recoveryVariants, double } = this.options;
    if ((only?.origin ?? origin) !== origin) return;
    this.counts.recoveries++;
    await this.repeatable(` --cut ${cut.at} --origin ${JSON.stringify(origin)}`, () =>
      crashRecovery(make(), cut.allowed, {
        options: this.workload.options,
        double,
        variants: recoveryVariants,
        only: only?.path,
        randomOf: (...parts) => this.randomOf(cut.at, origin === 'killed' ? 1 : 2, ...parts),
        onImage: () => this.counts.recoveryImages++,
      }),
    );
  }

  private async repeatable<T>(where: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { message } = violationOf('exploring', error);
      const command = `npm run crash -- --seed ${this.options.seed} --workload ${JSON.stringify(this.workload.name)}${where}`;
      throw new Violation(`${this.workload.name}: ${message}\n  repeat it with: ${command}`, {
        cause: error,
      });
    }
  }
}
