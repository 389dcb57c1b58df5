// NDJSON from chunks of bytes to batches of rows.

import type { NdjsonBatch } from './ndjson-batch.js';
import { NdjsonScanner } from './ndjson-scanner.js';
import { resolveRowBytesMax, splitRecords } from './record-splitter.js';
import { SOURCE_START, type SourcePosition } from './row-batch.js';

/** How NDJSON is read. */
export interface NdjsonOptions {
  /** Longest row, in bytes; longer ones become rejects. 16 MiB by default, 256 MiB at most. */
  rowBytesMax?: number;
  /** Where in the source the first chunk stands, for going on after a batch whose `next` it was. */
  position?: SourcePosition;
  /**
   * Names of members that are all that will be asked for of most rows: their places are found without making
   * an object of each row.
   */
  members?: readonly string[];
}

/**
 * The rows of NDJSON: one object a line, blank lines between them. Each batch, and every view into it, is valid
 * until the next one is asked for. Lines that cannot be taken are in the batches' `rejects`; none is left out.
 *
 * @throws INVALID_OPTION, naming the option.
 * @throws SOURCE_INVALID where the source is UTF-16.
 *
 * @example
 * ```ts
 * for await (const batch of openNdjson(openSource('orders.ndjson'))) {
 *   for (let row = 0; row < batch.length; row++) console.log(batch.line(row), batch.object(row));
 * }
 * ```
 */
export function openNdjson(
  chunks: AsyncIterable<Uint8Array>,
  options: NdjsonOptions = {},
): AsyncGenerator<NdjsonBatch, void, undefined> {
  const { position = SOURCE_START } = options;
  const scanner = new NdjsonScanner(resolveRowBytesMax(options.rowBytesMax), position.line, options.members);
  return splitRecords(chunks, scanner, position);
}
