// Where rejects go: a file, a stream or a function. Each takes them one by one and says when to wait.

import type { Writable } from 'node:stream';
import type { Reject } from './reject.js';
import { openRejectFile } from './reject-file.js';
import { RejectStream } from './reject-stream.js';

/** The path of an NDJSON file, a stream, or a function that takes rejects. */
export type RejectSink = string | Writable | ((reject: Reject) => void | Promise<void>);

/** A sink that is ready to take rejects. */
export interface OpenRejectSink {
  /** Takes a reject; what it returns must be awaited before the next. */
  write(reject: Reject): void | Promise<void>;
  /** Resolves once all that was taken is where it belongs. */
  close(): Promise<void>;
}

/**
 * Makes a sink ready.
 *
 * @throws INVALID_OPTION where the path cannot be written to, or holds something that is not rejects.
 */
export async function openRejectSink(sink: RejectSink): Promise<OpenRejectSink> {
  if (typeof sink === 'string') return openRejectFile(sink);
  if (typeof sink === 'function') return { write: sink, close: async () => {} };
  return new RejectStream(sink, 'the stream of rejects', false);
}
