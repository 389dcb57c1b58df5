/**
 * The value that the catalog keeps for a bucket's name.
 *
 *      0        4        8                16               24        28           32
 *      +--------+--------+----------------+----------------+---------+------------+- - - - - -+
 *      | root   | root   | entries        | sequence that  | flags   | checkpoint | checkpoint|
 *      | page   | stamp  | (64 bits)      | created it     |         | length     | (UTF-8)   |
 *      +--------+--------+----------------+----------------+---------+------------+- - - - - -+
 *
 * A bucket without entries has no root: page 0. Flag 1: a value below may be large. Flag 2: there is
 * a checkpoint (which may be empty), written by whoever loads into the bucket.
 */
import { StoreError } from '../errors.js';

const ROOT_PAGE_AT = 0;
const ROOT_STAMP_AT = 4;
const ENTRIES_AT = 8;
const CREATED_AT = 16;
const FLAGS_AT = 24;
const CHECKPOINT_LENGTH_AT = 28;
const CHECKPOINT_AT = 32;
const FLAG_LARGE = 1;
const FLAG_CHECKPOINT = 2;

/** A tree as its owner refers to it. */
export interface TreeRoot {
  /** 0: the tree is empty. */
  readonly page: number;
  readonly stamp: number;
  readonly entries: number;
  /** Whether a value in the tree may be large; false is certain. */
  readonly large: boolean;
}

export const EMPTY_TREE: TreeRoot = { page: 0, stamp: 0, entries: 0, large: false };

export interface CatalogRecord {
  readonly root: TreeRoot;
  /** Sequence of the transaction that created the bucket: tells a bucket from a later one of its name. */
  readonly created: number;
  readonly checkpoint: string | undefined;
}

export function encodeCatalogRecord(record: CatalogRecord): Buffer {
  const checkpoint = Buffer.from(record.checkpoint ?? '', 'utf8');
  const bytes = Buffer.alloc(CHECKPOINT_AT + checkpoint.length);
  bytes.writeUInt32LE(record.root.page, ROOT_PAGE_AT);
  bytes.writeUInt32LE(record.root.stamp, ROOT_STAMP_AT);
  bytes.writeBigUInt64LE(BigInt(record.root.entries), ENTRIES_AT);
  bytes.writeBigUInt64LE(BigInt(record.created), CREATED_AT);
  const flags =
    (record.root.large ? FLAG_LARGE : 0) | (record.checkpoint === undefined ? 0 : FLAG_CHECKPOINT);
  bytes.writeUInt32LE(flags, FLAGS_AT);
  bytes.writeUInt32LE(checkpoint.length, CHECKPOINT_LENGTH_AT);
  checkpoint.copy(bytes, CHECKPOINT_AT);
  return bytes;
}

/** Raises PAGE_CORRUPT if the record is not one; `name` is the bucket's, for the message. */
export function decodeCatalogRecord(bytes: Buffer, name: string): CatalogRecord {
  if (
    bytes.length < CHECKPOINT_AT ||
    bytes.length !== CHECKPOINT_AT + bytes.readUInt32LE(CHECKPOINT_LENGTH_AT)
  ) {
    throw damaged(name);
  }
  const entries = Number(bytes.readBigUInt64LE(ENTRIES_AT));
  const created = Number(bytes.readBigUInt64LE(CREATED_AT));
  if (!Number.isSafeInteger(entries) || !Number.isSafeInteger(created)) throw damaged(name);
  const flags = bytes.readUInt32LE(FLAGS_AT);
  return {
    root: {
      page: bytes.readUInt32LE(ROOT_PAGE_AT),
      stamp: bytes.readUInt32LE(ROOT_STAMP_AT),
      entries,
      large: (flags & FLAG_LARGE) !== 0,
    },
    created,
    checkpoint: (flags & FLAG_CHECKPOINT) !== 0 ? bytes.toString('utf8', CHECKPOINT_AT) : undefined,
  };
}

function damaged(name: string): StoreError {
  return new StoreError(
    'PAGE_CORRUPT',
    `the catalog record of bucket ${JSON.stringify(name)} is damaged: restore the store from a backup`,
  );
}
