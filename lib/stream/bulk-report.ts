/** What a bulk load tells while it goes on and when it is done. */

/** How far a bulk load is. */
export interface BulkProgress {
  /** Entries added so far, those that are not committed yet included. */
  readonly entries: number;
  /** Bytes of their keys and values. */
  readonly bytes: number;
  /** Entries that commits have made durable. */
  readonly entriesCommitted: number;
  readonly commits: number;
  readonly elapsedMilliseconds: number;
}

/** What a bulk load did. */
export interface BulkReport extends BulkProgress {
  /** Entries whose key was in the bucket, or came more than once: replaced or kept, as was asked. */
  readonly duplicates: number;
  /** Whether the input ascended throughout, so that all of it went in from the bottom up. */
  readonly sorted: boolean;
}
