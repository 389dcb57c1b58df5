// What is no rate: how long opening takes, how large the file is, how much memory work takes.

import { Entries, isSame, Shuffle, Tally } from '../data.js';
import type { Engine } from '../engines/engine.js';
import { bytesOnDisk } from './bytes-on-disk.js';
import { expectedOf, verify } from './scans.js';
import { type Measured, type Setting, timed, type Workload } from './workload.js';

/** In a process that has done nothing yet, as a program begins; the engine's code is loaded, the store is not. */
async function openings(engine: Engine, setting: Setting): Promise<Measured> {
  const entries = new Entries(setting.valueBytes);
  const number = Math.floor(setting.entries / 3);
  let value: Uint8Array | undefined;
  const seconds = await timed(async () => {
    await engine.open(setting.path);
    value = engine.get(entries.key(number));
  });
  const isRight = isSame(value, entries.value(number));
  if (!isRight) throw new Error(`entry ${number} is not there`);
  return { operations: 1, seconds, figures: { ms: seconds * 1000 } };
}

/** Bytes of the closed store for each byte of keys and values. */
async function diskBytes(engine: Engine, setting: Setting, fill: () => Promise<void>): Promise<Measured> {
  const seconds = await timed(fill);
  const tally = new Tally();
  await engine.scan(tally);
  verify(tally, expectedOf(setting));
  await engine.close();
  const ratio = bytesOnDisk(setting.path) / tally.bytes;
  await engine.open(setting.path);
  return { operations: setting.entries, seconds, figures: { 'bytes a byte': ratio } };
}

async function inserted(engine: Engine, { entries: count, valueBytes }: Setting): Promise<void> {
  const entries = new Entries(valueBytes);
  const shuffle = new Shuffle(count);
  for (let from = 0; from < count; from += 1000) {
    const numbers = Array.from({ length: Math.min(1000, count - from) }, (_, i) => shuffle.at(from + i));
    await engine.writeBatch(entries, numbers, 0);
  }
}

/** The most memory that the process had: code and runtime too. */
async function memory(setting: Setting, work: () => Promise<unknown>): Promise<Measured> {
  const seconds = await timed(work);
  const MB = process.resourceUsage().maxRSS / 1024;
  return { operations: setting.entries, seconds, figures: { MB } };
}

export const COSTS: readonly Workload[] = [
  {
    name: 'open',
    title: 'open and first get',
    start: 'loaded',
    unit: 'ms',
    target: 20,
    writes: true,
    opensItself: true,
    run: openings,
  },
  {
    name: 'open-crashed',
    title: 'open and first get after a crash',
    start: 'crashed',
    unit: 'ms',
    target: 200,
    writes: true,
    opensItself: true,
    run: openings,
  },
  {
    name: 'disk-loaded',
    title: 'bytes on disk, bulk loaded',
    start: 'empty',
    unit: 'bytes a byte',
    target: 1.1,
    writes: true,
    run: (engine, setting) =>
      diskBytes(engine, setting, () => engine.load(new Entries(setting.valueBytes), setting.entries)),
  },
  {
    name: 'disk-inserted',
    title: 'bytes on disk, after random inserts',
    start: 'empty',
    unit: 'bytes a byte',
    target: 1.7,
    writes: true,
    run: (engine, setting) => diskBytes(engine, setting, () => inserted(engine, setting)),
  },
  {
    name: 'memory-scan',
    title: 'memory of a full scan',
    start: 'loaded',
    unit: 'MB',
    target: 164,
    writes: false,
    run: (engine, setting) => memory(setting, () => engine.scan(new Tally())),
  },
  {
    name: 'memory-load',
    title: 'memory of a bulk load',
    start: 'empty',
    unit: 'MB',
    target: 164,
    writes: true,
    run: (engine, setting) =>
      memory(setting, () => engine.load(new Entries(setting.valueBytes), setting.entries)),
  },
];
