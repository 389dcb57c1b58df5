// Writing, each time until it is on the disk: loads, transactions, single puts.

import { drawn, Entries, isSame, Shuffle, Tally } from '../data.js';
import type { Engine, OpenSettings } from '../engines/engine.js';
import { makeEngine } from '../engines/engines.js';
import { expectedOf, verify } from './scans.js';
import { type Measured, type Setting, timed, type Workload } from './workload.js';

const WARM_ENTRIES = 50_000;
/** A load passes so fast over its code that more is needed before all of it is compiled. */
const WARM_LOAD_ENTRIES = 300_000;
/** Single puts take most of their time waiting: what runs between is compiled only after many commits. */
const WARM_COMMITS = 3000;
/** Tasks at once share commits, so that as many are far more puts: as many as are timed must do. */
const WARM_PUTS_MAX = 40_000;
const PER_TRANSACTION = 1000;
const BLOCKING: OpenSettings = { mayBlock: true };

/** A store beside the one that is timed, on which the code is made warm. */
export async function warmedUp(
  engine: Engine,
  { folder }: Setting,
  work: (warm: Engine) => Promise<unknown>,
  settings?: OpenSettings,
): Promise<void> {
  const warm = await makeEngine(engine.name);
  await warm.open(`${folder}/warm`, settings);
  await work(warm);
  await warm.close();
}

async function load(engine: Engine, setting: Setting): Promise<Measured> {
  const entries = new Entries(setting.valueBytes);
  await warmedUp(engine, setting, (warm) => warm.load(entries, WARM_LOAD_ENTRIES));
  const seconds = await timed(() => engine.load(entries, setting.entries));
  const tally = new Tally();
  await engine.scan(tally);
  verify(tally, expectedOf(setting));
  return { operations: setting.entries, seconds };
}

async function transactions(
  engine: Engine,
  { valueBytes }: Setting,
  rounds: number,
  numberOf: (position: number) => number,
  version: number,
): Promise<number> {
  const entries = new Entries(valueBytes);
  const numbers = new Array<number>(PER_TRANSACTION).fill(0);
  let seconds = 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < PER_TRANSACTION; i++) numbers[i] = numberOf(round * PER_TRANSACTION + i);
    seconds += await timed(() => engine.writeBatch(entries, numbers, version));
  }
  return seconds;
}

/** Overwrites a part of the store in an order that jumps about, with values that differ from those there. */
async function overwrite(engine: Engine, setting: Setting): Promise<Measured> {
  const rounds = Math.min(200, Math.floor(setting.entries / PER_TRANSACTION));
  const shuffle = new Shuffle(setting.entries);
  await transactions(engine, setting, Math.min(20, rounds), (position) => shuffle.at(position), 1);
  const seconds = await transactions(engine, setting, rounds, (position) => shuffle.at(position), 2);
  const expected = new Tally();
  for (let position = 0; position < setting.entries; position++)
    expected.expect(shuffle.at(position), position < rounds * PER_TRANSACTION ? 2 : 0, setting.valueBytes);
  const tally = new Tally();
  await engine.scan(tally);
  verify(tally, expected);
  return { operations: rounds * PER_TRANSACTION, seconds };
}

/** A store that grows from nothing by entries in an order that jumps about. */
async function insert(engine: Engine, setting: Setting): Promise<Measured> {
  const warmShuffle = new Shuffle(WARM_ENTRIES);
  await warmedUp(
    engine,
    setting,
    (warm) =>
      transactions(warm, setting, WARM_ENTRIES / PER_TRANSACTION, (position) => warmShuffle.at(position), 0),
    BLOCKING,
  );
  const shuffle = new Shuffle(setting.entries);
  const rounds = Math.floor(setting.entries / PER_TRANSACTION);
  const seconds = await transactions(engine, setting, rounds, (position) => shuffle.at(position), 0);
  const tally = new Tally();
  await engine.scan(tally);
  verify(tally, expectedOf(setting));
  return { operations: rounds * PER_TRANSACTION, seconds };
}

/** `tasks` of them at once, each waiting for its own before the next. */
async function puts(engine: Engine, setting: Setting, tasks: number, each: number): Promise<Measured> {
  const entries = new Entries(setting.valueBytes);
  const numberOf = (position: number): number => drawn(position, setting.entries, 11);
  const task = async (first: number, count: number, version: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const number = numberOf(first + i);
      await engine.put(entries.keyCopy(number), entries.valueCopy(number, version));
    }
  };
  const together = (count: number, version: number): Promise<unknown> =>
    Promise.all(Array.from({ length: tasks }, (_, index) => task(index * count, count, version)));
  await together(Math.min(WARM_COMMITS, Math.ceil(WARM_PUTS_MAX / tasks)), 1);
  const seconds = await timed(() => together(each, 2));
  for (let position = 0; position < tasks * each; position += 97) {
    const number = numberOf(position);
    const isRight = isSame(engine.get(entries.key(number)), entries.value(number, 2));
    if (!isRight) throw new Error(`entry ${number} is not as it was put`);
  }
  return { operations: tasks * each, seconds };
}

function putsBy(
  tasks: number,
  each: number,
  rest: Pick<Workload, 'name' | 'title' | 'target' | 'settingsOf'>,
): Workload {
  return {
    ...rest,
    start: 'loaded',
    unit: 'commits',
    writes: true,
    run: (engine, setting) => puts(engine, setting, tasks, each),
  };
}

export const WRITES: readonly Workload[] = [
  {
    name: 'load',
    title: 'bulk load, sorted',
    start: 'empty',
    unit: 'entries',
    target: 5,
    writes: true,
    run: load,
  },
  {
    name: 'overwrite',
    title: 'random overwrite, 1000 a transaction',
    start: 'loaded',
    unit: 'entries',
    target: 2,
    writes: true,
    settingsOf: () => BLOCKING,
    run: overwrite,
  },
  {
    name: 'insert',
    title: 'random insert, 1000 a transaction',
    start: 'empty',
    unit: 'entries',
    target: 2,
    writes: true,
    settingsOf: () => BLOCKING,
    run: insert,
  },
  putsBy(1, 1000, {
    name: 'put',
    title: 'durable puts, one at a time',
    target: 1.5,
    settingsOf: () => BLOCKING,
  }),
  putsBy(1, 1000, { name: 'put-beside', title: 'durable puts, one at a time, by default', target: 1.5 }),
  putsBy(64, 600, { name: 'put-64', title: 'durable puts, 64 tasks', target: 2, settingsOf: () => BLOCKING }),
  putsBy(64, 600, { name: 'put-64-beside', title: 'durable puts, 64 tasks, by default', target: 2 }),
];
