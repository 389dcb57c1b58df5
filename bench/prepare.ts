// Stores as workloads find them, made once for each engine and size, and copied for each run that changes them.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Engine } from './engines/engine.js';
import { ndjsonRows } from './sources.js';
import { storeFiles } from './workloads/bytes-on-disk.js';
import type { Setting, Start } from './workloads/workload.js';

export async function importRowsInto(engine: Engine, source: string): Promise<void> {
  await engine.importRows(ndjsonRows(source));
}

export function copyStore(from: string, to: string): void {
  removeStore(to);
  for (const file of storeFiles(from))
    cpSync(file, join(dirname(to), basename(to) + basename(file).slice(basename(from).length)), {
      recursive: true,
    });
}

export function removeStore(path: string): void {
  for (const file of storeFiles(path)) rmSync(file, { recursive: true, force: true });
}

/** Runs a worker; returns what it printed, and raises where it failed. */
export function runWorker(task: unknown, isKilled = false): string {
  const worker = join(import.meta.dirname, 'dist', 'worker.js');
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [worker, JSON.stringify(task)], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (isKilled ? signal !== 'SIGKILL' : status !== 0)
    throw new Error(`${JSON.stringify(task)} ended with ${status ?? signal}: ${stderr.slice(-2000)}`);
  return stdout;
}

/** The path of a store in this state, made if it is not there yet. */
export function preparedStore(folder: string, engine: string, start: Start, setting: Setting): string {
  const name = `${engine}-${start}-${setting.entries}-${setting.valueBytes}`;
  const made = join(folder, 'stores', name, 'store');
  if (existsSync(join(folder, 'stores', name, 'done'))) return made;
  rmSync(dirname(made), { recursive: true, force: true });
  mkdirSync(dirname(made), { recursive: true });
  if (start === 'crashed') {
    copyStore(preparedStore(folder, engine, 'loaded', setting), made);
    runWorker({ engine, prepare: start, setting: { ...setting, path: made } }, true);
  } else runWorker({ engine, prepare: start, setting: { ...setting, path: made } });
  mkdirSync(join(folder, 'stores', name, 'done'));
  return made;
}
