// What an engine must be able to do to be timed: each method in the fastest way that its documentation tells of, with
// the durability that the workload asks for.

import type { Entries, Tally } from '../data.js';

export interface OpenSettings {
  /** For what the engine keeps of the file in memory; undefined leaves it as it is by default. */
  readonly cacheBytes?: number;
  /** Whether the process has nothing to do while the disk syncs. Those that block by nature do so either way. */
  readonly mayBlock?: boolean;
}

/** Gives the number and version of each entry to be written, until it gives a negative number. */
export type NextEntry = () => number;

export interface Engine {
  readonly name: string;
  /** The path of a file or folder that holds all of the store. */
  open(path: string, settings?: OpenSettings): Promise<void>;
  close(): Promise<void>;

  /** Stores entries 0 to `count` in order; resolves once they are on the disk. */
  load(entries: Entries, count: number): Promise<void>;

  /** All entries, by the fastest way that there is. */
  scan(tally: Tally): Promise<void>;
  /** All entries, by a synchronous iterator of key and value. */
  scanSync(tally: Tally): void;
  /** All entries, by `for await`. */
  scanAwait(tally: Tally): Promise<void>;
  /** `length` entries from the key on, upwards. */
  range(from: Uint8Array, length: number, tally: Tally): void | Promise<void>;
  get(key: Uint8Array): Uint8Array | undefined;

  /** Writes the numbers as one transaction that is on the disk when it resolves. */
  writeBatch(entries: Entries, numbers: readonly number[], version: number): Promise<void>;
  /** One entry, on the disk when it resolves; may share a sync with others that are under way. */
  put(key: Uint8Array, value: Uint8Array): Promise<void>;

  /** Takes rows of a source: keys and JSON values in the order of the source; on the disk when it resolves. */
  importRows(rows: AsyncIterable<RowSource>): Promise<void>;
  /** Writes all entries as lines of NDJSON, the values being JSON already, to a file. */
  exportNdjson(path: string): Promise<void>;
}

/** Rows that came in together; a row's key and value are valid until the next row is asked for. */
export interface RowSource {
  readonly length: number;
  key(row: number): Buffer;
  value(row: number): Buffer;
}
