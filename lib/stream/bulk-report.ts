/** What a bulk load tells while it goes on and when it is done. */

/**
 * What a bulk load is at. 'loading': entries go into the bucket as they come. 'sorting': they are put in order
 * first, in memory and in temporary files. 'merging': what was sorted goes into the bucket.
 */
export type BulkPhase = 'loading' | 'sorting' | 'merging';

/** How far a bulk load is. */
export interface BulkProgress {
  readonly phase: BulkPhase;
  /** Entries added so far, those that are not committed yet included. */
  readonly entries: number;
  /** Bytes of their keys and values. */
  readonly bytes: number;
  /** Entries that commits have made durable. */
  readonly entriesCommitted: number;
  readonly commits: number;
  readonly elapsedMilliseconds: number;
  /** Entries added a second, from the beginning on. */
  readonly entriesPerSecond: number;
}

/** What a bulk load did. */
export interface BulkReport extends BulkProgress {
  /** Entries whose key was in the bucket, or came more than once: replaced or kept, as was asked. */
  readonly duplicates: number;
  /** Whether the input ascended throughout, so that there was nothing to sort. */
  readonly sorted: boolean;
}
