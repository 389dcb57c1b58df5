// Where rejects go: a file, a bucket, a stream or a function. Each takes them one by one and says when to wait.

import { Writable } from 'node:stream';
import { type Bucket, StoreBucket } from '../bucket.js';
import type { BulkCompanion } from '../bulk-companion.js';
import { StoreError } from '../errors.js';
import type { EarlierRejects } from './earlier-rejects.js';
import type { RejectFilePosition } from './import-position.js';
import type { Reject } from './reject.js';
import { RejectBucket } from './reject-bucket.js';
import { RejectFile } from './reject-file.js';
import { RejectStream } from './reject-stream.js';

/** The path of an NDJSON file, a bucket of the same store, a stream, or a function that takes rejects. */
export type RejectSink = string | Bucket | Writable | ((reject: Reject) => void | Promise<void>);

/** A sink that is ready to take rejects. */
export interface OpenRejectSink {
  /** What writes them into the commits of the rows. */
  readonly companion?: BulkCompanion;
  /** Whether those that wait for a commit are many. */
  readonly isFull?: boolean;
  /** Of a file: how far it is, which a later run must know to tell that it is this import's. */
  readonly position?: RejectFilePosition;
  /** Makes it ready for the first reject, after the position was saved. */
  begin?(): Promise<void>;
  /** Takes a reject; what it returns must be awaited before the next. */
  write(reject: Reject): void | Promise<void>;
  /** Resolves once all that was taken is safe, or goes into the next commit. */
  flush(): Promise<void>;
  /** Resolves once all that was taken is where it belongs. */
  close(): Promise<void>;
}

/**
 * Makes a sink ready.
 *
 * @throws CONFLICT where the file or bucket holds what is not this import's, INVALID_OPTION where a path cannot be written to, or
 * holds something that is not rejects, and where the bucket is the one that is imported into or another store's.
 */
export async function openRejectSink(
  sink: RejectSink,
  bucket: StoreBucket,
  earlier: EarlierRejects | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenRejectSink> {
  if (typeof sink === 'string') return RejectFile.open(sink, earlier, signal);
  if (typeof sink === 'function') return { write: sink, flush: async () => {}, close: async () => {} };
  if (sink instanceof Writable) return new RejectStream(sink, 'the stream of rejects', false);
  if (sink instanceof StoreBucket && sink.name !== bucket.name && sink.isInStoreOf(bucket))
    return new RejectBucket(sink, earlier);
  const message =
    'rejects: the bucket must be another one of the same store, so that both change in one commit';
  throw new StoreError('INVALID_OPTION', message, { details: { option: 'rejects' } });
}
