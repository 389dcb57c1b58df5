// Reading here and there: ranges from random starts, single entries.

import { drawn, Entries, Tally } from '../data.js';
import type { Engine } from '../engines/engine.js';
import { verify } from './scans.js';
import { type Measured, type Setting, timed, type Workload } from './workload.js';

const RANGE_LENGTH = 100;

async function ranges(engine: Engine, { entries: count, valueBytes }: Setting): Promise<Measured> {
  const entries = new Entries(valueBytes);
  const times = Math.min(20_000, count);
  const startOf = (position: number): number => drawn(position, count - RANGE_LENGTH);
  const pass = async (from: number, to: number, tally: Tally): Promise<void> => {
    for (let i = from; i < to; i++) {
      const reading = engine.range(entries.key(startOf(i)), RANGE_LENGTH, tally);
      if (reading !== undefined) await reading;
    }
  };
  await pass(times, times + 3000, new Tally());
  const tally = new Tally();
  const seconds = await timed(() => pass(0, times, tally));
  const expected = new Tally();
  for (let i = 0; i < times; i++)
    for (let at = 0; at < RANGE_LENGTH; at++) expected.expect(startOf(i) + at, 0, valueBytes);
  verify(tally, expected);
  return { operations: times * RANGE_LENGTH, seconds };
}

async function gets(engine: Engine, { entries: count, valueBytes }: Setting): Promise<Measured> {
  const entries = new Entries(valueBytes);
  const times = 300_000;
  const pass = (from: number, to: number, tally: Tally): void => {
    for (let i = from; i < to; i++) {
      const value = engine.get(entries.key(drawn(i, count)));
      if (value === undefined) throw new Error(`entry ${drawn(i, count)} is not there`);
      tally.addValue(value);
    }
  };
  // Long enough that what is to be hot is.
  pass(times, times + Math.max(300_000, Math.min(count, 1_000_000)), new Tally());
  const tally = new Tally();
  const seconds = await timed(() => pass(0, times, tally));
  const expected = new Tally();
  for (let i = 0; i < times; i++) expected.expect(drawn(i, count), 0, valueBytes, 0);
  verify(tally, expected);
  return { operations: times, seconds };
}

const dataBytes = ({ entries, valueBytes }: Pick<Setting, 'entries' | 'valueBytes'>): number =>
  entries * (16 + valueBytes);

export const READS: readonly Workload[] = [
  {
    name: 'ranges',
    title: 'ranges of 100 from random starts',
    start: 'loaded',
    unit: 'entries',
    target: 5,
    writes: false,
    run: ranges,
  },
  {
    name: 'get-hot',
    title: 'random get, all in memory',
    start: 'loaded',
    unit: 'entries',
    target: 2,
    writes: false,
    settingsOf: (setting) => ({ cacheBytes: Math.max(64 * 2 ** 20, 1.5 * dataBytes(setting)) }),
    run: gets,
  },
  {
    name: 'get-cold',
    title: 'random get, cache a tenth of the data',
    start: 'loaded',
    unit: 'entries',
    target: 1,
    writes: false,
    settingsOf: (setting) => ({ cacheBytes: dataBytes(setting) / 10 }),
    run: gets,
  },
];
