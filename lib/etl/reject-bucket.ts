// Rejects kept in a bucket of the same store, in the same commits as the rows: under the place of the row in the
// source, 15 digits, the reject as it would be a line of NDJSON.

import type { StoreBucket } from '../bucket.js';
import type { BulkCompanion } from '../bulk-companion.js';
import { type Reject, rejectToNdjson } from './reject.js';

/** Past so many bytes rejects should be committed, as they wait in memory. */
const WAITING_BYTES = 8 * 1024 * 1024;
const OFFSET_DIGITS = 15;

export class RejectBucket {
  readonly companion: BulkCompanion;
  private waiting: Array<[key: string, value: string]> = [];
  private waitingBytes = 0;
  private hasOld: boolean;

  /** @param keepsOld Whether what is in the bucket is of this import. */
  constructor(bucket: StoreBucket, keepsOld: boolean) {
    const { name } = bucket;
    this.hasOld = !keepsOld;
    const isEmpty = (): boolean => !this.hasOld && this.waiting.length === 0;
    this.companion = {
      get isEmpty() {
        return isEmpty();
      },
      write: (transaction) => {
        if (this.hasOld) transaction.dropBucket(name);
        this.hasOld = false;
        const rejects = transaction.bucket(name);
        for (const [key, value] of this.waiting) rejects.put(key, value);
        this.waiting = [];
        this.waitingBytes = 0;
      },
    };
  }

  get isFull(): boolean {
    return this.waitingBytes >= WAITING_BYTES;
  }

  write(reject: Reject): void {
    const value = rejectToNdjson(reject).trimEnd();
    this.waiting.push([String(reject.byteOffset).padStart(OFFSET_DIGITS, '0'), value]);
    this.waitingBytes += value.length;
  }

  async flush(): Promise<undefined> {}

  /** What waits goes into the last commit. */
  async close(): Promise<void> {}
}
