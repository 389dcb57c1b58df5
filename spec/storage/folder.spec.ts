// lib/storage/folder.ts and interrupted.ts: the names of a store's files, and calls that a signal interrupts
// while files are opened, measured and removed.

import fs from 'node:fs';
import { type Database, open } from 'btree-store';
import { expect } from 'chai';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { syncFolder } from '../../lib/storage/folder.js';
import { uninterrupted } from '../../lib/storage/interrupted.js';
import { raised, rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

type SyncName = 'openSync' | 'fstatSync' | 'fsyncSync' | 'rmSync' | 'linkSync' | 'ftruncateSync';

const real = { ...fs };
const table = fs as unknown as Record<SyncName, (...values: unknown[]) => unknown>;

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: as the system says it`), { code });

/** Lets a call fail `times` times, then do as it is asked; returns how often it was called. */
function failing(name: SyncName, code: string, times: number): () => number {
  const original = real[name] as (...values: unknown[]) => unknown;
  let calls = 0;
  table[name] = (...values) => {
    if (calls++ < times) throw systemError(code);
    return original(...values);
  };
  return () => calls;
}

function restore(): void {
  const { openSync, fstatSync, fsyncSync, rmSync, linkSync, ftruncateSync } = real;
  Object.assign(fs, { openSync, fstatSync, fsyncSync, rmSync, linkSync, ftruncateSync });
}

const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;

describe('names of files', () => {
  const stores = useStores();

  afterEach('the calls are as they were', restore);

  it('are synced with their folder', async () => {
    const calls = failing('fsyncSync', 'EIO', 0);
    syncFolder(await stores.path());
    expect(calls()).to.equal(1);
  });

  for (const code of ['EINVAL', 'EPERM', 'EBADF']) {
    it(`are left to a system that does not sync folders: ${code}`, async () => {
      failing('fsyncSync', code, 1);
      await stores.open();
    });
  }

  for (const [code, expected] of [
    ['EIO', 'IO_ERROR'],
    ['ENOSPC', 'DISK_FULL'],
  ] as const) {
    it(`that the disk cannot keep are told of: ${code}`, async () => {
      const file = await stores.path();
      failing('fsyncSync', code, 1);
      await rejected(expected, open(file));
      expect(fs.existsSync(`${file}.pending`)).to.equal(false);
      const db = await stores.openAt(file);
      await db.bucket('b').put('a', '1');
    });

    it(`that the disk cannot keep leave no backup: ${code}`, async () => {
      const db = await stores.open();
      await db.bucket('b').put('a', '1');
      const copy = await stores.path();
      // The folder is synced when the copy is made, and again when it gets its name.
      const original = real.linkSync;
      table.linkSync = (from, to) => {
        original(from as string, to as string);
        failing('fsyncSync', code, 1);
      };
      await rejected(expected, db.backup(copy));
      expect(fs.existsSync(copy)).to.equal(false);
      table.linkSync = original as (...values: unknown[]) => unknown;
      await db.backup(copy);
      await stores.openAt(copy);
    });
  }

  it('take no descriptor where something fails', async function () {
    if (process.platform !== 'linux') this.skip();
    const file = await stores.path();
    const before = descriptors();
    for (const name of ['fsyncSync', 'fstatSync'] as const) {
      failing(name, 'EIO', 1);
      await rejected('IO_ERROR', open(file));
      expect(descriptors(), name).to.equal(before);
    }
    failing('fsyncSync', 'EINVAL', 1);
    syncFolder(file);
    expect(descriptors()).to.equal(before);
  });

  it('of a backup that fails leave what failed as what is told', async () => {
    const db = await stores.open();
    failing('linkSync', 'EIO', 1);
    failing('rmSync', 'EACCES', 1000);
    const error = await rejected('IO_ERROR', db.backup(await stores.path()));
    expect(error.message).to.contain('EACCES');
    restore();
  });
});

describe('an interrupted call', () => {
  const stores = useStores();

  afterEach('the calls are as they were', restore);

  it('is made again, any other is not', () => {
    let calls = 0;
    const call = (): string => {
      if (calls++ < 3) throw systemError('EINTR');
      return 'done';
    };
    expect(uninterrupted(call)).to.equal('done');
    expect(calls).to.equal(4);
    expect(() =>
      uninterrupted(() => {
        throw systemError('EIO');
      }),
    ).to.throw('EIO');
  });

  const uses: Record<string, (db: Database) => Promise<unknown>> = {
    openSync: (db) => stores.reopen(db),
    fstatSync: (db) => stores.reopen(db),
    fsyncSync: (db) => stores.reopen(db),
    rmSync: (db) => stores.reopen(db),
    ftruncateSync: (db) => stores.reopen(db),
    linkSync: async (db) => db.backup(await stores.path()),
  };
  for (const [name, use] of Object.entries(uses)) {
    it(`is met by no one: ${name}`, async () => {
      const db = await stores.open();
      await db.bucket('b').put('a', '1');
      const calls = failing(name as SyncName, 'EINTR', 3);
      await use(db);
      expect(calls()).to.be.above(3);
    });
  }

  it('does not make a size up', async () => {
    const path = await stores.path();
    fs.writeFileSync(path, 'eight by');
    const file = new DiskFile(path, fs.openSync(path, 'r'));
    failing('fstatSync', 'EINTR', 2);
    expect(file.size()).to.equal(8);
    failing('fstatSync', 'EIO', 2);
    raised('IO_ERROR', () => file.size());
    await file.close();
  });
});
