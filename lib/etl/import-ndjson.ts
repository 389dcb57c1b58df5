// Imports NDJSON: a row's value is its own bytes.

import type { Bucket } from '../bucket.js';
import { type ImportJob, startJob } from './import-job.js';
import { checkedNdjsonOptions, type NdjsonImportOptions } from './import-options.js';
import type { RowValues } from './import-rows.js';
import { type FormatStart, runImport } from './import-run.js';
import type { NdjsonBatch } from './ndjson-batch.js';
import { openNdjson } from './ndjson-rows.js';
import { ndjsonKeyWriter } from './row-key.js';
import type { OpenSource, Source } from './source.js';

/**
 * Puts the rows of NDJSON, one object a line, into a bucket: under the key that stands at `key` the row's own
 * bytes, so that `range().toNdjson()` gives the same lines in key order.
 *
 * All else is as with {@link importCsv}.
 *
 * @example
 * ```ts
 * const report = await importNdjson(db.bucket('events'), 'events.ndjson', { key: 'event.id', rejectsMax: 10 });
 * if (report.rejected > 0) console.error(report.rejects);
 * ```
 */
export function importNdjson(bucket: Bucket, source: Source, options: NdjsonImportOptions): ImportJob {
  return startJob(async (tell) => {
    const checked = checkedNdjsonOptions(options);
    const keys = ndjsonKeyWriter(checked.key);
    const openRows = async (chunks: OpenSource, start: FormatStart | undefined) => {
      const { rowBytesMax } = checked;
      const batches = openNdjson(chunks, { rowBytesMax, position: start?.position });
      return { batches, keys, values, format: null, close: () => batches.return() };
    };
    return runImport(bucket, source, checked, openRows, tell);
  });
}

const values: RowValues<NdjsonBatch> = { value: (batch, row) => batch.value(row) };
