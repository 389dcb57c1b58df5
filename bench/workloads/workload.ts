// What is timed: some work on an engine, warmed up first, and verified by what was read.

import type { Engine, OpenSettings } from '../engines/engine.js';

/** One run's surroundings. */
export interface Setting {
  /** Entries of the store that the workload finds, or makes. */
  readonly entries: number;
  readonly valueBytes: number;
  /** A store that the workload may change, or must make. */
  readonly path: string;
  /** A folder for files beside it; removed afterwards. */
  readonly folder: string;
  /** A CSV and an NDJSON file of as many rows, where the workload asks for them. */
  readonly sources: { readonly csv: string; readonly ndjson: string };
}

export interface Measured {
  /** What was done in the time that was taken. */
  readonly operations: number;
  readonly seconds: number;
  /** Figures that are no rate: bytes, milliseconds. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** What the store holds when the workload begins: nothing, sorted entries loaded in bulk, or rows of JSON. */
export type Start = 'empty' | 'loaded' | 'json' | 'crashed';

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly start: Start;
  /** The unit of the rate; 'ms' and 'bytes' where a figure of that kind is compared instead, smaller being better. */
  readonly unit: 'entries' | 'rows' | 'commits' | 'ms' | 'bytes a byte' | 'MB';
  /** How many times the best peer is aimed at, or the bound that is aimed at where the unit is no rate. */
  readonly target: number;
  /** Needs a store that it may change. */
  readonly writes: boolean;
  readonly settingsOf?: (setting: Pick<Setting, 'entries' | 'valueBytes'>) => OpenSettings;
  /** Opening is what is timed: nothing has opened the store in the process before. */
  readonly opensItself?: boolean;
  /** Peers that cannot do it. */
  readonly without?: readonly string[];
  run(engine: Engine, setting: Setting): Promise<Measured>;
}

/** Seconds that the work takes. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
