// Defects planted below or inside the store, each of a kind that loses or damages data in a crash: what goes
// through them must be found to be wrong, or the harness finds nothing.

import { Checkpointer } from '../../lib/storage/checkpointer.js';
import { PendingLog } from '../../lib/storage/pending-log.js';
import { Store } from '../../lib/storage/store.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import type { Double } from './disk-session.js';
import type { ContentOperation } from './disk-state.js';
import type { SimulatedDisk } from './simulated-disk.js';
import { SimulatedFile } from './simulated-disk.js';

export interface PlantedDefect {
  readonly name: string;
  /** Workloads that are sure to meet it. */
  readonly workloads: readonly string[];
  readonly double?: Double;
  /** Changes the store itself; returns what changes it back. */
  readonly plant?: () => () => void;
}

const META_BYTES = 2 * 4096;

export function isMeta(operation: ContentOperation): boolean {
  return operation.kind === 'write' && operation.position < META_BYTES;
}

/** The file, but for its sync. */
function withSync(file: StoreFile, sync: (file: SimulatedFile) => Promise<void>): StoreFile {
  if (!(file instanceof SimulatedFile)) throw new Error('only files of a simulated disk can be doubled');
  return new Proxy(file, {
    get(target, name) {
      if (name === 'sync') return () => sync(target);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Runs `work` with a method of a class replaced. */
function replace<T extends object, K extends keyof T>(prototype: T, name: K, method: T[K]): () => void {
  const original = prototype[name];
  prototype[name] = method;
  return () => {
    prototype[name] = original;
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** Logs that are in use, and the disks of stores. */
const opened = new WeakSet<PendingLog>();
const disks = new WeakMap<StoreFile, SimulatedDisk>();

export const PLANTED_DEFECTS: readonly PlantedDefect[] = [
  {
    name: 'the store is never synced',
    workloads: ['3 small commits of 900 bytes', 'growth and shrinking'],
    double: (files) => ({ ...files, file: withSync(files.file, async () => undefined) }),
  },
  {
    name: 'the sync before the meta page is left out',
    workloads: ['a commit too long for the log', 'transactions of 200 puts'],
    double: (files) => ({
      ...files,
      file: withSync(files.file, async (file) => {
        if (file.unsynced.some(isMeta)) await file.syncPart(isMeta);
      }),
    }),
  },
  {
    name: 'the meta page reaches the disk before what it refers to',
    workloads: ['a commit too long for the log', 'an atomic load'],
    double: (files) => ({
      ...files,
      file: withSync(files.file, async (file) => {
        if (!file.unsynced.some(isMeta)) return;
        await file.syncPart(isMeta);
        await file.sync();
      }),
    }),
  },
  {
    name: 'records of the log are not synced',
    workloads: ['3 small commits of 20 bytes'],
    double: (files) => ({ ...files, log: files.log && withSync(files.log, async () => undefined) }),
  },
  {
    name: 'pages are used again though the last checkpoint reaches them',
    workloads: ['pages freed while a checkpoint runs', 'checkpoints beside group commits'],
    plant: () => replace(Checkpointer.prototype, 'needs', () => false),
  },
  {
    name: 'the half of the log is switched some time after the checkpoint began',
    workloads: ['checkpoints beside commits', 'checkpoints beside group commits'],
    plant: () => {
      const { switchTo } = PendingLog.prototype;
      return replace(PendingLog.prototype, 'switchTo', function (this: PendingLog, generation: number): void {
        // The first is that of its opening.
        if (opened.has(this)) void turns(100).then(() => switchTo.call(this, generation));
        else switchTo.call(this, generation);
        opened.add(this);
      });
    },
  },
  {
    name: 'the log is removed before the last checkpoint',
    workloads: ['3 small commits of 20 bytes', 'reopened after every commit'],
    double: (files, disk) => {
      disks.set(files.file, disk);
      return files;
    },
    plant: () => {
      const { close } = Store.prototype;
      return replace(Store.prototype, 'close', function (this: Store): Promise<void> {
        disks.get(this.file)?.unlink('log');
        return close.call(this);
      });
    },
  },
  {
    name: 'a meta page that does not hold is left so',
    workloads: ['a commit too long for the log', 'an atomic load'],
    plant: () => {
      const { checkpointNow } = Store.prototype;
      return replace(Store.prototype, 'checkpointNow', function (this: Store): Promise<void> {
        return checkpointNow.call(this);
      });
    },
  },
];

/** Takes what a killed process wrote for durable: leaves out the first sync of a store that was there before. */
export const trustTheKilled: Double = (files) => {
  let isTrusting = files.file.size() > 0;
  const sync = async (file: SimulatedFile): Promise<void> => {
    if (!isTrusting) await file.sync();
    isTrusting = false;
  };
  return { ...files, file: withSync(files.file, sync) };
};
