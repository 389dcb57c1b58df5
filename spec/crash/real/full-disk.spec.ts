// Stores on a disk that is full, and under a limit on the size of files: commits for which there is no room reject as
// DISK_FULL, nothing acknowledged is lost, and all goes on once there is room. Needs root, or the tool for limits.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { StoreError } from 'btree-store';
import { expect } from 'chai';
import { DiskFile } from '../../../lib/storage/disk-file.js';
import { RealRun } from '../../fault/real-run.js';
import { inTime } from '../../helpers/in-time.js';
import { replaceMethod } from '../../helpers/replace-method.js';
import { Violation, violationOf } from '../oracle.js';
import { WORKLOADS, type Workload } from '../workloads.js';
import { type Mount, mountTmpfs, reasonAgainst } from './mounts.js';

const SEED = 3;
const MILLISECONDS = 20_000;
const NAMES = ['spills and small commits in turn', 'a load in small commits', 'larger values'] as const;

function workloadOf(name: string): Workload {
  const workload = WORKLOADS.find((known) => known.name === name);
  if (workload === undefined) throw new Error(`there is no workload ${name}`);
  return workload;
}

/** Runs the workload where room runs out, then makes room; returns how often there was none. */
async function runShort(name: string, folder: string, makeRoom: () => void): Promise<number> {
  let full = 0;
  const run: RealRun = new RealRun(workloadOf(name), folder, SEED, (error, during) => {
    if (!(error instanceof StoreError) || error.code !== 'DISK_FULL') throw violationOf(during, error);
    full++;
    run.noteFailure('no room', {});
  });
  try {
    await inTime(run.work(), MILLISECONDS);
    makeRoom();
    await inTime(run.goOn(), MILLISECONDS);
  } finally {
    makeRoom();
    await run.close();
  }
  return full;
}

/** A write for which there is no room is taken for done. */
function plantSwallowedWrite(): () => void {
  const { write, writeSync } = DiskFile.prototype;
  const restores = [
    replaceMethod(DiskFile.prototype, 'write', async function (this: DiskFile, ...given) {
      await write.apply(this, given).catch(() => undefined);
    }),
    replaceMethod(DiskFile.prototype, 'writeSync', function (this: DiskFile, ...given) {
      try {
        writeSync.apply(this, given);
      } catch {
        return;
      }
    }),
  ];
  return () => {
    for (const restore of restores) restore();
  };
}

async function violationIn(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a store on a full disk', () => {
  let mount: Mount | undefined;
  const BYTES = 4 * 1024 * 1024;

  before(function () {
    const reason = reasonAgainst(() => mountTmpfs(BYTES));
    if (reason === undefined) return;
    console.log(`    skipped: no small file system can be mounted here: ${reason}`);
    this.skip();
  });

  afterEach('the disk is gone', () => {
    mount?.remove();
    mount = undefined;
  });

  /** Runs with so many bytes left; what takes up the others makes room when it goes. */
  async function runWithRoom(name: string, bytes: number): Promise<number> {
    const made = mountTmpfs(BYTES);
    mount = made;
    const ballast = path.join(made.folder, 'ballast');
    fs.writeFileSync(ballast, Buffer.alloc(BYTES - bytes));
    const full = await runShort(name, made.folder, () => fs.rmSync(ballast, { force: true }));
    made.remove();
    mount = undefined;
    return full;
  }

  for (const name of NAMES) {
    it(`tells that it is full, and goes on once there is room: ${name}`, async () => {
      let full = 0;
      for (let kibibytes = 0; kibibytes < 800; kibibytes += 150)
        full += await runWithRoom(name, kibibytes * 1024);
      expect(full).to.be.above(1);
    });
  }

  it('is told from one that takes such a write for done', async () => {
    const restore = plantSwallowedWrite();
    try {
      expect(await violationIn(() => runWithRoom(NAMES[0], 300 * 1024))).to.be.an.instanceof(Violation);
    } finally {
      restore();
    }
  });
});

/** Limits the size of files that this process may make. */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`], { stdio: 'pipe' });
}

describe('a store under a limit on the size of files', () => {
  let folder = '';

  before(function () {
    try {
      limitFiles('unlimited');
    } catch (error) {
      console.log(`    skipped: the size of files cannot be limited here: ${error}`);
      this.skip();
    }
  });

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'limited-'));
  });

  afterEach('the limit is gone', () => {
    limitFiles('unlimited');
    fs.rmSync(folder, { recursive: true, force: true });
  });

  async function runLimited(name: string, bytes: number): Promise<number> {
    const own = fs.mkdtempSync(path.join(folder, 'store-'));
    limitFiles(bytes);
    return runShort(name, own, () => limitFiles('unlimited'));
  }

  for (const name of NAMES) {
    it(`tells that it is full, and goes on once the limit is higher: ${name}`, async () => {
      let full = 0;
      for (let kibibytes = 8; kibibytes < 500; kibibytes += 100)
        full += await runLimited(name, kibibytes * 1024);
      expect(full).to.be.above(1);
    });
  }

  it('is told from one that takes such a write for done', async () => {
    const restore = plantSwallowedWrite();
    try {
      expect(await violationIn(() => runLimited(NAMES[0], 300 * 1024))).to.be.an.instanceof(Violation);
    } finally {
      restore();
    }
  });
});
