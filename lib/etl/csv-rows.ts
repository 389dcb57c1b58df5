// CSV from chunks of bytes to batches of rows, with the columns known before the first of them.

import { StoreError } from '../errors.js';
import { delimiterByte } from '../stream/csv-delimiter.js';
import type { CsvBatch } from './csv-batch.js';
import { headerColumns } from './csv-columns.js';
import { type CsvOptions, type ResolvedCsvOptions, resolveCsvOptions } from './csv-options.js';
import { COLUMNS_MAX, CsvScanner } from './csv-scanner.js';
import { SNIFF_BYTES, sniffDelimiter } from './csv-sniff.js';
import { readAhead } from './read-ahead.js';
import { splitRecords } from './record-splitter.js';

/** The rows of a CSV source, to be iterated over once. */
export interface CsvRows extends AsyncIterable<CsvBatch> {
  /** Names of the columns, in the order of the cells. */
  readonly columns: readonly string[];
  /** The delimiter given or found. */
  readonly delimiter: string;
  /** The header row as it stands in the source, its line end included; undefined where there is none. */
  readonly header: Buffer | undefined;
  /** Lets go of the source without reading it to its end. */
  close(): Promise<void>;
}

/**
 * Begins to read CSV: its header, if it has one. Each batch, and every view into it, is valid until the next
 * one is asked for. Rows that cannot be taken are in the batches' `rejects`; none is left out.
 *
 * @throws INVALID_OPTION, naming the option.
 * @throws SOURCE_INVALID where the header is missing or broken, or names a column twice or not at all.
 *
 * @example
 * ```ts
 * const rows = await openCsv(openSource('orders.csv.gz'), { delimiter: 'auto' });
 * for await (const batch of rows) {
 *   for (let row = 0; row < batch.length; row++) console.log(batch.line(row), batch.cells(row));
 *   for (const reject of batch.rejects) console.error(reject.line, reject.message);
 * }
 * ```
 */
export async function openCsv(chunks: AsyncIterable<Uint8Array>, options: CsvOptions = {}): Promise<CsvRows> {
  const resolved = resolveCsvOptions(options);
  if (resolved.delimiter !== 'auto') return openRows(chunks, resolved, noSource);
  const { head, all } = await readAhead(chunks, SNIFF_BYTES);
  return openRows(all, { ...resolved, delimiter: sniffDelimiter(head) }, () => all.return());
}

async function openRows(
  chunks: AsyncIterable<Uint8Array>,
  options: ResolvedCsvOptions,
  closeSource: () => Promise<unknown>,
): Promise<CsvRows> {
  const { delimiter, columns, rowBytesMax, quotedLinesMax, position } = options;
  const width = columns?.length ?? 0;
  const scanner = new CsvScanner(delimiterByte(delimiter), width, rowBytesMax, quotedLinesMax, position.line);
  const batches = splitRecords(chunks, scanner, position);
  const close = async () => {
    await batches.return();
    await closeSource();
  };
  if (columns) return csvRows(batches, columns, delimiter, close);
  try {
    const first = await batchWithHeader(batches);
    checkHeader(first);
    const header = Buffer.concat([first.raw(0), Buffer.from(first.lineEnd(0))]);
    return csvRows(batches, takeHeader(first), delimiter, close, { batch: first, header });
  } catch (error) {
    await close();
    throw error;
  }
}

// Nothing was read ahead: the batches close the source if they have begun, and else it was not opened.
async function noSource(): Promise<void> {}

function csvRows(
  batches: AsyncIterable<CsvBatch>,
  columns: readonly string[],
  delimiter: string,
  close: () => Promise<void>,
  first?: { batch: CsvBatch; header: Buffer },
): CsvRows {
  let begun = first?.batch;
  async function* iterate(): AsyncGenerator<CsvBatch, void, undefined> {
    try {
      const batch = begun;
      begun = undefined;
      if (batch) yield batch;
      for await (const batch of batches) {
        batch.columns = columns;
        yield batch;
      }
    } finally {
      await close();
    }
  }
  return { columns, delimiter, header: first?.header, [Symbol.asyncIterator]: iterate, close };
}

/** The batch that has the first row, be it refused. Batches before can only hold blank lines. */
async function batchWithHeader(batches: AsyncGenerator<CsvBatch, void>): Promise<CsvBatch> {
  let blankLines = 0;
  for (;;) {
    const { value: batch } = await batches.next();
    if (!batch) {
      const advice = 'give the names of the columns as `columns`, with `header: false`, if it may be empty';
      throw new StoreError('SOURCE_INVALID', `the source has no header row, as it is empty; ${advice}`);
    }
    blankLines += batch.blankLines;
    batch.blankLines = blankLines;
    if (batch.length > 0 || batch.rejects.length > 0) return batch;
  }
}

/** Raises SOURCE_INVALID where the first row of the batch is not one. */
function checkHeader(batch: CsvBatch): void {
  const reject = batch.rejects.at(0);
  if (reject && (batch.length === 0 || reject.byteOffset < batch.byteOffset(0))) {
    const { line, reason, message } = reject;
    throw new StoreError('SOURCE_INVALID', `the header on line ${line} cannot be read: ${message}`, {
      details: { line, reason },
    });
  }
}

/** Takes the header row out of the batch. */
function takeHeader(batch: CsvBatch): readonly string[] {
  const line = batch.line(0);
  if (batch.width > COLUMNS_MAX) {
    const message = `the header on line ${line} has ${batch.width} columns, more than ${COLUMNS_MAX}; check the delimiter`;
    throw new StoreError('SOURCE_INVALID', message, { details: { line } });
  }
  batch.columns = headerColumns(batch.cells(0), line);
  batch.removeFirstRow();
  return batch.columns;
}
