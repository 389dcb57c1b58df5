// The log's part of the reader that was written from docs/format.md alone: what its records make of a store.

import type { ReadStore } from './independent-reader.js';

const HALF_BYTES = 16_777_216;

interface LogRecord {
  readonly generation: number;
  readonly sequence: number;
  readonly previous: number;
  readonly operations: Buffer;
}

/** Entries of each bucket, by the characters of their keys' bytes. */
export type Contents = Map<string, Map<string, Buffer>>;

export function contentsOf(store: ReadStore): Contents {
  const contents: Contents = new Map();
  for (const [name, { entries }] of store.buckets)
    contents.set(name, new Map(entries.map(([key, value]) => [key.toString('latin1'), value])));
  return contents;
}

export type Checksum = (...parts: readonly Uint8Array[]) => number;

function recordsOf(log: Buffer, generation: number, storeId: Buffer, checksum: Checksum): LogRecord[] {
  const start = 4096 + (generation % 2) * HALF_BYTES;
  const half = log.subarray(start, start + HALF_BYTES);
  const records: LogRecord[] = [];
  for (let at = 0; at + 32 <= half.length; ) {
    const length = half.readUInt32LE(at + 4);
    if (length < 32 || length % 8 !== 0 || at + length > half.length) break;
    const record = half.subarray(at, at + length);
    if (record.readUInt32LE(0) !== checksum(storeId, record.subarray(4))) break;
    const sequence = Number(record.readBigUInt64LE(16));
    const before = records.at(-1)?.sequence ?? -1;
    if (Number(record.readBigUInt64LE(8)) !== generation || sequence <= before) break;
    const previous = Number(record.readBigUInt64LE(24));
    records.push({ generation, sequence, previous, operations: record.subarray(32) });
    at += length;
  }
  return records;
}

/** Does the records of a log over what was read from the store's file; returns how many there were. */
export function applyLog(store: ReadStore, log: Buffer, contents: Contents, checksum: Checksum): number {
  const isWhole =
    log.length >= 32 &&
    log.toString('latin1', 0, 8) === 'btreepnd' &&
    log.readUInt32LE(8) === 2 &&
    log.readUInt32LE(28) === checksum(log.subarray(0, 28));
  if (!isWhole) return 0;
  if (!log.subarray(12, 28).equals(store.storeId)) throw new Error('the log of another store');
  let last = store.sequence;
  let applied = 0;
  for (const generation of [store.generation, store.generation + 1]) {
    for (const record of recordsOf(log, generation, store.storeId, checksum)) {
      if (record.sequence <= last) continue;
      if (record.previous !== last) throw new Error(`commits after ${last} are missing`);
      applyRecord(record.operations, contents);
      last = record.sequence;
      applied++;
    }
  }
  return applied;
}

function applyRecord(operations: Buffer, contents: Contents): void {
  let at = 0;
  let bucket = '';
  const number = (): number => {
    at += 4;
    return operations.readUInt32LE(at - 4);
  };
  const bytes = (length: number): Buffer => {
    at += length;
    return operations.subarray(at - length, at);
  };
  const create = (): Map<string, Buffer> => {
    const made = contents.get(bucket) ?? new Map<string, Buffer>();
    contents.set(bucket, made);
    return made;
  };
  while (at < operations.length) {
    const operation = operations[at++];
    if (operation === 0) return;
    if (operation === 1) bucket = bytes(number()).toString('utf8');
    else if (operation === 2) {
      const keyLength = number();
      const valueLength = number();
      const key = bytes(keyLength).toString('latin1');
      create().set(key, Buffer.from(bytes(valueLength)));
    } else if (operation === 3) contents.get(bucket)?.delete(bytes(number()).toString('latin1'));
    else if (operation === 4) create();
    else if (operation === 5) contents.delete(bucket);
    else if (operation === 6) bytes(number());
    else if (operation === 7) {
      const flags = operations[at++];
      const lowerLength = number();
      const upperLength = number();
      const lower = bytes(lowerLength).toString('latin1');
      const upper = bytes(upperLength).toString('latin1');
      for (const key of [...(contents.get(bucket)?.keys() ?? [])]) {
        const isAbove = (flags & 1) === 0 || key > lower || (key === lower && (flags & 2) === 0);
        const isBelow = (flags & 4) === 0 || key < upper || (key === upper && (flags & 8) === 0);
        if (isAbove && isBelow) contents.get(bucket)?.delete(key);
      }
    } else throw new Error(`operation ${operation} is not known`);
  }
}
