// Backups on a simulated disk: the place where one is made, and what a crash may leave of it.

import { type BackupOptions, backupStore } from '../../lib/backup.js';
import type { BackupPlace } from '../../lib/backup-place.js';
import { StoreDatabase } from '../../lib/database.js';
import {
  type OpenedStore,
  openOn,
  type StoreFiles,
  type StoreOptions,
} from '../../lib/storage/store-open.js';
import type { SimulatedDisk } from './simulated-disk.js';

export class DiskBackupPlace implements BackupPlace {
  readonly path = 'simulated/copy';
  private readonly disk: SimulatedDisk;
  private readonly double: ((files: StoreFiles, disk: SimulatedDisk) => StoreFiles) | undefined;

  constructor(disk: SimulatedDisk, double?: (files: StoreFiles, disk: SimulatedDisk) => StoreFiles) {
    this.disk = disk;
    this.double = double;
  }

  missingFolder(): undefined {}

  taken(): string | undefined {
    return this.disk.exists('copy') ? this.path : undefined;
  }

  async open(options: StoreOptions): Promise<OpenedStore> {
    const { disk } = this;
    const file = disk.create('partial copy');
    const log = disk.create('partial copy log');
    const release = async (clean: boolean): Promise<void> => {
      await log.close();
      if (clean) disk.unlink('partial copy log');
      await file.close();
    };
    const files = { file, log, release };
    const opened = await openOn(this.double?.(files, disk) ?? files, options);
    disk.syncFolder();
    return opened;
  }

  name(): boolean {
    this.disk.rename('partial copy', 'copy');
    this.disk.syncFolder();
    return true;
  }

  clear(): void {
    this.disk.unlink('partial copy');
    this.disk.unlink('partial copy log');
  }
}

/** A store whose backups stay on its disk. */
export class DiskDatabase extends StoreDatabase {
  private readonly made: OpenedStore;
  private readonly place: BackupPlace;

  constructor(opened: OpenedStore, place: BackupPlace) {
    super(opened.store, opened.recovery);
    this.made = opened;
    this.place = place;
  }

  override backup(_path: string, options: BackupOptions = {}): Promise<void> {
    return backupStore(this.made.store, this.place, options);
  }
}
