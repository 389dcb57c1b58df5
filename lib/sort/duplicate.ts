/** What becomes of entries with one key: the later one stays, the earlier one does, or there must be none. */
import { StoreError } from '../errors.js';

export type OnDuplicate = 'replace' | 'keep' | 'error';

/** DUPLICATE_KEY, naming the key. */
export function duplicateKey(key: Uint8Array): StoreError {
  const own = Buffer.from(key);
  const shown = JSON.stringify(own.toString('utf8'));
  const message = `the key ${shown} comes twice or is in the bucket already: remove one, or load with onDuplicate 'replace' or 'keep'`;
  return new StoreError('DUPLICATE_KEY', message, { details: { key: own } });
}
