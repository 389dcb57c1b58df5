/** Where a backup is made: under a name that tells that it is unfinished, until it is whole and gets its own. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './storage/folder.js';
import { uninterrupted } from './storage/interrupted.js';
import { type OpenedStore, openStore, type StoreOptions } from './storage/store-open.js';

export interface BackupPlace {
  readonly path: string;
  /** Whether there is something under the name already. */
  exists(): boolean;
  /** The folder that it is to be in, where there is none. */
  missingFolder(): string | undefined;
  /** Makes the store under the unfinished name. */
  open(options: StoreOptions): Promise<OpenedStore>;
  /** Gives it its name, durably. If it raises, there is nothing of that name. */
  name(): void;
  /** Removes what is unfinished, of this backup or an earlier one. */
  clear(): void;
}

/** Files of the system: `<path>.partial`, then `<path>`. */
export class BackupFiles implements BackupPlace {
  readonly path: string;
  private readonly partial: string;

  constructor(path: string) {
    this.path = path;
    this.partial = `${path}.partial`;
  }

  exists(): boolean {
    // Also a link that leads nowhere: somebody made it.
    return fs.lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  missingFolder(): string | undefined {
    const folder = dirname(this.path);
    return fs.existsSync(folder) ? undefined : folder;
  }

  open(options: StoreOptions): Promise<OpenedStore> {
    return openStore(this.partial, options);
  }

  name(): void {
    uninterrupted(() => fs.renameSync(this.partial, this.path));
    try {
      syncFolder(this.path);
    } catch (error) {
      // The name may not be on the disk, so it must not be seen either.
      remove(this.path);
      throw error;
    }
  }

  clear(): void {
    remove(this.partial);
    remove(`${this.partial}.pending`);
  }
}

function remove(path: string): void {
  uninterrupted(() => fs.rmSync(path, { force: true }));
}
