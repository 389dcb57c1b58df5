/** What becomes of entries with one key: the later one stays, the earlier one does, or there must be none. */
import { StoreError } from '../errors.js';

export type OnDuplicate = 'replace' | 'keep' | 'error';

/** DUPLICATE_KEY, naming the key. */
export function duplicateKey(key: Uint8Array): StoreError {
  const own = Buffer.from(key);
  const message = duplicateMessage(JSON.stringify(own.toString('utf8')));
  return new StoreError('DUPLICATE_KEY', message, { details: { key: own } });
}

/** What is wrong, with the key as it is to be shown. */
export function duplicateMessage(key: string): string {
  return `the key ${key} comes twice or is in the bucket already: remove one, or load with onDuplicate 'replace' or 'keep'`;
}
