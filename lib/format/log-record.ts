/**
 * A record of the pending log: what one small commit did, so that it can be done again.
 *
 *      0         4         8                16               24               32
 *      +---------+---------+----------------+----------------+----------------+- - - - - - -+- -+
 *      | CRC32C  | length  | generation     | sequence       | sequence of    | operations  |pad|
 *      |         | (bytes) | (64 bits)      | (64 bits)      | commit before  |             |   |
 *      +---------+---------+----------------+----------------+----------------+- - - - - - -+- -+
 *
 *      operation          1         1 or 2 numbers of 32 bits     their bytes
 *                         +---------+-----------+-----------+-----+-------+
 *      1  bucket          | 1       | length    |           | name|       |  the bucket of what follows
 *      2  put             | 2       | key length| value len.| key | value |
 *      3  delete          | 3       | key length|           | key |       |
 *      4  create bucket   | 4       |           |           |     |       |
 *      5  drop bucket     | 5       |           |           |     |       |
 *      6  checkpoint      | 6       | length    |           | text|       |
 *      7  delete range    | 7       | flags, lower and upper bound as below
 *
 *      delete range       | 7 | flags (1 byte) | lower length | upper length | lower | upper |
 *                         flags: 1 lower given, 2 lower open, 4 upper given, 8 upper open
 *
 * The CRC32C covers bytes 4 to the end and begins with that of the store's id, so that a record of
 * another store does not hold. Each record names the commit before it: a chain without a gap is what
 * makes it sure that none was lost between two. Records begin at multiples of eight bytes; the padding is zero.
 */
import { crc32c } from './checksum.js';

const CHECKSUM_AT = 0;
const LENGTH_AT = 4;
const GENERATION_AT = 8;
const SEQUENCE_AT = 16;
const PREVIOUS_AT = 24;
const OPERATIONS_AT = 32;
export const LOG_RECORD_HEADER_BYTES = OPERATIONS_AT;
/** Records begin at multiples of this. */
export const RECORD_ALIGNMENT = 8;

const OP_BUCKET = 1;
const OP_PUT = 2;
const OP_DELETE = 3;
const OP_CREATE = 4;
const OP_DROP = 5;
const OP_CHECKPOINT = 6;
const OP_DELETE_RANGE = 7;

/** Bounds as a range deletion keeps them. */
export interface LoggedBounds {
  readonly lower?: Uint8Array;
  readonly lowerOpen?: boolean;
  readonly upper?: Uint8Array;
  readonly upperOpen?: boolean;
}

/** What replaying a record calls, in the order in which it was done. */
export interface LogOperations {
  put(bucket: string, key: Buffer, value: Buffer): void;
  delete(bucket: string, key: Buffer): void;
  create(bucket: string): void;
  drop(bucket: string): void;
  checkpoint(bucket: string, text: string): void;
  deleteRange(bucket: string, bounds: LoggedBounds): void;
}

/** Gathers the operations of a transaction, until they are more than a record is to hold. */
export class LogRecordWriter {
  private bytes = Buffer.alloc(512);
  private length = OPERATIONS_AT;
  private bucket: string | undefined;
  private readonly bytesMax: number;
  private tooLong = false;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Whether the operations did not fit, or were not all told: then there is no record of them. */
  get overflowed(): boolean {
    return this.tooLong;
  }

  /** Gives the record up: what the transaction did cannot be told by operations. */
  overflow(): void {
    this.tooLong = true;
    this.bytes = EMPTY;
  }

  put(bucket: string, key: Uint8Array, value: Uint8Array): void {
    if (!this.begin(bucket, OP_PUT, 8 + key.length + value.length)) return;
    this.number(key.length);
    this.number(value.length);
    this.append(key);
    this.append(value);
  }

  delete(bucket: string, key: Uint8Array): void {
    if (!this.begin(bucket, OP_DELETE, 4 + key.length)) return;
    this.number(key.length);
    this.append(key);
  }

  create(bucket: string): void {
    this.begin(bucket, OP_CREATE, 0);
  }

  drop(bucket: string): void {
    this.begin(bucket, OP_DROP, 0);
  }

  checkpoint(bucket: string, text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    if (!this.begin(bucket, OP_CHECKPOINT, 4 + bytes.length)) return;
    this.number(bytes.length);
    this.append(bytes);
  }

  deleteRange(bucket: string, bounds: LoggedBounds): void {
    const { lower = EMPTY, upper = EMPTY } = bounds;
    if (!this.begin(bucket, OP_DELETE_RANGE, 9 + lower.length + upper.length)) return;
    let flags = bounds.lower === undefined ? 0 : 1;
    if (bounds.lowerOpen === true) flags |= 2;
    if (bounds.upper !== undefined) flags |= 4;
    if (bounds.upperOpen === true) flags |= 8;
    this.bytes[this.length++] = flags;
    this.number(lower.length);
    this.number(upper.length);
    this.append(lower);
    this.append(upper);
  }

  /** The whole record; the writer holds no operation after it. Undefined if they overflowed. */
  finish(generation: number, sequence: number, previous: number, storeId: Uint8Array): Buffer | undefined {
    if (this.tooLong) return undefined;
    const length = (this.length + 7) & ~7;
    this.reserve(8);
    this.bytes.fill(0, this.length, length);
    const record = this.bytes.subarray(0, length);
    record.writeUInt32LE(length, LENGTH_AT);
    record.writeBigUInt64LE(BigInt(generation), GENERATION_AT);
    record.writeBigUInt64LE(BigInt(sequence), SEQUENCE_AT);
    record.writeBigUInt64LE(BigInt(previous), PREVIOUS_AT);
    record.writeUInt32LE(recordChecksum(record, storeId), CHECKSUM_AT);
    return record;
  }

  private begin(bucket: string, operation: number, bytes: number): boolean {
    if (this.tooLong) return false;
    if (bucket !== this.bucket) {
      const name = Buffer.from(bucket, 'utf8');
      if (!this.start(OP_BUCKET, 4 + name.length)) return false;
      this.number(name.length);
      this.append(name);
      this.bucket = bucket;
    }
    return this.start(operation, bytes);
  }

  private start(operation: number, bytes: number): boolean {
    if (this.length + 1 + bytes > this.bytesMax) {
      this.overflow();
      return false;
    }
    this.reserve(1 + bytes + 8);
    this.bytes[this.length++] = operation;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.length + bytes, this.bytes.length * 4));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  private number(value: number): void {
    this.bytes.writeUInt32LE(value, this.length);
    this.length += 4;
  }

  private append(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
}

const EMPTY = Buffer.alloc(0);

function recordChecksum(record: Buffer, storeId: Uint8Array): number {
  return crc32c(record.subarray(LENGTH_AT), crc32c(storeId));
}

export interface LogRecord {
  readonly generation: number;
  readonly sequence: number;
  /** Sequence of the commit before. */
  readonly previous: number;
  readonly length: number;
  /** The bytes of its operations. */
  readonly operations: Buffer;
}

/** The generation that a record at `at` would be of, were there one: a quick look before its checksum. */
export function recordGeneration(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + GENERATION_AT) + bytes.readUInt32LE(at + GENERATION_AT + 4) * 0x1_0000_0000;
}

/** The record at `at`, or undefined if there is no whole record of this store. */
export function decodeLogRecord(bytes: Buffer, at: number, storeId: Uint8Array): LogRecord | undefined {
  if (at + LOG_RECORD_HEADER_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32LE(at + LENGTH_AT);
  if (length < LOG_RECORD_HEADER_BYTES || at + length > bytes.length || (length & 7) !== 0) return undefined;
  const record = bytes.subarray(at, at + length);
  if (record.readUInt32LE(CHECKSUM_AT) !== recordChecksum(record, storeId)) return undefined;
  return {
    generation: Number(record.readBigUInt64LE(GENERATION_AT)),
    sequence: Number(record.readBigUInt64LE(SEQUENCE_AT)),
    previous: Number(record.readBigUInt64LE(PREVIOUS_AT)),
    length,
    operations: record.subarray(OPERATIONS_AT),
  };
}

/** Reads the operations of a record one after the other. Raises RangeError where they end too early. */
class OperationReader {
  private readonly operations: Buffer;
  private at = 0;

  constructor(operations: Buffer) {
    this.operations = operations;
  }

  get isAtEnd(): boolean {
    return this.at === this.operations.length;
  }

  byte(): number {
    return this.operations[this.take(1)];
  }

  number(): number {
    return this.operations.readUInt32LE(this.take(4));
  }

  bytes(length: number): Buffer {
    const from = this.take(length);
    return this.operations.subarray(from, this.at);
  }

  /** Goes on by so many bytes; returns where they begin. */
  private take(length: number): number {
    const from = this.at;
    if (from + length > this.operations.length)
      throw new RangeError(`${length} bytes were expected at byte ${from} of ${this.operations.length}`);
    this.at += length;
    return from;
  }

  /** Bytes behind their length. */
  counted(): Buffer {
    return this.bytes(this.number());
  }
}

/** Does a record's operations again. Raises RangeError if they contradict themselves. */
export function replayOperations(operations: Buffer, target: LogOperations): void {
  const reader = new OperationReader(operations);
  let bucket = '';
  while (!reader.isAtEnd) {
    const operation = reader.byte();
    if (operation === 0) return;
    if (operation === OP_BUCKET) bucket = reader.counted().toString('utf8');
    else replayOperation(operation, bucket, reader, target);
  }
}

function replayOperation(
  operation: number,
  bucket: string,
  reader: OperationReader,
  target: LogOperations,
): void {
  switch (operation) {
    case OP_PUT: {
      const keyLength = reader.number();
      const valueLength = reader.number();
      target.put(bucket, reader.bytes(keyLength), reader.bytes(valueLength));
      break;
    }
    case OP_DELETE:
      target.delete(bucket, reader.counted());
      break;
    case OP_CREATE:
      target.create(bucket);
      break;
    case OP_DROP:
      target.drop(bucket);
      break;
    case OP_CHECKPOINT:
      target.checkpoint(bucket, reader.counted().toString('utf8'));
      break;
    case OP_DELETE_RANGE:
      target.deleteRange(bucket, readBounds(reader));
      break;
    default:
      throw new RangeError(`operation ${operation} is not known`);
  }
}

function readBounds(reader: OperationReader): LoggedBounds {
  const flags = reader.byte();
  const lowerLength = reader.number();
  const upperLength = reader.number();
  const lower = reader.bytes(lowerLength);
  const upper = reader.bytes(upperLength);
  return {
    lower: (flags & 1) !== 0 ? lower : undefined,
    lowerOpen: (flags & 2) !== 0,
    upper: (flags & 4) !== 0 ? upper : undefined,
    upperOpen: (flags & 8) !== 0,
  };
}
