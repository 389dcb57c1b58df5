/** Brings a store that was interrupted back to its last commit: does again what the log tells of. */
import { StoreError } from './errors.js';
import { type LogOperations, replayOperations } from './format/log-record.js';
import type { OpenedStore } from './storage/store-open.js';
import { Transaction } from './transaction.js';

/**
 * Replays the log and makes a checkpoint of it. It changes nothing in the file before that checkpoint's
 * meta page, so it can be cut short anywhere and begun again. A read-only store is brought up to date in
 * memory.
 */
export async function recover(opened: OpenedStore): Promise<void> {
  const { store, records, recovery } = opened;
  try {
    for (const record of records) {
      store.resumeAt(record.sequence);
      const transaction = new Transaction(store, () => undefined);
      replayOperations(record.operations, operationsOf(transaction));
      await transaction.commit();
    }
    if (!store.readOnly && !recovery.clean) await store.checkpointNow();
  } catch (error) {
    await store.abandon();
    if (error instanceof StoreError) throw error;
    throw replayFailed(store.file.path, error);
  }
}

function operationsOf(transaction: Transaction): LogOperations {
  return {
    put: (bucket, key, value) => transaction.bucket(bucket).put(key, value),
    delete: (bucket, key) => {
      transaction.bucket(bucket).delete(key);
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
