// The workloads whose every step is cut: each a name, the bounds of its store and what it does. What they write
// is small, and the bounds are smaller.

import { numbered } from '../helpers/bytes.js';
import { Random } from '../helpers/random.js';
import { openOnDisk, type SessionOptions } from './disk-session.js';
import type { Change } from './history.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { PutChange, WorkloadRun } from './workload-run.js';

export interface Workload {
  readonly name: string;
  readonly options: SessionOptions;
  /** Opens the store, and leaves it open. */
  readonly run: (run: WorkloadRun) => Promise<void>;
  /** Leaves something on the disk before the workload begins. */
  readonly prepare?: (disk: SimulatedDisk) => Promise<void>;
}

const SMALL_LOG = { logHalfBytes: 8 * 1024 };
const ON_LOOP: SessionOptions = { ...SMALL_LOG, syncOn: 'loop' };

export const WORKLOADS: readonly Workload[] = [
  ...[1, 3, 12].flatMap((commits) =>
    [0, 20, 900].map((bytes) =>
      workload(`${commits} small commits of ${bytes} bytes`, {}, (run) => puts(run, commits, bytes)),
    ),
  ),
  ...[2, 9, 40].map((width) => workload(`group commits of ${width}`, {}, (run) => groups(run, 4, width, 60))),
  workload('group commits that fill the log', SMALL_LOG, (run) => groups(run, 8, 12, 200)),
  ...[300, 1000].map((bytes) =>
    workload(`small commits that fill the log, ${bytes} bytes`, SMALL_LOG, (run) => puts(run, 24, bytes)),
  ),
  workload('commits as long as half a log', SMALL_LOG, longRecords),
  workload('a commit too long for the log', SMALL_LOG, tooLongForTheLog),
  workload('puts, deletes and updates', SMALL_LOG, (run) => mixedSmall(run, 25)),
  workload('deletes until a bucket is empty', {}, emptied),
  workload('nothing but opening and closing', {}, openAndClose),
  workload('reopened after every commit', {}, reopened),
  workload('read-only between commits', SMALL_LOG, readOnlyBetween),
  workload('abandoned and opened again', SMALL_LOG, (run) => abandoned(run, 4)),
  workload('abandoned again and again with a full log', SMALL_LOG, (run) => abandoned(run, 14)),
  ...[200, 600].map((entries) =>
    workload(`transactions of ${entries} puts`, {}, (run) => transactions(run, 3, entries, 300)),
  ),
  workload('transactions that spill', {}, (run) => transactions(run, 3, 500, 900)),
  workload('a transaction that spills into a full store', {}, spillOverOld),
  workload('spills and small commits in turn', SMALL_LOG, spillsBetween),
  workload('checkpoints beside commits', SMALL_LOG, (run) => besideCommits(run, 30, 1)),
  workload('checkpoints beside group commits', SMALL_LOG, (run) => besideCommits(run, 12, 6)),
  workload('pages freed while a checkpoint runs', SMALL_LOG, freedDuringCheckpoint),
  workload('rolled back', {}, (run) => rolledBack(run, 20)),
  workload('rolled back after a spill', {}, (run) => rolledBack(run, 500)),
  workload('buckets made and dropped', SMALL_LOG, bucketsComeAndGo),
  workload('a large bucket dropped', {}, largeBucketDropped),
  workload('many buckets', {}, manyBuckets),
  workload('a range deleted', {}, rangeDeleted),
  workload('large values', SMALL_LOG, (run) => largeValues(run, 9_000)),
  workload('larger values', {}, (run) => largeValues(run, 70_000)),
  workload('values of every size', SMALL_LOG, everySize),
  workload('a value as a stream', {}, valueStream),
  workload('a value as a stream beside commits', SMALL_LOG, valueStreamBeside),
  workload('an atomic load', {}, (run) => loadAtomic(run, 700)),
  workload('an atomic load into a full bucket', {}, loadIntoFull),
  workload('an unsorted atomic load', {}, loadUnsorted),
  workload('an atomic load beside commits', SMALL_LOG, loadAtomicBeside),
  workload('loads merged with what is there', {}, loadMerged),
  workload('a load in commits', {}, (run) => loadInCommits(run, 4, 150)),
  workload('a load in small commits', SMALL_LOG, (run) => loadInCommits(run, 8, 10)),
  workload('a load that commits on its own', {}, loadPeriodic),
  workload('a load with large values', {}, loadLarge),
  workload('loads that are synced before they end', {}, loadLong),
  workload('loads and small commits in turn', SMALL_LOG, loadsBetween),
  workload('growth page by page', SMALL_LOG, (run) => growth(run, 18, 1000)),
  workload('growth and shrinking', {}, growAndShrink),
  workload('a snapshot held over commits', SMALL_LOG, snapshotHeld),
  workload('snapshots held in turn', SMALL_LOG, snapshotsInTurn),
  workload('pages of 8 KiB', { pageSize: 8192, dirtyBytesMax: 64 * 8192 }, (run) => medley(run, 12)),
  workload('pages of 16 KiB', { pageSize: 16384, dirtyBytesMax: 64 * 16384 }, (run) => medley(run, 8)),
  workload('pages of 64 KiB', { pageSize: 65536, dirtyBytesMax: 64 * 65536 }, (run) => medley(run, 5)),
  workload('without durable commits', { durable: false }, (run) => medley(run, 12)),
  workload('without durable commits, spilling', { durable: false }, (run) => transactions(run, 3, 400, 900)),
  workload('compaction', {}, compacted),
  workload('a backup', {}, backedUp),
  workload('a backup beside commits', SMALL_LOG, backedUpBeside),
  { ...workload('made beside the log of another store', {}, (run) => puts(run, 3, 50)), prepare: orphanLog },
  ...[1, 2, 3, 4].map((index) => workload(`a medley (${index})`, SMALL_LOG, (run) => medley(run, 16))),
  workload('small commits synced by the event loop', ON_LOOP, (run) => puts(run, 24, 300)),
  workload('group commits synced by the event loop', ON_LOOP, (run) => groups(run, 8, 12, 200)),
  workload('a medley synced by the event loop', ON_LOOP, (run) => medley(run, 16)),
];

function workload(
  name: string,
  options: SessionOptions,
  body: (run: WorkloadRun) => Promise<void>,
): Workload {
  return {
    name,
    options,
    run: async (run) => {
      await run.open();
      await body(run);
    },
  };
}

/** Puts under keys from `from` on. */
function fresh(run: WorkloadRun, bucket: string, from: number, count: number, bytes: number): PutChange[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'put' as const,
    bucket,
    key: numbered(from + i),
    value: run.value(bytes),
  }));
}

/** Puts under keys that are drawn, so that many pages change. */
function scattered(run: WorkloadRun, bucket: string, among: number, count: number, bytes: number): Change[] {
  return Array.from({ length: count }, () => run.putOf(bucket, numbered(run.random.below(among)), bytes));
}

async function puts(run: WorkloadRun, commits: number, bytes: number): Promise<void> {
  for (let i = 0; i < commits; i++) await run.put('a', numbered(run.random.below(commits * 2)), bytes);
}

async function groups(run: WorkloadRun, rounds: number, width: number, bytes: number): Promise<void> {
  for (let i = 0; i < rounds; i++) await run.together(scattered(run, 'a', 50, width, bytes));
}

async function longRecords(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 7; i++) await run.write(scattered(run, 'a', 100, 5, 780));
}

async function tooLongForTheLog(run: WorkloadRun): Promise<void> {
  await run.put('a', 'before', 100);
  await run.write(scattered(run, 'a', 100, 20, 700));
  await run.put('a', 'after', 100);
}

async function mixedSmall(run: WorkloadRun, commits: number): Promise<void> {
  for (let i = 0; i < commits; i++) await run.together([smallChange(run)]);
}

function smallChange(run: WorkloadRun): Change {
  const { random } = run;
  const bucket = random.pick(['a', 'b']);
  const key = numbered(random.below(12));
  if (random.chance(0.3)) return { kind: 'delete', bucket, key };
  return run.putOf(bucket, key, random.pick([0, 30, 400]));
}

async function emptied(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 8, 700));
  for (let i = 0; i < 8; i++) await run.delete('a', numbered(i));
  await run.put('a', 'one', 10);
  await run.delete('a', 'one');
}

async function openAndClose(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 3; i++) await run.reopen();
}

async function reopened(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await run.put('a', numbered(i), 50);
    await run.reopen();
  }
}

async function readOnlyBetween(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await run.write(fresh(run, 'a', i * 5, 5, 500));
    await run.look();
  }
}

async function abandoned(run: WorkloadRun, commits: number): Promise<void> {
  for (let i = 0; i < 4; i++) {
    for (let k = 0; k < commits; k++) await run.put('a', numbered(run.random.below(30)), 400);
    await run.abandonAndReopen();
  }
}

async function transactions(run: WorkloadRun, count: number, entries: number, bytes: number): Promise<void> {
  for (let i = 0; i < count; i++) await run.write(scattered(run, 'a', 800, entries, bytes));
}

async function spillOverOld(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 500, 900));
  await run.write(scattered(run, 'a', 500, 400, 800));
  await run.put('a', numbered(7), 20);
}

async function spillsBetween(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await run.write(scattered(run, 'a', 400, 250, 900));
    for (let k = 0; k < 4; k++) await run.put('b', numbered(k), 200);
  }
}

/** A store of more pages than may be dirty: small commits soon make a checkpoint due, again and again. */
async function besideCommits(run: WorkloadRun, commits: number, width: number): Promise<void> {
  await run.write(fresh(run, 'a', 0, 300, 900));
  for (let i = 0; i < commits; i++) await run.together(scattered(run, 'a', 300, width, 700));
}

async function freedDuringCheckpoint(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 200, 900));
  for (let i = 0; i < 6; i++) {
    await run.together(scattered(run, 'a', 200, 9, 900));
    await run.write([
      { kind: 'delete range', bucket: 'a', from: numbered(i * 20), to: numbered(i * 20 + 10) },
    ]);
    await run.write(fresh(run, 'b', i * 10, 10, 900));
  }
}

async function rolledBack(run: WorkloadRun, entries: number): Promise<void> {
  await run.write(fresh(run, 'a', 0, 40, 900));
  await run.rollBack(scattered(run, 'a', 400, entries, 900));
  await run.put('a', 'between', 30);
  await run.rollBack([{ kind: 'drop', bucket: 'a' }, ...fresh(run, 'c', 0, entries, 900)]);
  await run.write(scattered(run, 'a', 60, 10, 900));
}

async function bucketsComeAndGo(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await run.write([{ kind: 'create', bucket: `bucket ${i}` }, ...fresh(run, `bucket ${i}`, 0, 3, 60)]);
    if (i >= 2) await run.write([{ kind: 'drop', bucket: `bucket ${i - 2}` }]);
  }
  await run.write([{ kind: 'drop', bucket: 'bucket 4' }, ...fresh(run, 'bucket 4', 5, 2, 60)]);
}

async function largeBucketDropped(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'large', 0, 400, 900));
  await run.put('small', 'key', 10);
  await run.write([{ kind: 'drop', bucket: 'large' }]);
  await run.write(fresh(run, 'next', 0, 300, 900));
}

async function manyBuckets(run: WorkloadRun): Promise<void> {
  const changes = Array.from({ length: 120 }, (_, i) => run.putOf(`bucket ${i}`, 'key', 40));
  await run.write(changes);
  for (let i = 0; i < 5; i++) await run.put(`bucket ${run.random.below(130)}`, 'key', 60);
}

async function rangeDeleted(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 300, 900));
  await run.write([{ kind: 'delete range', bucket: 'a', from: numbered(20), to: numbered(280) }]);
  await run.put('a', numbered(100), 10);
  await run.write([{ kind: 'delete range', bucket: 'a', from: numbered(0), to: numbered(999) }]);
}

async function largeValues(run: WorkloadRun, bytes: number): Promise<void> {
  for (let i = 0; i < 4; i++) await run.put('a', numbered(i % 2), bytes + i);
  await run.delete('a', numbered(0));
  await run.write([run.putOf('a', 'x', bytes), run.putOf('a', 'y', 20), run.putOf('a', 'x', bytes * 2)]);
  await run.put('a', 'x', 5);
}

async function everySize(run: WorkloadRun): Promise<void> {
  for (const bytes of [0, 1, 1023, 1024, 1025, 4063, 4064, 4065, 4096, 8128, 8129, 20_000])
    await run.put('a', numbered(run.random.below(6)), bytes);
}

async function valueStream(run: WorkloadRun): Promise<void> {
  await run.put('a', 'before', 10);
  await run.stream('a', 'long', 200_000);
  await run.stream('a', 'long', 90_000);
  await run.stream('a', 'short', 100);
}

async function valueStreamBeside(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 100, 900));
  await run.write([{ kind: 'delete range', bucket: 'a', from: numbered(10), to: numbered(90) }]);
  await run.stream('a', 'long', 150_000, () => puts(run, 6, 500));
  await run.stream('b', 'long', 80_000, () => run.write(scattered(run, 'a', 100, 60, 900)));
}

async function loadAtomic(run: WorkloadRun, entries: number): Promise<void> {
  await run.put('a', 'z', 10);
  await run.bulkAtomic('loaded', fresh(run, 'loaded', 0, entries, 300));
  await run.put('a', 'zz', 10);
}

async function loadIntoFull(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 200, 600));
  await run.bulkAtomic('a', fresh(run, 'a', 200, 400, 600));
  await run.bulkAtomic('a', fresh(run, 'a', 100, 50, 600));
  await run.put('a', numbered(3), 10);
}

async function loadAtomicBeside(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 60, 600));
  let round = 0;
  await run.bulkAtomicBeside('a', fresh(run, 'a', 30, 500, 600), async () => {
    await run.write(fresh(run, 'b', 20 * round++, 20, 900));
    await run.put('b', 'key', 20);
  });
  await run.put('a', numbered(3), 10);
}

async function loadMerged(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 300, 600));
  await run.bulk('a', [
    fresh(run, 'a', 20, 30, 300),
    fresh(run, 'a', 100, 3, 5000),
    fresh(run, 'a', 250, 150, 500),
  ]);
  await run.put('a', numbered(3), 10);
}

async function loadUnsorted(run: WorkloadRun): Promise<void> {
  const changes = run.random.shuffle(fresh(run, 'a', 0, 500, 700));
  await run.bulkAtomic('a', changes);
}

async function loadInCommits(run: WorkloadRun, commits: number, entries: number): Promise<void> {
  const all = Array.from({ length: commits }, (_, i) => fresh(run, 'a', i * entries, entries, 300));
  await run.bulk('a', all);
}

async function loadPeriodic(run: WorkloadRun): Promise<void> {
  await run.put('b', 'key', 10);
  await run.bulkPeriodic('a', fresh(run, 'a', 0, 1200, 700));
  await run.put('b', 'key', 11);
}

async function loadLarge(run: WorkloadRun): Promise<void> {
  const all = Array.from({ length: 3 }, (_, i) => fresh(run, 'a', i * 8, 8, 200 + i * 6000));
  await run.bulk('a', all);
}

/** Runs go to the disk by the megabyte: two have to go before a sync can run beside a third. */
async function loadLong(run: WorkloadRun): Promise<void> {
  await run.put('b', 'key', 10);
  await run.bulk('a', [fresh(run, 'a', 0, 2600, 900)]);
  await run.bulkAtomic('c', fresh(run, 'c', 0, 2600, 900));
  await run.put('b', 'key', 11);
}

async function loadsBetween(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await run.bulkAtomic('a', fresh(run, 'a', i * 100, 100, 500));
    for (let k = 0; k < 4; k++) await run.put('b', numbered(k), 300);
    await run.write(scattered(run, 'a', 300, 10, 400));
  }
}

async function growth(run: WorkloadRun, commits: number, bytes: number): Promise<void> {
  for (let i = 0; i < commits; i++) await run.write(fresh(run, 'a', i * 4, 4, bytes));
}

async function growAndShrink(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 300, 900));
  await run.write([{ kind: 'drop', bucket: 'a' }]);
  await run.reopen();
  await run.write(fresh(run, 'a', 0, 100, 900));
  await run.write([{ kind: 'delete range', bucket: 'a', from: numbered(30), to: numbered(100) }]);
  await run.reopen();
  await run.put('a', 'last', 10);
}

async function snapshotHeld(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 150, 900));
  await run.whileHeld(async () => {
    for (let i = 0; i < 6; i++) await run.together(scattered(run, 'a', 150, 8, 900));
  });
  for (let i = 0; i < 3; i++) await run.together(scattered(run, 'a', 150, 8, 900));
}

async function snapshotsInTurn(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 80, 900));
  for (let i = 0; i < 4; i++) {
    await run.whileHeld(async () => {
      await run.write(scattered(run, 'a', 80, 20, 900));
      await run.rollBack(scattered(run, 'a', 80, 20, 900));
      await run.put('b', numbered(i), 500);
    });
  }
}

async function compacted(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 300, 900));
  await run.write(fresh(run, 'b', 0, 100, 900));
  await run.write([{ kind: 'drop', bucket: 'a' }, run.putOf('c', 'large', 30_000)]);
  await run.compact();
  await run.put('b', numbered(3), 100);
  await run.compact();
}

async function backedUp(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 12, 300));
  await run.backup();
  await run.put('a', 'after', 10);
}

async function backedUpBeside(run: WorkloadRun): Promise<void> {
  await run.write(fresh(run, 'a', 0, 150, 900));
  await run.put('b', 'large', 20_000);
  await Promise.all([run.backup(), besideBackup(run)]);
  await run.put('a', 'after', 10);
}

async function besideBackup(run: WorkloadRun): Promise<void> {
  for (let i = 0; i < 5; i++) await run.together(scattered(run, 'a', 150, 4, 800));
}

/** A bit of everything, drawn. */
async function medley(run: WorkloadRun, steps: number): Promise<void> {
  const { random } = run;
  const many = 40;
  for (let i = 0; i < steps; i++) {
    const bytes = random.pick([0, 40, 900, 900, 3000]);
    await random.pick<() => Promise<unknown>>([
      () => run.put('a', numbered(random.below(many)), bytes),
      () => run.together(scattered(run, random.pick(['a', 'b']), many, random.between(2, 8), bytes)),
      () => run.write(scattered(run, 'a', 200, random.between(20, 150), 900)),
      () => run.rollBack(scattered(run, 'a', 200, random.between(1, 150), 900)),
      () => run.bulkAtomic('c', fresh(run, 'c', random.below(300), random.between(5, 100), 500)),
      () => run.delete('a', numbered(random.below(many))),
      () => dropOrCreate(run, random),
      () => run.whileHeld(() => run.together(scattered(run, 'a', many, 4, 900))),
      () => run.reopen(),
      () => run.abandonAndReopen(),
      () => run.write([{ kind: 'delete range', bucket: 'a', from: numbered(10), to: numbered(30) }]),
    ])();
  }
}

function dropOrCreate(run: WorkloadRun, random: Random): Promise<void> {
  const bucket = random.pick(['b', 'c', 'd']);
  return run.write([{ kind: run.history.model.has(bucket) ? 'drop' : 'create', bucket }]);
}

/** The log of a store that was killed, without its store. */
async function orphanLog(disk: SimulatedDisk): Promise<void> {
  const db = await openOnDisk(disk, {});
  for (let i = 0; i < 5; i++) await db.bucket('other').put(numbered(i), 'of another store');
  disk.kill(new Random(0));
  disk.unlink('store');
  disk.syncFolder();
}
