// lib/storage/memory-file.ts, disk-file.ts and overlay-file.ts: the same calls have the same results on each.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { OverlayFile } from '../../lib/storage/overlay-file.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { patterned } from '../helpers/bytes.js';
import { seeded } from '../helpers/seed.js';
import { bytesOf } from '../helpers/store-bytes.js';

/** The memory file's chunks are a megabyte, the overlay's blocks a page: around both, and past the end. */
const positions = fc.oneof(
  fc.nat(10_000),
  fc
    .constantFrom(4096, 1 << 20, 2 << 20)
    .chain((edge) => fc.integer({ min: edge - 9000, max: edge + 9000 }))
    .map((position) => Math.max(0, position)),
);
const lengths = fc.oneof(fc.nat(100), fc.nat(9000));
const flags = fc.boolean();

const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      at: positions,
      length: lengths,
      sync: flags,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('read' as const), at: positions, length: lengths, sync: flags }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('readMany' as const),
      at: positions,
      lengths: fc.array(fc.nat(5000), { minLength: 1, maxLength: 4 }),
      sync: flags,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: positions }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Does one operation; returns all that can be seen of it. */
async function run(file: StoreFile, step: Operation, salt: number): Promise<unknown> {
  if (step.kind === 'truncate') {
    await file.truncate(step.at);
    return file.size();
  }
  if (step.kind === 'write') {
    const source = patterned(step.length + 20, salt);
    if (step.sync) file.writeSync(source, 10, step.length, step.at);
    else await file.write(source, 10, step.length, step.at);
    return file.size();
  }
  if (step.kind === 'read') {
    const target = Buffer.alloc(step.length + 20, 0xee);
    const read = step.sync
      ? file.readSync(target, 10, step.length, step.at)
      : await file.read(target, 10, step.length, step.at);
    return { read, target: target.toString('latin1') };
  }
  const targets = step.lengths.map((length) => Buffer.alloc(length, 0xee));
  const read = step.sync ? file.readManySync(targets, step.at) : await file.readMany(targets, step.at);
  return { read, target: Buffer.concat(targets).toString('latin1') };
}

describe('store file', () => {
  let folder = '';
  let made = 0;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'store-file-spec-'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const diskFile = (): DiskFile => {
    const name = path.join(folder, `file-${made++}`);
    return new DiskFile(name, fs.openSync(name, 'w+'));
  };

  it('is the same in memory, on the disk, and laid over another', async () => {
    const steps = fc.array(operation, { maxLength: 25, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(3 << 20), async (operations, baseLength) => {
        const begin = patterned(baseLength, 250);
        const base = new MemoryFile();
        const files: StoreFile[] = [new MemoryFile(), diskFile(), new OverlayFile(base)];
        base.writeSync(begin, 0, baseLength, 0);
        files[2] = new OverlayFile(base);
        for (const file of files.slice(0, 2)) file.writeSync(begin, 0, baseLength, 0);
        for (const [index, step] of operations.entries()) {
          const [expected, ...others] = await Promise.all(files.map((file) => run(file, step, index)));
          for (const seen of others) expect(seen, JSON.stringify(step)).to.deep.equal(expected);
        }
        const [expected, ...others] = files.map(bytesOf);
        for (const bytes of others) expect(bytes.equals(expected)).to.equal(true);
        expect(bytesOf(base).equals(begin), 'the file below the overlay').to.equal(true);
        await Promise.all(files.map((file) => file.close()));
      }),
      seeded(40),
    );
  });

  for (const [name, make] of [
    ['memory', () => new MemoryFile()],
    ['disk', () => diskFile()],
    ['overlay', () => new OverlayFile(new MemoryFile())],
  ] as const) {
    it(`reads zeros where it was cut and grew again, in ${name}`, async () => {
      const file: StoreFile = make();
      file.writeSync(patterned(3 << 20, 1), 0, 3 << 20, 0);
      await file.truncate(5000);
      await file.truncate(3 << 20);
      const bytes = bytesOf(file);
      expect(bytes.subarray(0, 5000).equals(patterned(3 << 20, 1).subarray(0, 5000))).to.equal(true);
      expect(bytes.subarray(5000).equals(Buffer.alloc((3 << 20) - 5000))).to.equal(true);
      await file.close();
    });

    it(`reads nothing past its end, in ${name}`, async () => {
      const file: StoreFile = make();
      file.writeSync(Buffer.alloc(10, 1), 0, 10, 0);
      const target = Buffer.alloc(20);
      expect(file.readSync(target, 0, 20, 10)).to.equal(0);
      expect(await file.read(target, 0, 20, 5)).to.equal(5);
      expect(file.readManySync([target.subarray(0, 7), target.subarray(7)], 0)).to.equal(10);
      expect(await file.readMany([target], 1 << 21)).to.equal(0);
      await file.close();
    });
  }

  it('reads more buffers at once than one call of the system takes', async () => {
    const file = diskFile();
    const bytes = patterned(1500 * 8, 4);
    file.writeSync(bytes, 0, bytes.length, 0);
    for (const read of [
      (targets: Buffer[]) => file.readManySync(targets, 0),
      (targets: Buffer[]) => file.readMany(targets, 0),
    ]) {
      const targets = Array.from({ length: 1500 }, () => Buffer.alloc(8));
      expect(await read(targets)).to.equal(bytes.length);
      expect(Buffer.concat(targets).equals(bytes)).to.equal(true);
    }
    await file.close();
  });
});
