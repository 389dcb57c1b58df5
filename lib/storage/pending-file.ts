/**
 * The file `<path>.pending` beside a store that is open for writing. It names the process that holds
 * the store; a clean close removes it, so one that is there at opening tells of an interrupted run.
 *
 *      0                 8          12         16
 *      +-----------------+----------+----------+
 *      | magic           | format   | process  |
 *      | "btreepnd"      | version  | id       |
 *      +-----------------+----------+----------+
 */
import fs from 'node:fs';
import { StoreError } from '../errors.js';
import { fileError } from './store-file.js';

const MAGIC = 'btreepnd';
const VERSION_AT = 8;
const PID_AT = 12;
const HEADER_BYTES = 16;
const VERSION = 1;

export function pendingPath(path: string): string {
  return `${path}.pending`;
}

/** The process that last opened the store for writing, if its note can be read. */
export function holderOf(path: string): number | undefined {
  try {
    const bytes = fs.readFileSync(pendingPath(path));
    return bytes.length >= HEADER_BYTES && bytes.toString('latin1', 0, MAGIC.length) === MAGIC
      ? bytes.readUInt32LE(PID_AT)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Notes this process as the holder; returns whether an earlier run left its note behind. */
export function notePending(path: string): boolean {
  const interrupted = fs.existsSync(pendingPath(path));
  if (interrupted && !isOurs(path)) {
    const message = `${pendingPath(path)} is not a btree-store log: move it away, then open the store again`;
    throw new StoreError('NOT_A_STORE', message, { details: { path: pendingPath(path) } });
  }
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(VERSION, VERSION_AT);
  bytes.writeUInt32LE(process.pid, PID_AT);
  try {
    fs.writeFileSync(pendingPath(path), bytes);
  } catch (cause) {
    throw fileError('write', pendingPath(path), cause);
  }
  return interrupted;
}

function isOurs(path: string): boolean {
  const bytes = fs.readFileSync(pendingPath(path));
  return bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) === MAGIC;
}

export function removePending(path: string): void {
  fs.rmSync(pendingPath(path), { force: true });
}
