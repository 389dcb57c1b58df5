// Every short workload over a small alphabet, and of each cut every subset of what was not synced.

import { Random } from '../helpers/random.js';
import { keepSubset, pendingCount } from './disk-image.js';
import type { Double, SessionOptions } from './disk-session.js';
import { DiskState } from './disk-state.js';
import { type Cut, cutsOf, groundOn, verify } from './explore.js';
import { Violation, violationOf } from './oracle.js';
import { withRandomBytes } from './seeded-crypto.js';
import { SimulatedDisk } from './simulated-disk.js';
import { type PutChange, WorkloadRun } from './workload-run.js';

/** More unsynced operations than this have too many subsets. */
const PENDING_MAX = 12;

/** A log that a few commits fill, so that short workloads meet checkpoints of every kind. */
const OPTIONS: SessionOptions = { logHalfBytes: 4096 };

type Letter = (run: WorkloadRun) => Promise<unknown>;

export const ALPHABET: Readonly<Record<string, Letter>> = {
  put: (run) => run.put('a', 'key', 20),
  other: (run) => run.put('a', 'other', 1500),
  delete: (run) => run.delete('a', 'key'),
  together: (run) => run.together([run.putOf('a', 'key', 30), run.putOf('b', 'key', 30)]),
  transaction: (run) => run.write([run.putOf('b', 'x', 10), { kind: 'delete', bucket: 'a', key: 'key' }]),
  drop: (run) => run.write([{ kind: run.history.model.has('a') ? 'drop' : 'create', bucket: 'a' }]),
  large: (run) => run.put('a', 'large', 6000),
  checkpoint: (run) => run.write([0, 1, 2, 3, 4, 5].map((i) => run.putOf('c', `key ${i}`, 900))),
  rollback: (run) => run.rollBack([run.putOf('a', 'key', 40), run.putOf('a', 'large', 9000)]),
  load: (run) =>
    run.bulkAtomic('d', [load(run, `${run.history.last} a`), load(run, `${run.history.last} b`)]),
  reopen: (run) => run.reopen(),
  killed: (run) => run.abandonAndReopen(),
};

function load(run: WorkloadRun, key: string): PutChange {
  return { kind: 'put', bucket: 'd', key, value: run.value(600) };
}

/** All words of up to so many letters, the empty one first. */
export function* words(lengthMax: number): Generator<readonly string[]> {
  let level: readonly (readonly string[])[] = [[]];
  for (let length = 0; length <= lengthMax; length++) {
    yield* level;
    level = level.flatMap((word) => Object.keys(ALPHABET).map((letter) => [...word, letter]));
  }
}

export interface ExhaustiveCounts {
  words: number;
  cuts: number;
  images: number;
  /** Cuts that left more unsynced than can be gone through. */
  cutsPassedOver: number;
}

export function noCounts(): ExhaustiveCounts {
  return { words: 0, cuts: 0, images: 0, cutsPassedOver: 0 };
}

/** The cuts of the word's last letter: those before it are the cuts of a shorter word. */
async function* cutsOfLast(word: readonly string[], seed: number, double?: Double): AsyncGenerator<Cut> {
  const random = Random.of(seed, word.length, ...word.map((letter) => Object.keys(ALPHABET).indexOf(letter)));
  const disk = new SimulatedDisk({ random, turnsMax: { store: 12, log: 4 } });
  const run = new WorkloadRun(groundOn(disk, { ...OPTIONS, double }, random), random, OPTIONS);
  let from = 0;
  await withRandomBytes(random, async () => {
    await run.open();
    for (const letter of word) {
      from = disk.operations.length;
      await ALPHABET[letter](run);
    }
  });
  // What is under way in the background would go on for ever as other stores are opened.
  const recording = {
    start: new DiskState(),
    operations: disk.operations.slice(),
    digests: run.history.digests,
  };
  disk.kill(random);
  if (disk.violations.length > 0) throw new Violation(disk.violations.join('; '));
  for (const cut of cutsOf(recording)) if (cut.at >= from) yield cut;
}

/**
 * Goes through one word; `double` stands between its store and the disk. Raises a Violation that names the word,
 * the cut and the subset.
 */
export async function exhaust(
  word: readonly string[],
  seed: number,
  counts: ExhaustiveCounts,
  double?: Double,
): Promise<void> {
  counts.words++;
  for await (const cut of cutsOfLast(word, seed, double)) {
    counts.cuts++;
    const pending = pendingCount(cut.state);
    if (pending > PENDING_MAX) {
      counts.cutsPassedOver++;
      continue;
    }
    const namings = cut.state.pendingNames.length > 0 ? [true, false] : [true];
    for (let kept = 0; kept < 1 << pending; kept++) {
      for (const namesKept of namings) {
        counts.images++;
        try {
          await verify(
            keepSubset(cut.state, kept, namesKept),
            OPTIONS,
            cut.allowed,
            Random.of(seed, cut.at, kept),
          );
        } catch (error) {
          const violation = violationOf('verifying', error);
          violation.message = `${violation.message}\n  word ${word.join(' ')}, cut ${cut.at}, subset ${kept.toString(2)}`;
          throw violation;
        }
      }
    }
  }
}
