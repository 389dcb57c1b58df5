// What an import tells while it goes on, when it is done, and when it fails.

import type { BulkPhase } from '../stream/bulk-report.js';
import type { Reject } from './reject.js';

/** How far an import is. */
export interface ImportProgress {
  /**
   * 'loading': rows go into the bucket as they come. 'sorting': they are put in order first. 'merging': what was
   * sorted goes into the bucket, mostly after the source has come to its end.
   */
  readonly phase: BulkPhase;
  /** Rows taken so far, those that are not committed yet included. */
  readonly rows: number;
  /** Those of them that are committed. */
  readonly rowsCommitted: number;
  /** Rows that could not be taken. */
  readonly rejected: number;
  /** Bytes of the source read so far, as they are stored, be they compressed. */
  readonly bytesRead: number;
  /** Bytes of the source in all, as they are stored; undefined where that is not known, as for streams. */
  readonly bytesTotal: number | undefined;
  readonly elapsedMilliseconds: number;
  /** Rows taken a second since the beginning of this run, without those of an earlier one that it goes on from. */
  readonly rowsPerSecond: number;
  /**
   * Time left at the pace of the last second or so; undefined where the size of the source is not known, and
   * while rows are merged after its end.
   */
  readonly remainingMilliseconds: number | undefined;
}

/** How far an earlier run of an import had come. */
export interface EarlierRun {
  /** Whether it had come to the end: then nothing was left to do. */
  readonly complete: boolean;
  readonly rows: number;
  readonly rejected: number;
  /** Where the first row stands that it had not taken; bytes after decompression, lines counted from 1. */
  readonly byteOffset: number;
  readonly line: number;
}

/** What an import did. */
export interface ImportReport {
  /** Rows taken, those included whose key came before or was in the bucket. All of them are committed. */
  readonly rows: number;
  /** Rows that could not be taken. */
  readonly rejected: number;
  /** Rows whose key came before or was in the bucket: they replaced or left the earlier one, as was asked. */
  readonly duplicates: number;
  /** Lines with nothing on them, which are no rows. */
  readonly blankLines: number;
  /** Bytes of the source, as they are stored, be they compressed. */
  readonly bytesRead: number;
  readonly elapsedMilliseconds: number;
  readonly commits: number;
  /** Whether the keys ascended throughout, so that there was nothing to sort. */
  readonly sorted: boolean;
  /** What an earlier run of the same import had done, which this one went on from; its counts are in all others. */
  readonly earlier: EarlierRun | undefined;
  /** The first 100 rejects; of each row at most the first 4096 bytes. */
  readonly rejects: readonly Reject[];
}

/** What the `details` of an import's errors say, besides those of the error that stopped it. */
export interface ImportFailureDetails {
  /** Rows that are committed and stay. */
  readonly rows: number;
  /** Rows refused until then. */
  readonly rejected: number;
  /** Bytes of the source read until then, as they are stored. */
  readonly bytesRead: number;
  readonly commits: number;
}
