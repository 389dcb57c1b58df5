// Defects planted in the store, each of a kind that the long story must find.

import fs from 'node:fs';
import { StoreDatabase } from '../../lib/database.js';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { Snapshots } from '../../lib/storage/snapshots.js';
import { Space } from '../../lib/storage/space.js';
import { replaceMethod } from '../helpers/replace-method.js';

/** Allocates at the end of the file, as if there were no free pages. */
interface Growing {
  grow(pagesMax: number): { page: number; pages: number };
}

export const MODEL_DEFECTS: Readonly<Record<string, () => void>> = {
  'a page that a reader needs is used again': () => {
    replaceMethod(Snapshots.prototype, 'needs', () => false);
  },
  'free pages are not used again': () => {
    replaceMethod(Space.prototype, 'allocate', function (this: Space) {
      return (this as unknown as Growing).grow(1).page;
    });
    replaceMethod(Space.prototype, 'trimTail', () => 0);
  },
  'a descriptor is left open': () => {
    const { close } = DiskFile.prototype;
    replaceMethod(DiskFile.prototype, 'close', function (this: DiskFile) {
      if (!this.path.endsWith('.pending')) fs.openSync(this.path, 'r');
      return close.call(this);
    });
  },
  'closed stores are kept in memory': () => {
    const kept: unknown[] = [];
    const { close } = StoreDatabase.prototype;
    replaceMethod(StoreDatabase.prototype, 'close', function (this: StoreDatabase) {
      // What a store shares with its readers' threads is not counted as the process's own: this stands for a part of it.
      kept.push(this, Buffer.alloc(16 << 20, kept.length));
      return close.call(this);
    });
  },
};

export function plantModelDefect(name: string): void {
  const plant = MODEL_DEFECTS[name];
  if (plant === undefined)
    throw new Error(`there is no defect ${name}: ${Object.keys(MODEL_DEFECTS).join(', ')}`);
  plant();
}
