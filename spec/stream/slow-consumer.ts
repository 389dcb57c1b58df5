// Rows through a store by streams, in and out, past a consumer that waits now and then while another writer commits;
// and what the process holds meanwhile. Where backpressure did not hold the reading up, that would grow with the rows.

import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bucket, Database, Entry, Range } from 'btree-store';
import { Violation } from '../crash/oracle.js';
import { numbered } from '../helpers/bytes.js';
import { collectGarbage } from '../helpers/collect.js';

const VALUE = 'v'.repeat(92);
/** Collections, each with a look at what is in use after it, in one pass over the rows. */
const COLLECTIONS = 20;
/** Rows between two looks at the resident memory, and between two waits of the consumer. */
const LOOK_ROWS = 2000;
const WAIT_ROWS = 10_000;

/** Takes each entry; a promise where it is to be waited for. */
type Consume = (entry: Entry) => void | Promise<void>;

const sink = (consume: Consume): Writable =>
  new Writable({
    objectMode: true,
    write(entry: Entry, _encoding, done) {
      const wait = consume(entry);
      if (wait === undefined) done();
      else wait.then(() => done(), done);
    },
  });

/** The ways out of a range that hold the reading up. */
export const WAYS_OUT: Record<string, (range: Range, consume: Consume) => Promise<void>> = {
  toReadable: (range, consume) => pipeline(range.toReadable(), sink(consume)),
  'Readable.from': (range, consume) => pipeline(Readable.from(range), sink(consume)),
  'for await': async (range, consume) => {
    for await (const entry of range) {
      const wait = consume(entry);
      if (wait !== undefined) await wait;
    }
  },
  toWebStream: (range, consume) => range.toWebStream().pipeTo(Writable.toWeb(sink(consume))),
};

/** What the process held in one pass, in bytes. */
export interface Held {
  /** The most that was resident in the first tenth, in the middle tenth, in the last tenth, and at any time. */
  readonly early: number;
  readonly middle: number;
  readonly late: number;
  readonly peak: number;
  /** What was in use after a collection: the most in the first quarter, and at any time after it. */
  readonly usedEarly: number;
  readonly usedPeak: number;
  readonly seconds: number;
}

/** Looks at the memory as rows go by. */
class MemoryWatch {
  private readonly rows: number;
  private readonly started = performance.now();
  private readonly tenths: number[] = new Array<number>(10).fill(0);
  private readonly used: number[] = [];
  private taken = 0;

  constructor(rows: number) {
    this.rows = rows;
  }

  look(): void {
    const row = this.taken++;
    const tenth = Math.floor((row / this.rows) * 10);
    if (row % LOOK_ROWS === 0) this.tenths[tenth] = Math.max(this.tenths[tenth], process.memoryUsage.rss());
    if (row % Math.ceil(this.rows / COLLECTIONS) !== 0) return;
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    this.used.push(heapUsed + external);
  }

  held(): Held {
    const { tenths, used } = this;
    return {
      early: tenths[0],
      middle: tenths[5],
      late: tenths[9],
      peak: Math.max(...tenths),
      usedEarly: Math.max(...used.slice(0, COLLECTIONS / 4)),
      usedPeak: Math.max(...used.slice(COLLECTIONS / 4)),
      seconds: Math.round((performance.now() - this.started) / 100) / 10,
    };
  }
}

/** Loads rows from a source that is never late: what it gives is held up by the writer. */
export async function loadFast(bucket: Bucket, rows: number): Promise<Held> {
  const watch = new MemoryWatch(rows);
  function* source(): Generator<[key: string, value: string]> {
    for (let row = 0; row < rows; row++) {
      watch.look();
      yield [numbered(row), VALUE];
    }
  }
  await pipeline(source, bucket.bulkWriter());
  return watch.held();
}

/** Takes every row by one way out, slowly, and checks it. `keep`: keeps what it takes, to see that this is found. */
export async function takeSlowly(bucket: Bucket, rows: number, way: string, keep: boolean): Promise<Held> {
  const watch = new MemoryWatch(rows);
  const kept: Entry[] = [];
  let taken = 0;
  await WAYS_OUT[way](bucket.range(), ([key, value]) => {
    watch.look();
    if (key.toString('latin1') !== numbered(taken) || value.toString('latin1') !== VALUE)
      throw new Violation(`${way}: row ${taken} is ${key} with ${value}`);
    if (keep) kept.push([key, value]);
    return ++taken % WAIT_ROWS === 0 ? sleep(1) : undefined;
  });
  if (taken !== rows) throw new Violation(`${way}: ${taken} rows of ${rows}`);
  return watch.held();
}

/** Commits into the store for as long as `work` goes on: changes rows that it reads. Returns how often. */
export async function besideWriter(
  db: Database,
  bucket: Bucket,
  rows: number,
  work: () => Promise<void>,
): Promise<number> {
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  // Told below, once the writer has ended.
  working.catch(() => undefined);
  let commits = 0;
  const original: number[] = [];
  while (!isOver) {
    await db.write((tx) => {
      for (let i = 0; i < 10; i++) {
        const row = (commits * 7919 + i * 104_729) % rows;
        tx.bucket(bucket.name).put(numbered(row), 'changed');
        original.push(row);
      }
    });
    commits++;
    await sleep(10);
  }
  await working;
  // The next pass is to find what this one found.
  await db.write((tx) => {
    for (const row of original) tx.bucket(bucket.name).put(numbered(row), VALUE);
  });
  return commits;
}
