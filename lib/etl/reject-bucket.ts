// Rejects kept in a bucket of the same store, in the same commits as the rows: under the place of the row in the
// source, 15 digits, the reject as it would be a line of NDJSON. A bucket that holds anything but what an earlier run
// of the same import left is refused: a slip of the pen must not cost the user's entries.

import type { StoreBucket } from '../bucket.js';
import type { BulkCompanion } from '../bulk-companion.js';
import { StoreError } from '../errors.js';
import type { TransactionBucket } from '../transaction-bucket.js';
import type { EarlierRejects } from './earlier-rejects.js';
import { REJECT_LINE_START, type Reject, rejectToNdjson } from './reject.js';

/** Past so many bytes rejects should be committed, as they wait in memory. */
const WAITING_BYTES = 8 * 1024 * 1024;
const OFFSET_DIGITS = 15;
const OFFSET = /^\d{15}$/;
const LINE_START = Buffer.from(REJECT_LINE_START);

export class RejectBucket {
  readonly companion: BulkCompanion;
  private waiting: Array<[key: string, value: string]> = [];
  private waitingBytes = 0;
  private hasOld: boolean;

  /**
   * @param earlier What the last run of this import left in the bucket.
   * @throws CONFLICT where the bucket holds anything else.
   */
  constructor(bucket: StoreBucket, earlier: EarlierRejects | undefined) {
    const { name } = bucket;
    const isFilled = holdsOwn(bucket, name, earlier);
    this.hasOld = isFilled && earlier?.goesOn !== true;
    let isChecked = false;
    const isEmpty = (): boolean => !this.hasOld && this.waiting.length === 0;
    this.companion = {
      get isEmpty() {
        return isEmpty();
      },
      write: (transaction) => {
        const rejects = transaction.bucket(name);
        // Again, where no other writer comes between: one may have used the name since the import began.
        if (!isChecked) holdsOwn(rejects, name, earlier);
        isChecked = true;
        if (this.hasOld) transaction.dropBucket(name);
        this.hasOld = false;
        const remade = transaction.bucket(name);
        for (const [key, value] of this.waiting) remade.put(key, value);
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

  async flush(): Promise<void> {}

  /** What waits goes into the last commit. */
  async close(): Promise<void> {}
}

/**
 * Whether the bucket holds anything. Rejects are committed with the position that counts them, so more than it counts
 * are not this import's; fewer can be, as those that were mended may have been deleted.
 */
function holdsOwn(
  bucket: Pick<StoreBucket | TransactionBucket, 'range'>,
  name: string,
  earlier: EarlierRejects | undefined,
): boolean {
  let entries = 0;
  for (const [key, value] of bucket.range()) {
    entries++;
    const isReject =
      OFFSET.test(key.toString('latin1')) && value.subarray(0, LINE_START.length).equals(LINE_START);
    if (!isReject) throw othersBucket(name, 'holds something other than rejects');
    if (earlier === undefined || entries > earlier.rejected)
      throw othersBucket(name, 'holds the rejects of another import, or of one that kept no checkpoint');
  }
  return entries > 0;
}

function othersBucket(name: string, problem: string): StoreError {
  const message = `rejects: the bucket ${JSON.stringify(name)} ${problem}, and is left as it is: name another bucket, or drop it`;
  return new StoreError('CONFLICT', message, { details: { bucket: name, option: 'rejects' } });
}
