// From chunks, cut anywhere, to batches of whole records. What a record is, a scanner knows, one for each
// format; here is what they share: the bytes that wait for the rest of their record, the bound on how many
// may wait, and the byte order mark.

import { StoreError } from '../errors.js';
import { RecordBlock } from './record-block.js';
import type { RowBatch, SourcePosition } from './row-batch.js';

// Longest row, in bytes, where no other bound is given.
const ROW_BYTES_MAX_DEFAULT = 16 * 1024 * 1024;
// Highest bound that may be given: a row must fit into a JavaScript string.
const ROW_BYTES_MAX_LIMIT = 256 * 1024 * 1024;

// Larger chunks are taken in pieces, so that a batch holds the event loop for a few milliseconds at most.
const PIECE_BYTES = 256 * 1024;
// A record of less than this that is not whole yet is looked at again with each chunk.
const RESCAN_BYTES = 4096;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Cuts records off a block. */
export interface RecordScanner<Batch extends RowBatch> {
  /** Rows longer than this are refused. */
  readonly rowBytesMax: number;
  /** Moves `block.start` past the whole records and the oversize ones, and tells what they hold; used again. */
  scan(block: RecordBlock): Batch;
}

/** @throws INVALID_OPTION where the bound is not a whole number from 1 to 256 MiB. */
export function resolveRowBytesMax(rowBytesMax: number = ROW_BYTES_MAX_DEFAULT): number {
  if (Number.isInteger(rowBytesMax) && rowBytesMax >= 1 && rowBytesMax <= ROW_BYTES_MAX_LIMIT)
    return rowBytesMax;
  const message = `rowBytesMax: ${rowBytesMax} is not a whole number of bytes from 1 to ${ROW_BYTES_MAX_LIMIT}`;
  throw new StoreError('INVALID_OPTION', message, { details: { option: 'rowBytesMax' } });
}

/**
 * Batches of rows. Memory stays within a few times `rowBytesMax`, and usually within a megabyte.
 *
 * @throws SOURCE_INVALID where the source begins as UTF-16 does.
 */
export async function* splitRecords<Batch extends RowBatch>(
  chunks: AsyncIterable<Uint8Array>,
  scanner: RecordScanner<Batch>,
  position: SourcePosition,
): AsyncGenerator<Batch, void, undefined> {
  const block = new RecordBlock(position);
  let begun = position.byteOffset > 0;
  let waitFor = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      block.append(chunk.subarray(from, from + PIECE_BYTES));
      if (block.end - block.start < waitFor) continue;
      begun ||= skipByteOrderMark(block);
      if (!begun) continue;
      const batch = scanner.scan(block);
      waitFor = rescanBytes(block, scanner.rowBytesMax);
      if (holdsAnything(batch)) yield batch;
    }
  }
  block.final = true;
  if (!begun) skipByteOrderMark(block);
  const batch = scanner.scan(block);
  if (holdsAnything(batch)) yield batch;
}

/** How long what is left must be to be scanned again: twice as long, or a record in many chunks takes squared time. */
function rescanBytes(block: RecordBlock, rowBytesMax: number): number {
  const left = block.end - block.start;
  if (left < RESCAN_BYTES) return 0;
  // Past its bound a record is given up: waiting for more would only take memory.
  return Math.max(left + 1, Math.min(left * 2, rowBytesMax + 2));
}

function holdsAnything(batch: RowBatch): boolean {
  return batch.length > 0 || batch.rejects.length > 0 || batch.blankLines > 0;
}

/** False where there are too few bytes to tell. */
function skipByteOrderMark(block: RecordBlock): boolean {
  const head = block.bytes.subarray(0, block.end);
  if (head.length < BYTE_ORDER_MARK.length && !block.final) return false;
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new StoreError(
      'SOURCE_INVALID',
      'the source is UTF-16, not UTF-8; convert it, for example with iconv',
    );
  }
  if (head.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) block.start = BYTE_ORDER_MARK.length;
  return true;
}
