// What opening a file or a stream comes to.

/** Bytes as they are stored, be they compressed. */
export interface OpenedSource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes that were left out at the beginning. */
  readonly skipped: number;
  /** Bytes in all, where that is known. */
  readonly bytesTotal: number | undefined;
  /** Lets go of what was opened, at once and even while a chunk is awaited; harmless when done before. */
  close(): void;
}
