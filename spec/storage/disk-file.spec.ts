// lib/storage/disk-file.ts and store-file.ts: what the system answers, and short and interrupted transfers.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { ErrorCode } from '../../lib/errors.js';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { fileError } from '../../lib/storage/store-file.js';
import { patterned } from '../helpers/bytes.js';
import { Deferred } from '../helpers/deferred.js';
import { raised, rejected } from '../helpers/errors.js';

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: as the system says it`), { code });

const codes: ReadonlyArray<[system: string, code: ErrorCode]> = [
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EFBIG', 'DISK_FULL'],
  ['EIO', 'IO_ERROR'],
  ['EBADF', 'IO_ERROR'],
  ['EROFS', 'IO_ERROR'],
  ['EACCES', 'IO_ERROR'],
];

/** What a stubbed call does instead: fails with this code, or transfers so many bytes at the most. */
type Answer = string | number;

/** Answers calls one after the other, and once they are used up as the system would. */
class Answers {
  private readonly answers: Answer[];
  calls = 0;
  /** What a sync waits for. */
  delay: Promise<void> | undefined;

  constructor(...answers: Answer[]) {
    this.answers = answers;
  }

  /** The bytes to ask the system for, of those wanted. */
  next(wanted: number): number {
    this.calls++;
    const answer = this.answers.shift() ?? wanted;
    if (typeof answer === 'string') throw systemError(answer);
    return Math.min(answer, wanted);
  }
}

describe('file error', () => {
  for (const [system, code] of codes) {
    it(`of ${system} is ${code}, with the system's error as its cause`, () => {
      const cause = systemError(system);
      const error = fileError('write', '/data/shop.db', cause);
      expect(error.code).to.equal(code);
      expect(error.cause).to.equal(cause);
      expect(error.details.path).to.equal('/data/shop.db');
      expect(error.message).to.contain('write').and.to.contain('/data/shop.db').and.to.contain(system);
    });
  }

  it('takes whatever was thrown', () => expect(fileError('read', 'x', 'odd').code).to.equal('IO_ERROR'));
});

/** As `rejected`, for errors of a module that was loaded once more, whose class is another. */
async function failing(code: ErrorCode, work: () => unknown): Promise<{ details: { path?: unknown } }> {
  try {
    await work();
  } catch (error) {
    const {
      name,
      code: found,
      details,
    } = error as { name: string; code: string; details: { path?: unknown } };
    expect([name, found], String(error)).to.deep.equal(['StoreError', code]);
    return { details };
  }
  throw new Error(`nothing was raised, ${code} was expected`);
}

describe('disk file', () => {
  const real = { ...fs };
  let folder = '';
  let file: DiskFile;
  /** The same class, made when the asynchronous calls below it were already stubbed. */
  let Stubbed: typeof DiskFile;
  let answers = new Answers();
  const bytes = patterned(10_000, 3);

  // The asynchronous calls are taken from the runtime when the module is loaded, so it is loaded once more.
  before(async () => {
    const stubs = {
      read: async (fd: number, target: Buffer, offset: number, length: number, position: number) => ({
        bytesRead: real.readSync(fd, target, offset, answers.next(length), position),
      }),
      readv: async (fd: number, targets: Buffer[], position: number) => ({
        bytesRead: real.readvSync(fd, [targets[0].subarray(0, answers.next(targets[0].length))], position),
      }),
      write: async (fd: number, source: Buffer, offset: number, length: number, position: number) => ({
        bytesWritten: real.writeSync(fd, source, offset, answers.next(length), position),
      }),
      fdatasync: async () => {
        answers.next(0);
        await answers.delay;
      },
      close: async (fd: number) => {
        answers.next(0);
        real.closeSync(fd);
      },
    };
    for (const [name, stub] of Object.entries(stubs))
      Object.assign(fs, { [name]: Object.assign(() => undefined, { [promisify.custom]: stub }) });
    const url = `${new URL('../../lib/storage/disk-file.ts', import.meta.url).href}?stubbed`;
    const module = (await import(url)) as { DiskFile: typeof DiskFile };
    Stubbed = module.DiskFile;
    for (const name of Object.keys(stubs) as (keyof typeof stubs)[])
      Object.assign(fs, { [name]: real[name] });
  });

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'disk-file-spec-'));
    const name = path.join(folder, 'file');
    fs.writeFileSync(name, bytes);
    file = new Stubbed(name, fs.openSync(name, 'r+'));
  });

  afterEach(() => {
    const { readSync, writeSync, readvSync, ftruncateSync, fdatasyncSync } = real;
    Object.assign(fs, { readSync, writeSync, readvSync, ftruncateSync, fdatasyncSync });
    fs.closeSync(file.descriptor);
    fs.rmSync(folder, { recursive: true });
  });

  /** Lets the synchronous calls below the file answer as told, too. */
  function answer(...given: Answer[]): void {
    answers = new Answers(...given);
    Object.assign(fs, {
      readSync: (fd: number, target: Buffer, offset: number, length: number, position: number) =>
        real.readSync(fd, target, offset, answers.next(length), position),
      readvSync: (fd: number, targets: Buffer[], position: number) =>
        real.readvSync(fd, [targets[0].subarray(0, answers.next(targets[0].length))], position),
      writeSync: (fd: number, source: Buffer, offset: number, length: number, position: number) =>
        real.writeSync(fd, source, offset, answers.next(length), position),
      ftruncateSync: (fd: number, size: number) => {
        answers.next(0);
        real.ftruncateSync(fd, size);
      },
      fdatasyncSync: () => void answers.next(0),
    });
  }

  const reads: Record<string, (target: Buffer) => number | Promise<number>> = {
    readSync: (target) => file.readSync(target, 0, target.length, 100),
    read: (target) => file.read(target, 0, target.length, 100),
    readManySync: (target) => file.readManySync([target.subarray(0, 900), target.subarray(900)], 100),
    readMany: (target) => file.readMany([target.subarray(0, 900), target.subarray(900)], 100),
  };
  for (const [name, read] of Object.entries(reads)) {
    it(`${name} goes on after short and interrupted transfers`, async () => {
      answer(1, 'EINTR', 7, 'EINTR', 'EINTR', 300);
      const target = Buffer.alloc(3000);
      expect(await read(target)).to.equal(3000);
      expect(target.equals(bytes.subarray(100, 3100))).to.equal(true);
      expect(answers.calls).to.be.above(5);
    });

    it(`${name} ends at the end of the file, also after an interruption at its first call`, async () => {
      answer('EINTR', 10);
      const target = Buffer.alloc(12_000, 0xee);
      expect(await read(target)).to.equal(9900);
      expect(target.subarray(0, 9900).equals(bytes.subarray(100))).to.equal(true);
      expect(target.subarray(9900).equals(Buffer.alloc(2100, 0xee))).to.equal(true);
    });

    it(`${name} raises what the system says`, async () => {
      answer(5, 'EIO');
      await failing('IO_ERROR', () => read(Buffer.alloc(3000)));
    });
  }

  const writes: Record<string, (source: Buffer) => void | Promise<void>> = {
    writeSync: (source) => file.writeSync(source, 10, 2000, 5000),
    write: (source) => file.write(source, 10, 2000, 5000),
  };
  for (const [name, write] of Object.entries(writes)) {
    it(`${name} goes on after short and interrupted transfers`, async () => {
      answer('EINTR', 1, 3, 'EINTR', 500);
      const source = patterned(3000, 9);
      await write(source);
      const expected = Buffer.from(bytes);
      source.copy(expected, 5000, 10, 2010);
      expect(fs.readFileSync(file.path).equals(expected)).to.equal(true);
    });

    it(`${name} raises a full disk as such`, async () => {
      answer(100, 'ENOSPC');
      const error = await failing('DISK_FULL', () => write(Buffer.alloc(3000)));
      expect(error.details.path).to.equal(file.path);
    });

    it(`${name} does not ask for ever where the system takes nothing`, async () => {
      answer(100, 0, 0, 0, 0);
      await failing('IO_ERROR', () => write(Buffer.alloc(3000)));
    });
  }

  const syncs: Record<string, () => void | Promise<void>> = {
    sync: () => file.sync(),
    syncSync: () => file.syncSync(),
  };
  for (const [name, sync] of Object.entries(syncs)) {
    it(`${name} is not repeated, not even where it was interrupted`, async () => {
      for (const code of ['EINTR', 'EIO']) {
        answer(code);
        await failing('IO_ERROR', sync);
        expect(answers.calls).to.equal(1);
      }
      answer('ENOSPC');
      await failing('DISK_FULL', sync);
      await sync();
      expect(answers.calls).to.equal(2);
    });
  }

  it('resizes again after an interruption', async () => {
    answer('EINTR', 'EINTR');
    // Before the promise is waited for: a write made after the call must not be cut off.
    const resized = file.truncate(77);
    expect(file.size()).to.equal(77);
    await resized;
    answer('EFBIG');
    await failing('DISK_FULL', () => file.truncate(1));
  });

  it('keeps the descriptor until a sync under way has ended', async () => {
    const ended = new Deferred();
    answers.delay = ended.promise;
    const order: string[] = [];
    const synced = file.sync().then(() => order.push('synced'));
    const closed = file.close().then(() => order.push('closed'));
    await new Promise(setImmediate);
    ended.resolve();
    await Promise.all([synced, closed]);
    expect(order).to.deep.equal(['synced', 'closed']);
    file = new Stubbed(file.path, fs.openSync(file.path, 'r+'));
  });

  it('raises what closing says', async () => {
    answer('EIO');
    await failing('IO_ERROR', () => file.close());
  });

  it('says of a descriptor that is none what the system says', async () => {
    const bad = new DiskFile('nowhere', 1 << 20);
    raised('IO_ERROR', () => bad.size());
    raised('IO_ERROR', () => bad.readSync(Buffer.alloc(1), 0, 1, 0));
    raised('IO_ERROR', () => bad.writeSync(Buffer.alloc(1), 0, 1, 0));
    raised('IO_ERROR', () => bad.syncSync());
    const calls: ReadonlyArray<() => Promise<unknown>> = [
      () => bad.read(Buffer.alloc(1), 0, 1, 0),
      () => bad.readMany([Buffer.alloc(1)], 0),
      () => bad.write(Buffer.alloc(1), 0, 1, 0),
      () => bad.sync(),
      () => bad.truncate(0),
      () => bad.close(),
    ];
    for (const call of calls) await rejected('IO_ERROR', call());
  });
});
