/**
 * The file `<path>.pending` beside a store that is open for writing: a header that names the process
 * that holds the store, and records of the commits since the last checkpoint. A clean close removes
 * it, so one that is there at opening tells of an interrupted run.
 *
 *      0                 8          12                28        32         512      516       4096
 *      +-----------------+----------+-----------------+---------+- - - - - -+--------+- - - - -+- - - -
 *      | magic           | format   | the store's id  | CRC32C  | zeros     | process| zeros   | halves
 *      | "btreepnd"      | version  | (16 bytes)      | 0 to 27 |           | id     |         |
 *      +-----------------+----------+-----------------+---------+- - - - - -+--------+- - - - -+- - - -
 *
 * The process id changes with each opening and stands in a sector of its own, so that nothing that
 * matters is ever written twice; it is a courtesy to whoever finds the store locked.
 *
 *      4096                                   4096 + half
 *      +---------+---------+- - - - - - - - - +---------+---------+- - - - - - - -
 *      | record  | record  |  even generation | record  | record  |  odd generation
 *      +---------+---------+- - - - - - - - - +---------+---------+- - - - - - - -
 *
 * Records of a generation stand in its half. A checkpoint switches halves when it begins and makes
 * the half it left behind worthless when it is durable; only the checkpoint after it writes there
 * again. So at any time the records after the last durable meta page are whole in one half or two.
 */
import { StoreError } from '../errors.js';
import { crc32c } from '../format/checksum.js';
import {
  decodeLogRecord,
  LOG_RECORD_HEADER_BYTES,
  type LogRecord,
  RECORD_ALIGNMENT,
  recordGeneration,
} from '../format/log-record.js';
import { STORE_ID_BYTES } from '../format/meta-page.js';
import type { OpenOptions } from '../options.js';
import type { StoreFile } from './store-file.js';

const MAGIC = Buffer.from('btreepnd', 'latin1');
const VERSION_AT = 8;
const STORE_ID_AT = 12;
const CHECKSUM_AT = 28;
const PID_AT = 512;
const HEADER_BYTES = 516;
/** 1 had halves of half the size. */
const VERSION = 2;
const HALVES_AT = 4096;

/** Bytes of a half. Doing again what a full one tells of takes some tenths of a second. */
export const LOG_HALF_BYTES = 16 * 1024 * 1024;
/** The file is written ahead in steps of this, so that a record's sync need not change the file's size. */
const GROW_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(GROW_BYTES);
/** Past this part of a half a checkpoint is due. */
const FULL_PART = 1 / 2;

/** Who waits for the disk: a thread beside the event loop, or the event loop itself. */
export type SyncThread = NonNullable<OpenOptions['syncOn']>;

export class PendingLog {
  private readonly file: StoreFile;
  private readonly storeId: Buffer;
  private readonly halfBytesMax: number;
  private generation = 0;
  private position = 0;
  /** How far each half has been written, records or zeros. */
  private readonly grown = [0, 0];

  /** `halfBytesMax` is where the second half begins: the same at each opening of one log. */
  constructor(file: StoreFile, storeId: Buffer, halfBytesMax = LOG_HALF_BYTES) {
    this.file = file;
    this.storeId = storeId;
    this.halfBytesMax = halfBytesMax;
  }

  /** The generation that records are written under. */
  get currentGeneration(): number {
    return this.generation;
  }

  get isFull(): boolean {
    return this.position > this.halfBytesMax * FULL_PART;
  }

  hasRoom(bytes: number): boolean {
    return this.position + bytes <= this.halfBytesMax;
  }

  /** Raises LOG_CORRUPT if the log is that of another store; `fresh`: a new store, which no log can be of. */
  checkStore(fresh: boolean): void {
    const header = readPendingHeader(this.file);
    if (fresh || header === undefined || header.storeId.equals(this.storeId)) return;
    throw this.corrupt('it is the log of another store');
  }

  /** Makes the header if there is none of this store yet, synced before any record, and notes the holder. */
  async begin(pid: number): Promise<void> {
    const header = Buffer.alloc(HALVES_AT);
    MAGIC.copy(header);
    header.writeUInt32LE(VERSION, VERSION_AT);
    this.storeId.copy(header, STORE_ID_AT);
    header.writeUInt32LE(crc32c(header.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
    header.writeUInt32LE(pid, PID_AT);
    if (readPendingHeader(this.file)?.storeId.equals(this.storeId) === true) {
      await this.file.write(header, PID_AT, 4, PID_AT);
      return;
    }
    // Whatever else is here is an orphan, or a header whose making was cut short. Zeros of its length come
    // first: what a crash leaves of it stands in a file that is too short for any record, and is known by that.
    await this.file.truncate(0);
    await this.file.truncate(HALVES_AT);
    await this.file.sync();
    await this.file.write(header, 0, header.length, 0);
    await this.file.sync();
  }

  /** Goes on in the half of another generation, from its beginning. */
  switchTo(generation: number): void {
    this.generation = generation;
    this.position = 0;
  }

  /** Writes a record behind the others; it counts once it is synced. If this fails, nothing has changed. */
  append(record: Buffer): void {
    const start = this.halfAt(this.generation % 2);
    this.growFor(start, record.length);
    this.file.writeSync(record, 0, record.length, start + this.position);
    this.position += record.length;
  }

  /** Makes what was appended durable: by another thread, or holding up the event loop. One that fails is final. */
  sync(on: SyncThread): Promise<void> | undefined {
    if (on === 'thread') return this.file.sync();
    this.file.syncSync();
    return undefined;
  }

  private growFor(start: number, bytes: number): void {
    const half = this.generation % 2;
    while (this.grown[half] < Math.min(this.position + bytes, this.halfBytesMax)) {
      const length = Math.min(GROW_BYTES, this.halfBytesMax - this.grown[half]);
      // Zeros over old records do no harm: what stands here is of a generation that is done with.
      this.file.writeSync(ZEROS, 0, length, start + this.grown[half]);
      this.grown[half] += length;
    }
  }

  /**
   * The records of commits after `sequence`, in order, that continue the checkpoint `generation`. They
   * end at the first that is torn or stale: it was never acknowledged. Raises LOG_CORRUPT where one
   * further on shows that commits between were lost.
   */
  read(generation: number, sequence: number): LogRecord[] {
    const records: LogRecord[] = [];
    let last = sequence;
    for (const next of [generation, generation + 1]) {
      for (const record of this.readHalf(next, last)) {
        if (record.sequence <= last) continue;
        if (record.previous !== last)
          throw this.corrupt(`commits between ${last} and ${record.sequence} are missing in it`);
        records.push(record);
        last = record.sequence;
      }
    }
    if ([0, 1].some((half) => (this.firstRecord(half)?.generation ?? 0) > generation + 1)) {
      throw this.corrupt(
        'it continues a later checkpoint than the store has, so a meta page of the store was lost',
      );
    }
    return records;
  }

  private corrupt(what: string): StoreError {
    const message = `${this.file.path} does not fit the store: ${what}. Restore both from a backup, or move the log away to open the store at its last checkpoint`;
    return new StoreError('LOG_CORRUPT', message, { details: { path: this.file.path } });
  }

  private firstRecord(half: number): LogRecord | undefined {
    return decodeLogRecord(this.halfBytes(half), 0, this.storeId);
  }

  /** `known` is the last commit that the store is known to have without it. */
  private readHalf(generation: number, known: number): LogRecord[] {
    const bytes = this.halfBytes(generation % 2);
    const records: LogRecord[] = [];
    let at = 0;
    let last = 0;
    for (;;) {
      const record = decodeLogRecord(bytes, at, this.storeId);
      if (record === undefined || record.generation !== generation || record.sequence <= last) break;
      records.push(record);
      last = record.sequence;
      at += record.length;
    }
    this.assertEnd(bytes, at, generation, Math.max(last, known));
    return records;
  }

  /**
   * A record is appended only once the one before is synced, so the last may be torn, but none before it:
   * one of the generation further on tells of damage. Not so one of a commit that the store has: recovery from a
   * checkpoint that was cut short makes it again under the same number, over records of the run before.
   */
  private assertEnd(bytes: Buffer, end: number, generation: number, last: number): void {
    for (
      let at = end + RECORD_ALIGNMENT;
      at + LOG_RECORD_HEADER_BYTES <= bytes.length;
      at += RECORD_ALIGNMENT
    ) {
      if (recordGeneration(bytes, at) !== generation) continue;
      const record = decodeLogRecord(bytes, at, this.storeId);
      if (record !== undefined && record.sequence > last)
        throw this.corrupt(`a record between the commits ${last} and ${record.sequence} is damaged`);
    }
  }

  private halfAt(half: number): number {
    return HALVES_AT + half * this.halfBytesMax;
  }

  private halfBytes(half: number): Buffer {
    const start = this.halfAt(half);
    // What the file does not have yet need not be made room for.
    const bytes = Buffer.alloc(Math.max(0, Math.min(this.halfBytesMax, this.file.size() - start)));
    const read = this.file.readSync(bytes, 0, bytes.length, start);
    return bytes.subarray(0, read);
  }
}

/** Empties the log of a store that is gone, so that it cannot be met beside the new one. */
export async function forgetLog(file: StoreFile): Promise<void> {
  if (file.size() === 0) return;
  // Raises if it is no log at all.
  readPendingHeader(file);
  await file.truncate(0);
  await file.sync();
}

export interface PendingHeader {
  readonly pid: number;
  readonly storeId: Buffer;
}

/**
 * The header of a pending file, or undefined where there is none yet: an empty file, or one whose
 * making was cut short before any record. Raises NOT_A_STORE for a file of another kind.
 */
export function readPendingHeader(file: StoreFile): PendingHeader | undefined {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const read = file.readSync(bytes, 0, bytes.length, 0);
  const whole =
    read === HEADER_BYTES && bytes.readUInt32LE(CHECKSUM_AT) === crc32c(bytes.subarray(0, CHECKSUM_AT));
  if (!whole || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    const size = file.size();
    if (size === 0 || size === HALVES_AT || bytes.every((byte) => byte === 0)) return undefined;
    const message = `${file.path} is not a whole btree-store log: move it away, then open the store again`;
    throw new StoreError('NOT_A_STORE', message, { details: { path: file.path } });
  }
  const version = bytes.readUInt32LE(VERSION_AT);
  if (version !== VERSION) {
    const advice =
      version > VERSION
        ? 'open the store with a newer release'
        : 'open the store once with the release that wrote it, and close it';
    const message = `${file.path} has format version ${version}, this library reads version ${VERSION}: ${advice}`;
    throw new StoreError('UNSUPPORTED_VERSION', message, { details: { version } });
  }
  return {
    pid: bytes.readUInt32LE(PID_AT),
    storeId: Buffer.from(bytes.subarray(STORE_ID_AT, STORE_ID_AT + STORE_ID_BYTES)),
  };
}
