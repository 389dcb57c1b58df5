// What was measured, and what is made of it: for each workload and size the median of each engine, and how ours compares
// with the best of the others, round by round.

import { OURS } from '../engines/engines.js';
import type { Measured, Workload } from '../workloads/workload.js';
import { median, spread } from './statistics.js';

/** The runs of one workload at one size, by engine, in the order of rounds. */
export interface Series {
  readonly workload: string;
  readonly title: string;
  readonly unit: Workload['unit'];
  readonly target: number;
  readonly entries: number;
  readonly valueBytes: number;
  readonly runs: Record<string, number[]>;
}

/** Units in which less is better. */
export function isCost(unit: Workload['unit']): boolean {
  return unit === 'ms' || unit === 'bytes a byte' || unit === 'MB';
}

/** The figure of a run that is compared: a rate a second, or a cost. */
export function figureOf({ unit }: Pick<Workload, 'unit'>, measured: Measured): number {
  return isCost(unit) ? (measured.figures?.[unit] ?? Number.NaN) : measured.operations / measured.seconds;
}

export interface Comparison {
  readonly medians: Record<string, number>;
  readonly spreads: Record<string, number>;
  /** The best of the others. */
  readonly peer: string | undefined;
  /** How many times better ours is: above 1 it is ahead. */
  readonly ratio: number;
  readonly reached: boolean;
}

export function compare(series: Series): Comparison {
  const { runs, unit, target } = series;
  const cost = isCost(unit);
  const medians = Object.fromEntries(Object.entries(runs).map(([name, values]) => [name, median(values)]));
  const spreads = Object.fromEntries(Object.entries(runs).map(([name, values]) => [name, spread(values)]));
  const peers = Object.keys(runs).filter((name) => name !== OURS);
  const better = (a: string, b: string): boolean =>
    cost ? medians[a] < medians[b] : medians[a] > medians[b];
  const peer = peers.reduce<string | undefined>(
    (best, name) => (best === undefined || better(name, best) ? name : best),
    undefined,
  );
  const ours = runs[OURS] ?? [];
  const ratios =
    peer === undefined
      ? []
      : ours.map((own, round) => (cost ? runs[peer][round] / own : own / runs[peer][round]));
  const ratio = ratios.length === 0 ? Number.NaN : median(ratios);
  const reached = cost ? medians[OURS] <= target : ratio >= target;
  return { medians, spreads, peer, ratio, reached };
}
