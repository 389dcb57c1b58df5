// The rejects of one import: counted, the first of them kept, all of them passed on, and too many of them the end.

import type { StoreBucket } from '../bucket.js';
import type { BulkCompanion } from '../bulk-companion.js';
import type { EarlierRejects } from './earlier-rejects.js';
import type { ImportOptions } from './import-options.js';
import type { RejectFilePosition } from './import-position.js';
import type { Reject } from './reject.js';
import { rowRefused } from './reject-messages.js';
import { type OpenRejectSink, openRejectSink } from './reject-sink.js';

const REJECTS_KEPT = 100;
/** Of rows that are kept in memory to the end: a hundred of the longest ones would fill it. */
const RAW_BYTES_KEPT = 4096;

export class RejectLog {
  readonly first: Reject[] = [];

  /**
   * @param count Rejects of an earlier run that this one goes on from.
   * @throws INVALID_OPTION, CONFLICT
   */
  static async open(
    options: ImportOptions,
    bucket: StoreBucket,
    earlier: EarlierRejects | undefined,
    count: number,
  ): Promise<RejectLog> {
    const { onReject = 'collect', rejectsMax = Number.POSITIVE_INFINITY, rejects } = options;
    const sink =
      rejects === undefined ? undefined : await openRejectSink(rejects, bucket, earlier, options.signal);
    return new RejectLog(sink, onReject === 'stop' ? 0 : rejectsMax, count);
  }

  private constructor(
    private readonly sink: OpenRejectSink | undefined,
    private readonly countMax: number,
    /** Rejects so far, those of an earlier run of the same import included. */
    public count: number,
  ) {}

  get companion(): BulkCompanion | undefined {
    return this.sink?.companion;
  }

  /** How far the file of rejects is, where they go to one. */
  get position(): RejectFilePosition | undefined {
    return this.sink?.position;
  }

  /** Whether those that wait for a commit are many. */
  get isFull(): boolean {
    return this.sink?.isFull === true;
  }

  /** To be called before the first reject, once the position is saved. */
  async begin(): Promise<void> {
    await this.sink?.begin?.();
  }

  /** Resolves once all that was taken is safe, or goes into the next commit. */
  async flush(): Promise<void> {
    await this.sink?.flush();
  }

  /** @throws ROW_REJECTED where this one is one too many. */
  async take(reject: Reject): Promise<void> {
    this.count++;
    if (this.first.length < REJECTS_KEPT) this.first.push(abridged(reject));
    await this.sink?.write(reject);
    if (this.count <= this.countMax) return;
    const { countMax } = this;
    throw rowRefused(reject, countMax === 0 ? '' : ` after ${countMax} others, which is as many as may be`);
  }

  async close(): Promise<void> {
    await this.sink?.close();
  }
}

function abridged(reject: Reject): Reject {
  if (reject.raw.length <= RAW_BYTES_KEPT) return reject;
  return { ...reject, raw: Buffer.from(reject.raw.subarray(0, RAW_BYTES_KEPT)) };
}
