/** Brings a store that was interrupted back to its last commit: does again what the log tells of. */
import { StoreError } from './errors.js';
import { type LogOperations, type LogRecord, replayOperations } from './format/log-record.js';
import type { Store } from './storage/store.js';
import type { OpenedStore } from './storage/store-open.js';
import { Transaction } from './transaction.js';
import type { TransactionBucket } from './transaction-bucket.js';

/**
 * Replays the log and makes a checkpoint of it. It changes nothing in the file before that checkpoint's
 * meta page, so it can be cut short anywhere and begun again. A read-only store is brought up to date in
 * memory.
 */
export async function recover(opened: OpenedStore): Promise<void> {
  const { store, records, recovery } = opened;
  try {
    await replay(store, records);
    if (!store.readOnly && !recovery.clean) await store.checkpointNow(recovery.metaPageDamaged);
  } catch (error) {
    await store.abandon();
    if (error instanceof StoreError) throw error;
    throw replayFailed(store.file.path, error);
  }
}

/**
 * Does the commits again as one: nobody can see the store between two of them, and each page is copied once
 * for all of them. It gets the sequence of the last, which the records to come continue.
 */
async function replay(store: Store, records: readonly LogRecord[]): Promise<void> {
  const last = records.at(-1);
  if (last === undefined) return;
  store.resumeAt(last.sequence);
  const transaction = new Transaction(store, () => undefined, { replaying: true });
  transaction.record.overflow();
  const operations = operationsOf(transaction);
  for (const record of records) replayOperations(record.operations, operations);
  await transaction.commit();
}

function operationsOf(transaction: Transaction): LogOperations {
  let name: string | undefined;
  let handle: TransactionBucket | undefined;
  const bucketOf = (bucket: string): TransactionBucket => {
    if (handle === undefined || bucket !== name) handle = transaction.bucket(bucket);
    name = bucket;
    return handle;
  };
  return {
    put: (bucket, key, value) => bucketOf(bucket).put(key, value),
    delete: (bucket, key) => {
      bucketOf(bucket).delete(key);
    },
    create: (bucket) => {
      transaction.createBucket(bucket);
    },
    drop: (bucket) => {
      transaction.dropBucket(bucket);
    },
    checkpoint: (bucket, text) => transaction.setCheckpoint(bucket, text),
    deleteRange: (bucket, bounds) => {
      transaction.deleteBounds(bucket, bounds);
    },
  };
}

function replayFailed(path: string, cause: unknown): StoreError {
  const message = `the log of ${path} cannot be replayed: restore both from a backup, or move the log away to open the store at its last checkpoint`;
  return new StoreError('LOG_CORRUPT', message, { cause, details: { path } });
}
