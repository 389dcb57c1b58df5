// Reading all of a store, in each of the ways that engines have.

import { Tally } from '../data.js';
import type { Engine } from '../engines/engine.js';
import { type Measured, type Setting, timed, type Workload } from './workload.js';

export function expectedOf({ entries, valueBytes }: Pick<Setting, 'entries' | 'valueBytes'>): Tally {
  const expected = new Tally();
  for (let i = 0; i < entries; i++) expected.expect(i, 0, valueBytes);
  return expected;
}

export function verify(found: Tally, expected: Tally): void {
  if (!found.equals(expected)) throw new Error(`it read ${found}, not ${expected}`);
}

/** Scans until the code is warm, then once more against the clock. */
async function scanned(setting: Setting, scan: (tally: Tally) => unknown): Promise<Measured> {
  const expected = expectedOf(setting);
  for (let warm = 0; warm < 300_000; warm += setting.entries) {
    const tally = new Tally();
    await scan(tally);
    verify(tally, expected);
  }
  const tally = new Tally();
  const seconds = await timed(() => scan(tally));
  verify(tally, expected);
  return { operations: setting.entries, seconds };
}

const scan = (
  name: string,
  title: string,
  target: number,
  way: (engine: Engine, tally: Tally) => unknown,
  without: readonly string[] = [],
): Workload => ({
  name,
  title,
  target,
  without,
  start: 'loaded',
  unit: 'entries',
  writes: false,
  run: (engine, setting) => scanned(setting, (tally) => way(engine, tally)),
});

export const SCANS: readonly Workload[] = [
  scan('scan', 'full scan, the fastest way', 12, (engine, tally) => engine.scan(tally)),
  scan('scan-sync', 'full scan, sync iterator', 7, (engine, tally) => engine.scanSync(tally), [
    'classic-level',
  ]),
  scan('scan-await', 'full scan, for await', 7, (engine, tally) => engine.scanAwait(tally)),
];
