// The other harnesses of spec/crash: with a defect planted below the store, every subset of what was not synced, and
// calls that fail, must find it.

import { expect } from 'chai';
import type { StoreFile } from '../../lib/storage/store-file.js';
import type { Double } from './disk-session.js';
import { exhaust, noCounts } from './exhaustive.js';
import { callsOf, faultPlans, runWithFault } from './failing-disk.js';
import { Violation } from './oracle.js';
import { PLANTED_DEFECTS } from './planted-defects.js';
import { WORKLOADS } from './workloads.js';

const SEED = 1;

async function violationIn(work: () => Promise<unknown>): Promise<Violation | undefined> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
  return undefined;
}

describe('every subset of what was not synced finds', () => {
  const words: Readonly<Record<string, readonly string[]>> = {
    'the store is never synced': ['checkpoint'],
    'the sync before the meta page is left out': ['checkpoint'],
    'the meta page reaches the disk before what it refers to': ['checkpoint'],
    'the sync after the meta page is left out': ['checkpoint'],
    'records of the log are not synced': ['put'],
  };
  for (const [name, word] of Object.entries(words)) {
    it(`that ${name}`, async () => {
      const defect = PLANTED_DEFECTS.find((known) => known.name === name);
      expect(defect?.double, 'the double').to.not.equal(undefined);
      const found = await violationIn(() => exhaust(word, SEED, noCounts(), defect?.double));
      expect(found, 'a violation').to.be.an.instanceof(Violation);
      expect(found?.message).to.include('subset');
      const sound = noCounts();
      expect(await violationIn(() => exhaust(word, SEED, sound)), 'without the defect').to.equal(undefined);
      expect(sound.images).to.be.above(5);
    });
  }
});

/** A file some of whose calls are others. */
function changed(file: StoreFile, calls: (file: StoreFile) => Partial<StoreFile>): StoreFile {
  const others = calls(file);
  return new Proxy(file, {
    get(target, name) {
      const value: unknown = Reflect.get(others, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const inStore =
  (calls: (file: StoreFile) => Partial<StoreFile>): Double =>
  (files) => ({ ...files, file: changed(files.file, calls) });

const inLog =
  (calls: (file: StoreFile) => Partial<StoreFile>): Double =>
  (files) => ({ ...files, log: files.log && changed(files.log, calls) });

const syncsAgain = (file: StoreFile): Partial<StoreFile> => ({
  sync: () => file.sync().catch(() => file.sync()),
});

const FAULTY: Readonly<Record<string, { workload: string; double: Double }>> = {
  'a failed sync of the store is made again': {
    workload: 'spills and small commits in turn',
    double: inStore(syncsAgain),
  },
  'a failed sync of the log is made again': {
    workload: '3 small commits of 900 bytes',
    double: inLog(syncsAgain),
  },
  'the error of a write is swallowed': {
    workload: 'a commit too long for the log',
    double: inStore((file) => ({
      write: (source, offset, length, position) =>
        file.write(source, offset, length, position).catch(() => undefined),
    })),
  },
  'the error of a write to the log is swallowed': {
    workload: '3 small commits of 900 bytes',
    double: inLog((file) => ({
      writeSync: (source, offset, length, position) => {
        try {
          file.writeSync(source, offset, length, position);
        } catch {
          return;
        }
      },
    })),
  },
  'the error of a read is swallowed': {
    workload: 'an atomic load into a full bucket',
    double: inStore((file) => ({
      readSync: (target, offset, length, position) => {
        try {
          return file.readSync(target, offset, length, position);
        } catch {
          return 0;
        }
      },
    })),
  },
  'what the system says comes through untyped': {
    workload: 'a commit too long for the log',
    double: inStore((file) => ({
      write: (source, offset, length, position) =>
        file.write(source, offset, length, position).catch((error: Error) => Promise.reject(error.cause)),
    })),
  },
  'a commit waits for ever for a write that failed': {
    workload: 'a commit too long for the log',
    double: inStore((file) => ({
      write: (source, offset, length, position) =>
        file.write(source, offset, length, position).catch(() => new Promise<never>(() => undefined)),
    })),
  },
};

describe('calls that fail find', () => {
  for (const [name, { workload: workloadName, double }] of Object.entries(FAULTY)) {
    it(`that ${name}`, async () => {
      const workload = WORKLOADS.find((known) => known.name === workloadName);
      if (workload === undefined) throw new Error(`there is no workload ${workloadName}`);
      const plans = [...faultPlans(await callsOf(workload, SEED))];
      const found = await violationIn(async () => {
        for (let at = 0; at < plans.length; at += 3)
          await runWithFault(workload, SEED, plans[at], { double, hangMilliseconds: 8000 });
      });
      expect(found, 'a violation').to.be.an.instanceof(Violation);
    });
  }
});
