// Defects planted in the file seam, each of a kind that failing, short and interrupted calls must find.

import fs from 'node:fs';
import { promisify } from 'node:util';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { fileError } from '../../lib/storage/store-file.js';
import { replaceMethod } from '../helpers/replace-method.js';

// As the seam does, so that the calls are those that fail.
const writeAsync = promisify(fs.write);
const syncAsync = promisify(fs.fdatasync);

export const IO_DEFECTS: Readonly<Record<string, () => void>> = {
  'a short read is not continued': () => {
    replaceMethod(
      DiskFile.prototype,
      'readSync',
      function (this: DiskFile, target, offset, length, position) {
        return typed('read', this.path, () => fs.readSync(this.descriptor, target, offset, length, position));
      },
    );
  },
  'a short write is not continued': () => {
    replaceMethod(
      DiskFile.prototype,
      'write',
      async function (this: DiskFile, source, offset, length, position) {
        await typedAsync('write', this.path, () =>
          writeAsync(this.descriptor, source, offset, length, position),
        );
      },
    );
  },
  'an interrupted call is not made again': () => {
    replaceMethod(DiskFile.prototype, 'size', function (this: DiskFile) {
      return typed('stat', this.path, () => fs.fstatSync(this.descriptor).size);
    });
  },
  'a failed sync is made again': () => {
    replaceMethod(DiskFile.prototype, 'sync', async function (this: DiskFile) {
      await syncAsync(this.descriptor).catch(() =>
        typedAsync('sync', this.path, () => syncAsync(this.descriptor)),
      );
    });
  },
  'what the system says comes through untyped': () => {
    replaceMethod(DiskFile.prototype, 'truncate', async function (this: DiskFile, size) {
      fs.ftruncateSync(this.descriptor, size);
    });
  },
};

export function plantIoDefect(name: string): void {
  const plant = IO_DEFECTS[name];
  if (plant === undefined)
    throw new Error(`there is no defect ${name}: ${Object.keys(IO_DEFECTS).join(', ')}`);
  plant();
}

function typed<T>(operation: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(operation, path, error);
  }
}

async function typedAsync<T>(operation: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fileError(operation, path, error);
  }
}
