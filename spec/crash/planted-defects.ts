// Defects planted below or inside the store, each of a kind that loses or damages data in a crash: what goes
// through them must be found to be wrong, or the harness finds nothing.

import { Checkpointer } from '../../lib/storage/checkpointer.js';
import { PageWriter } from '../../lib/storage/page-writer.js';
import { PendingLog } from '../../lib/storage/pending-log.js';
import { Store } from '../../lib/storage/store.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { replaceMethod } from '../helpers/replace-method.js';
import { DiskBackupPlace } from './disk-backup.js';
import type { Double } from './disk-session.js';
import type { ContentOperation } from './disk-state.js';
import type { SimulatedDisk } from './simulated-disk.js';
import { SimulatedFile } from './simulated-disk.js';

export interface PlantedDefect {
  readonly name: string;
  /** A workload that is sure to meet it, and a seed with which it is found soon. */
  readonly workload: string;
  readonly seed: number;
  /** Cuts of the workload from which recovery is cut; 0 where the workload itself shows the defect. */
  readonly recoveries?: number;
  /** Images of each cut of a recovery, of the one after it, and so on. */
  readonly recoveryVariants?: readonly number[];
  readonly double?: Double;
  /** Stands between the store that a backup makes and the disk. */
  readonly backupDouble?: Double;
  /** Changes the store itself; returns what changes it back. */
  readonly plant?: () => () => void;
}

const META_BYTES = 2 * 4096;

function isMeta(operation: ContentOperation): boolean {
  return operation.kind === 'write' && operation.position < META_BYTES;
}

type Sync = (file: SimulatedFile) => Promise<void>;

/** The file, but for its sync. */
export function withSync(file: StoreFile, sync: Sync): StoreFile {
  if (!(file instanceof SimulatedFile)) throw new Error('only files of a simulated disk can be doubled');
  return new Proxy(file, {
    get(target, name) {
      if (name === 'sync') return () => sync(target);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Leaves the making of a store as it is, two syncs: a checkpoint must show the defect. */
function afterMaking(sync: Sync): Double {
  return (files) => {
    let left = files.file.size() === 0 ? 2 : 0;
    return { ...files, file: withSync(files.file, (file) => (left-- > 0 ? file.sync() : sync(file))) };
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** Logs that are in use, and the disks of stores. */
const opened = new WeakSet<PendingLog>();
const disks = new WeakMap<StoreFile, SimulatedDisk>();

/** Where a log's header has room for a byte that the store does not know of. */
const ATTEMPTS_AT = 600;

export const PLANTED_DEFECTS: readonly PlantedDefect[] = [
  {
    name: 'the store is never synced',
    workload: 'growth and shrinking',
    seed: 1,
    double: (files) => ({ ...files, file: withSync(files.file, async () => undefined) }),
  },
  {
    name: 'the sync before the meta page is left out',
    workload: 'a commit too long for the log',
    seed: 1,
    double: afterMaking(async (file) => {
      if (file.unsynced.some(isMeta)) await file.syncPart(isMeta);
    }),
  },
  {
    name: 'the meta page reaches the disk before what it refers to',
    workload: 'a commit too long for the log',
    seed: 1,
    double: afterMaking(async (file) => {
      if (!file.unsynced.some(isMeta)) return;
      await file.syncPart(isMeta);
      await file.sync();
    }),
  },
  {
    name: 'the sync after the meta page is left out',
    workload: 'a commit too long for the log',
    seed: 1,
    double: afterMaking(async (file) => {
      if (!file.unsynced.some(isMeta)) await file.sync();
    }),
  },
  {
    name: 'records of the log are not synced',
    workload: '3 small commits of 20 bytes',
    seed: 1,
    double: (files) => ({ ...files, log: files.log && withSync(files.log, async () => undefined) }),
  },
  {
    name: 'records that the event loop is to sync are not',
    workload: 'small commits synced by the event loop',
    seed: 1,
    plant: () => replaceMethod(SimulatedFile.prototype, 'syncSync', () => undefined),
  },
  {
    name: 'pages are used again though the last checkpoint reaches them',
    workload: 'pages freed while a checkpoint runs',
    seed: 1,
    plant: () => replaceMethod(Checkpointer.prototype, 'needs', () => false),
  },
  {
    name: 'a transaction writes again what a checkpoint beside it has written',
    workload: 'transactions of 200 puts',
    seed: 101,
    plant: () => {
      const { spill } = PageWriter.prototype;
      return replaceMethod(PageWriter.prototype, 'spill', function (this: PageWriter, cache): void {
        this.forgetProgress();
        spill.call(this, cache);
      });
    },
  },
  {
    name: 'the half of the log is switched some time after the checkpoint began',
    workload: 'checkpoints beside group commits',
    seed: 1,
    plant: () => {
      const { switchTo } = PendingLog.prototype;
      return replaceMethod(
        PendingLog.prototype,
        'switchTo',
        function (this: PendingLog, generation: number): void {
          // The first is that of its opening.
          if (opened.has(this)) void turns(100).then(() => switchTo.call(this, generation));
          else switchTo.call(this, generation);
          opened.add(this);
        },
      );
    },
  },
  {
    name: 'the log is removed before the last checkpoint',
    workload: '3 small commits of 20 bytes',
    seed: 1,
    double: (files, disk) => {
      disks.set(files.file, disk);
      return files;
    },
    plant: () => {
      const { close } = Store.prototype;
      return replaceMethod(Store.prototype, 'close', function (this: Store): Promise<void> {
        disks.get(this.file)?.unlink('log');
        return close.call(this);
      });
    },
  },
  {
    name: 'a backup gets its name before its pages are synced',
    workload: 'a backup',
    seed: 1,
    backupDouble: (files) => ({ ...files, file: withSync(files.file, async () => undefined) }),
  },
  {
    name: 'the folder of a backup is not synced',
    workload: 'a backup',
    seed: 1,
    plant: () =>
      replaceMethod(DiskBackupPlace.prototype, 'name', function (this: DiskBackupPlace) {
        (this as unknown as { disk: SimulatedDisk }).disk.rename('partial copy', 'copy');
        return true;
      }),
  },
  {
    name: 'a meta page that does not hold is left so',
    workload: 'an atomic load',
    seed: 1,
    plant: () => {
      const { checkpointNow } = Store.prototype;
      return replaceMethod(Store.prototype, 'checkpointNow', function (this: Store): Promise<void> {
        return checkpointNow.call(this);
      });
    },
  },
  {
    name: 'what a killed process wrote is taken for durable',
    workload: '3 small commits of 20 bytes',
    seed: 1,
    recoveries: 40,
    recoveryVariants: [2],
    double: (files) => {
      let isTrusting = files.file.size() > 0;
      const sync: Sync = async (file) => {
        if (!isTrusting) await file.sync();
        isTrusting = false;
      };
      return { ...files, file: withSync(files.file, sync) };
    },
  },
  {
    name: 'recovery empties the log before its checkpoint',
    workload: '3 small commits of 900 bytes',
    seed: 1,
    recoveries: 3,
    recoveryVariants: [2],
    plant: () => {
      const { read } = PendingLog.prototype;
      return replaceMethod(
        PendingLog.prototype,
        'read',
        function (this: PendingLog, generation: number, sequence: number) {
          const records = read.call(this, generation, sequence);
          const { file } = this as unknown as { file: StoreFile };
          // Readers, to whom the oracle is one too, change nothing.
          if (file instanceof SimulatedFile && !file.isReadOnly) void file.truncate(4096);
          return records;
        },
      );
    },
  },
  {
    name: 'recovery gives the log up at the second attempt',
    workload: '3 small commits of 900 bytes',
    seed: 1,
    recoveries: 1,
    recoveryVariants: [1, 1],
    double: (files) => {
      const { log } = files;
      if (log === undefined || log.size() <= 4096) return files;
      const attempts = Buffer.alloc(1);
      log.readSync(attempts, 0, 1, ATTEMPTS_AT);
      if (attempts[0] === 0) log.writeSync(Buffer.from([1]), 0, 1, ATTEMPTS_AT);
      else void log.truncate(4096);
      return files;
    },
  },
];
