// Sorts the rows of CSV or NDJSON as they stand, without a store.

import { openCsv } from './csv-rows.js';
import { openNdjson } from './ndjson-rows.js';
import { csvKeyWriter, ndjsonKeyWriter } from './row-key.js';
import {
  type CsvSortOptions,
  checkedCsvSortOptions,
  checkedNdjsonSortOptions,
  type SortOptions,
} from './sort-options.js';
import { SortedRows } from './sorted-rows.js';
import type { Source } from './source.js';

/**
 * The rows of CSV sorted by key, as a stream of bytes: each row as it stands in the source, the header first, in the
 * order that the store has for such keys. Rows with one key stay in the order of the source, unless `unique` says
 * that one of them stays. Line ends become that of the first row; blank lines and a byte order mark go.
 *
 * Nothing is read before the stream is. It fails with ROW_REJECTED at the first row that is malformed or has no key,
 * as no row may be missing from a file that was sorted; with SOURCE_INVALID, INVALID_OPTION (a key column that does
 * not exist among them), IO_ERROR, DISK_FULL and ABORTED. Destroyed, it lets go of the source and its files.
 *
 * @throws INVALID_OPTION where an option is wrong, at once.
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { sortCsv } from 'btree-store';
 *
 * const sorted = sortCsv('cities.csv.gz', { key: ['country', 'city'] });
 * await pipeline(sorted, createWriteStream('sorted.csv'));
 * sorted.progress.rows; // 3
 * ```
 */
export function sortCsv(source: Source, options: CsvSortOptions): SortedRows {
  const checked = checkedCsvSortOptions(options);
  const { delimiter, header, columns, rowBytesMax, quotedLinesMax } = checked;
  return new SortedRows(source, checked, async (chunks) => {
    const rows = await openCsv(chunks, { delimiter, header, columns, rowBytesMax, quotedLinesMax });
    try {
      const keys = csvKeyWriter(checked.key, rows.columns);
      return { batches: rows, keys, header: rows.header, close: () => rows.close() };
    } catch (error) {
      await rows.close();
      throw error;
    }
  });
}

/**
 * The lines of NDJSON sorted by key, as a stream of bytes. All else is as with {@link sortCsv}.
 *
 * @throws INVALID_OPTION where an option is wrong, at once.
 *
 * @example
 * ```ts
 * import { text } from 'node:stream/consumers';
 * import { Readable } from 'node:stream';
 * import { sortNdjson } from 'btree-store';
 *
 * const lines = Readable.from([Buffer.from('{"id":10}\n{"id":9}\n')]);
 * await text(sortNdjson(lines, { key: 'id:number' })); // '{"id":9}\n{"id":10}\n'
 * ```
 */
export function sortNdjson(source: Source, options: SortOptions): SortedRows {
  const checked = checkedNdjsonSortOptions(options);
  const keys = ndjsonKeyWriter(checked.key);
  return new SortedRows(source, checked, async (chunks) => {
    const batches = openNdjson(chunks, { rowBytesMax: checked.rowBytesMax, members: keys.members });
    return { batches, keys, header: undefined, close: () => batches.return() };
  });
}
