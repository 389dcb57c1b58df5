// Imports NDJSON: a row's value is its own bytes.

import type { Bucket } from '../bucket.js';
import type { BucketCodecs } from '../codec/bucket-types.js';
import type { TypedBucket } from '../typed-bucket.js';
import { importTarget } from './import-bucket.js';
import { type ImportJob, startJob } from './import-job.js';
import { checkedNdjsonOptions, type NdjsonImportOptions } from './import-options.js';
import type { RowValues } from './import-rows.js';
import { type FormatStart, runImport } from './import-run.js';
import { parseJsonPath, valueAtPath } from './json-path.js';
import type { NdjsonBatch } from './ndjson-batch.js';
import { openNdjson } from './ndjson-rows.js';
import { exactValue, type KeyOption, keyParts, type NdjsonKeys, ndjsonKeyWriter } from './row-key.js';
import type { OpenSource, Source } from './source.js';
import { TypedRows } from './typed-rows.js';

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
export function importNdjson<Key, Value>(
  bucket: Bucket | TypedBucket<Key, Value>,
  source: Source,
  options: NdjsonImportOptions,
): ImportJob {
  return startJob(async (tell) => {
    const checked = checkedNdjsonOptions(options);
    const { bytes, codecs } = importTarget(bucket);
    const { keys, values } = codecs === undefined ? plainRows(checked.key) : typedRows(codecs, checked.key);
    const openRows = async (chunks: OpenSource, start: FormatStart | undefined) => {
      const { rowBytesMax } = checked;
      const batches = openNdjson(chunks, { rowBytesMax, position: start?.position, members: keys.members });
      return { batches, keys, values, format: null, close: () => batches.return() };
    };
    return runImport(bytes, source, checked, openRows, tell);
  });
}

interface Rows {
  readonly keys: NdjsonKeys;
  readonly values: RowValues<NdjsonBatch>;
}

function plainRows(key: KeyOption): Rows {
  return { keys: ndjsonKeyWriter(key), values: ownBytes };
}

const ownBytes: RowValues<NdjsonBatch> = {
  value: (batch, row) => batch.value(row),
  writeValue: (batch, row, arena) =>
    arena.appendByWords(batch.view, batch.valueStarts[row], batch.valueEnds[row]),
};

function typedRows(codecs: BucketCodecs<unknown, unknown>, key: KeyOption): Rows {
  const names = keyParts(key);
  const steps = names.map(parseJsonPath);
  const rows = new TypedRows<NdjsonBatch>(
    codecs,
    names,
    (within, part) => valueAtPath(within, steps[part]),
    (batch, row, part) => exactValue(batch, row, steps[part]),
    ownBytes,
  );
  return { keys: rows, values: rows };
}
