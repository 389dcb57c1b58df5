// Imports CSV: a row's value is a JSON object of strings, its members in the order of the columns.

import { z } from 'zod';
import type { Bucket } from '../bucket.js';
import type { BucketCodecs } from '../codec/bucket-types.js';
import { ByteArena } from '../stream/byte-arena.js';
import type { TypedBucket } from '../typed-bucket.js';
import { ArenaViews } from './arena-views.js';
import type { CsvBatch } from './csv-batch.js';
import { openCsv } from './csv-rows.js';
import { type ImportTarget, importTarget } from './import-bucket.js';
import { type ImportJob, startJob } from './import-job.js';
import { type CsvImportOptions, checkedCsvOptions } from './import-options.js';
import type { RowValues } from './import-rows.js';
import { type FormatStart, type OpenRows, runImport } from './import-run.js';
import { valueAtPath } from './json-path.js';
import { RowJsonWriter } from './row-json.js';
import { checkColumns, csvKeyWriter, type KeyOption, keyParts } from './row-key.js';
import type { OpenSource, Source } from './source.js';
import { TypedRows } from './typed-rows.js';

/**
 * Puts the rows of CSV into a bucket: under the key that `key` names the row as a JSON object of strings, its
 * members in the order of the columns, so that `range().toCsv()` gives the same rows in key order.
 *
 * Into a typed bucket a row goes as what the bucket's schema makes of it, an object of strings, and one that the schema
 * refuses is a reject (SCHEMA, with its `issues`); the columns that `key` names are taken from what the schema made,
 * or else from the row.
 *
 * Starts at once. Rows that cannot be taken are counted and kept as rejects, never left out; see `onReject`.
 * Memory stays bounded however long the source is.
 *
 * Rejects with INVALID_OPTION (a key column that does not exist among them), SOURCE_INVALID where the source is
 * missing, not readable, broken gzip, or has no sound header, ROW_REJECTED, KEY_OUT_OF_ORDER, DUPLICATE_KEY,
 * ABORTED, and what writing to a store may reject with. Then what was committed before stays, and the message
 * and the `details` say how many rows that is: see {@link ImportFailureDetails}.
 *
 * @example
 * ```ts
 * const job = importCsv(db.bucket('cities'), 'cities.csv.gz', { key: ['country', 'city'] });
 * job.progress$.subscribe(({ rows }) => console.error(`${rows} rows`));
 * const { rows, rejected } = await job; // => { rows: 3, rejected: 0 }
 * ```
 */
export function importCsv<Key, Value>(
  bucket: Bucket | TypedBucket<Key, Value>,
  source: Source,
  options: CsvImportOptions,
): ImportJob {
  return startJob(async (tell) => {
    const checked = checkedCsvOptions(options);
    const { bytes, codecs } = importTarget(bucket);
    return runImport(
      bytes,
      source,
      checked,
      (chunks, start) => openRows(chunks, checked, codecs, start),
      tell,
    );
  });
}

async function openRows(
  chunks: OpenSource,
  options: CsvImportOptions,
  codecs: ImportTarget['codecs'],
  start: FormatStart | undefined,
): Promise<OpenRows<CsvBatch>> {
  const { delimiter, header, columns, rowBytesMax, quotedLinesMax } = options;
  const told = start && { ...formatSchema.parse(start.format), header: false, position: start.position };
  const rows = await openCsv(chunks, { delimiter, header, columns, rowBytesMax, quotedLinesMax, ...told });
  try {
    const close = () => rows.close();
    const format: CsvFormat = { delimiter: rows.delimiter, columns: [...rows.columns] };
    if (codecs !== undefined) {
      const typed = typedCsvRows(codecs, options.key, rows.columns);
      return { batches: rows, keys: typed, values: typed, format, close };
    }
    const keys = csvKeyWriter(options.key, rows.columns);
    return { batches: rows, keys, values: new CsvValues(rows.columns), format, close };
  } catch (error) {
    await rows.close();
    throw error;
  }
}

/** What the beginning of a source told, or the options did. */
const formatSchema = z.strictObject({ delimiter: z.string(), columns: z.array(z.string()) });
type CsvFormat = z.infer<typeof formatSchema>;

function typedCsvRows(
  codecs: BucketCodecs<unknown, unknown>,
  key: KeyOption,
  columns: readonly string[],
): TypedRows<CsvBatch> {
  const names = keyParts(key);
  checkColumns(names, columns);
  const indexes = names.map((name) => columns.indexOf(name));
  return new TypedRows(
    codecs,
    names,
    (within, part) => valueAtPath(within, [names[part]]),
    (batch, row, part) => batch.cell(row, indexes[part]),
    new CsvValues(columns),
  );
}

class CsvValues implements RowValues<CsvBatch> {
  private readonly arena = new ByteArena();
  private readonly views = new ArenaViews(this.arena);
  private readonly json: RowJsonWriter;

  constructor(columns: readonly string[]) {
    this.json = new RowJsonWriter(columns);
  }

  value(batch: CsvBatch, row: number): Uint8Array {
    this.arena.clear();
    this.json.write(batch, row, this.arena);
    return this.views.content();
  }

  writeValue(batch: CsvBatch, row: number, arena: ByteArena): void {
    this.json.write(batch, row, arena);
  }
}
