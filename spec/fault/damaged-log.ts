// Damage to the log of a store that was killed: opening replays what was committed, or all but the last commit where
// the damage looks like its torn end, or raises a StoreError. Never something else.

import { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import { recover } from '../../lib/recover.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { openOn } from '../../lib/storage/store-open.js';
import { Violation, violationOf } from '../crash/oracle.js';
import { digestOf } from '../crash/state-digest.js';
import { bytesOf, fileOf, storeOptions } from '../helpers/store-bytes.js';

const HALF_BYTES = 4096;
const HALVES_AT = 4096;
const CODES = new Set(['LOG_CORRUPT', 'NOT_A_STORE', 'UNSUPPORTED_VERSION']);

/** Makes what a store's log is of the bytes; a double may let damage through. */
export type LogOf = (bytes: Buffer, records: readonly RecordPlace[]) => StoreFile;

async function openBoth(file: StoreFile, log: StoreFile, readOnly: boolean): Promise<StoreDatabase> {
  const files = { file, log, release: () => file.close() };
  const opened = await openOn(files, storeOptions({ readOnly, logHalfBytes: HALF_BYTES }));
  await recover(opened);
  return new StoreDatabase(opened.store, opened.recovery);
}

/** Where a record lies in the log. */
export interface RecordPlace {
  readonly from: number;
  readonly to: number;
}

/** Notes where each record is written. */
class NotingFile extends MemoryFile {
  last: RecordPlace = { from: 0, to: 0 };

  override writeSync(source: Buffer, offset: number, length: number, position: number): void {
    super.writeSync(source, offset, length, position);
    const isZeros = source.subarray(offset, offset + length).every((byte) => byte === 0);
    if (position >= HALVES_AT && !isZeros) this.last = { from: position, to: position + length };
  }
}

export class DamagedLog {
  images = 0;
  readonly bytes: Buffer;
  private readonly file: Buffer;
  /** Content after each commit, the checkpoint's first. */
  private readonly digests: readonly string[];
  /** The commits since the checkpoint, in the order in which they were made. */
  readonly records: readonly RecordPlace[];
  private readonly logOf: LogOf;

  private constructor(
    file: Buffer,
    bytes: Buffer,
    digests: readonly string[],
    records: readonly RecordPlace[],
    logOf: LogOf,
  ) {
    this.file = file;
    this.bytes = bytes;
    this.digests = digests;
    this.records = records;
    this.logOf = logOf;
  }

  /** Commits until checkpoints have used both halves, then a few more times, and is killed. */
  static async make(logOf: LogOf = fileOf): Promise<DamagedLog> {
    const file = new MemoryFile('store');
    const log = new NotingFile('log');
    const db = await openBoth(file, log, false);
    let digests: string[] = [];
    let records: RecordPlace[] = [];
    for (let i = 0, checkpoints = 0; checkpoints < 3 || records.length < 4; i++) {
      await db.bucket('b').put(`key ${i % 7}`, Buffer.alloc(60 + (i % 5) * 13, `${i}.`));
      await new Promise((resolve) => setImmediate(resolve));
      records.push(log.last);
      digests.push(digestOf(db));
      if (db.stats().checkpoints === checkpoints) continue;
      checkpoints = db.stats().checkpoints;
      digests = digests.slice(-1);
      records = [];
    }
    return new DamagedLog(bytesOf(file), bytesOf(log), digests, records, logOf);
  }

  /** The last byte that tells of anything. */
  get usedBytes(): number {
    return Math.max(...this.records.map(({ to }) => to), this.bytes.findLastIndex((byte) => byte !== 0) + 1);
  }

  async flip(byte: number, bit: number): Promise<void> {
    const damaged = Buffer.from(this.bytes);
    damaged[byte] ^= 1 << bit;
    const last = this.records[this.records.length - 1];
    const isLast = byte >= last.from && byte < last.to;
    await this.expectHarmless(damaged, this.digests.slice(isLast ? -2 : -1), `bit ${bit} of byte ${byte}`);
  }

  /** A log that ends early has lost its last commits, and looks as if they had never been. */
  async cut(length: number): Promise<void> {
    await this.expectHarmless(this.bytes.subarray(0, length), this.digests, `cut at byte ${length}`);
  }

  private async expectHarmless(damaged: Buffer, allowed: readonly string[], where: string): Promise<void> {
    for (const readOnly of [true, false]) {
      this.images++;
      const log = this.logOf(damaged, this.records);
      try {
        const db = await openBoth(fileOf(this.file), log, readOnly);
        const found = digestOf(db);
        if (!allowed.includes(found))
          throw new Violation(`${where}: it has ${found}, not ${allowed.join(' or ')}`);
        if (!(await db.check()).ok) throw new Violation(`${where}: its check finds something`);
        await db.close();
      } catch (error) {
        if (error instanceof StoreError && CODES.has(error.code)) continue;
        throw violationOf(where, error);
      }
    }
  }
}
