/** Where a backup is made: under a name that tells that it is unfinished, until it is whole and gets its own. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './storage/folder.js';
import { uninterrupted } from './storage/interrupted.js';
import { pendingPath } from './storage/pending-file.js';
import { type OpenedStore, openStore, type StoreOptions } from './storage/store-open.js';

export interface BackupPlace {
  readonly path: string;
  /** The path of what stands in the way already: something under the name, or the log of a store that had it. */
  taken(): string | undefined;
  /** The folder that it is to be in, where there is none. */
  missingFolder(): string | undefined;
  /** Makes the store under the unfinished name. */
  open(options: StoreOptions): Promise<OpenedStore>;
  /** Gives it its name, durably; false where something has got that meanwhile. If it raises, there is nothing of that name. */
  name(): boolean;
  /** Removes what is unfinished. */
  clear(): void;
}

/** Files of the system: `<path>.partial-<8 hex digits>`, which no other has, then `<path>`. */
export class BackupFiles implements BackupPlace {
  readonly path: string;
  private readonly partial: string;
  private readonly clearAtExit = (): void => this.remove();

  constructor(path: string) {
    this.path = path;
    this.partial = `${path}.partial-${randomBytes(4).toString('hex')}`;
  }

  taken(): string | undefined {
    // Also a link that leads nowhere: somebody made it.
    const paths = [this.path, pendingPath(this.path)];
    return paths.find((path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  }

  missingFolder(): string | undefined {
    const folder = dirname(this.path);
    return fs.existsSync(folder) ? undefined : folder;
  }

  open(options: StoreOptions): Promise<OpenedStore> {
    // Also where the process is ended at once.
    process.once('exit', this.clearAtExit);
    return openStore(this.partial, options);
  }

  name(): boolean {
    if (!this.link()) return false;
    try {
      syncFolder(this.path);
    } catch (error) {
      // The name may not be on the disk, so it must not be seen either.
      remove(this.path);
      throw error;
    }
    return true;
  }

  /** A link, unlike a new name, takes no other's place. */
  private link(): boolean {
    try {
      uninterrupted(() => fs.linkSync(this.partial, this.path));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    }
    // Some file systems have no second names for a file.
    if (this.taken() !== undefined) return false;
    uninterrupted(() => fs.renameSync(this.partial, this.path));
    return true;
  }

  clear(): void {
    process.off('exit', this.clearAtExit);
    this.remove();
  }

  private remove(): void {
    remove(this.partial);
    remove(pendingPath(this.partial));
  }
}

function remove(path: string): void {
  uninterrupted(() => fs.rmSync(path, { force: true }));
}
