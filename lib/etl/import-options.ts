// The options of an import, checked before anything is read or written.

import { Writable } from 'node:stream';
import { z } from 'zod';
import { StoreBucket } from '../bucket.js';
import { type BulkOptions, SORT_BYTES_MAX } from '../bulk-options.js';
import { parseOptions, signalSchema } from '../options.js';
import type { RejectSink } from './reject-sink.js';
import type { KeyOption } from './row-key.js';

/** How rows get into a bucket, from whatever format. */
export interface ImportOptions {
  /**
   * Where a row's key stands: a column of CSV, a path into the object of NDJSON such as `user.id` or
   * `items[0].sku`. Several make a key of parts, which sorts by the first part, then by the second, and so on;
   * between two parts stand two zero bytes. A row that lacks any of them is a reject.
   *
   * Keys are text, unless their type stands behind them: `id:number`, and `:bigint`, `:date`, `:boolean`, `:string`
   * likewise. Such keys sort as their type does, and have the bytes of `keys.number` and so on; several of them, of
   * `keys.tuple`. A column that has the colon in its name is that column; a path to such a member is `["a:number"]`.
   * A date is a day or a day and a time, in UTC where no zone is said; one that does not exist, as 30 February, is a
   * reject. So is, for `:number`, a whole number whose digits do not come back from a double, and one past 1.8e308:
   * `:bigint` holds them.
   * In a typed bucket the types are those of its keys.
   */
  readonly key: KeyOption;
  /** Longest row, in bytes; longer ones are rejects. Default: 16 MiB, at most 256 MiB. */
  readonly rowBytesMax?: number;

  /**
   * true: keys must ascend; one out of order rejects with KEY_OUT_OF_ORDER naming both keys. false: no order is
   * expected, all rows are sorted before they go in. 'auto': rows go in as they come as long as their keys
   * ascend; from where they do not the rest is sorted, without an error. Default: 'auto'.
   */
  readonly sorted?: boolean | 'auto';
  /**
   * Bytes of memory that sorting takes at the most, from 256 KiB to 2 GiB; what does not fit goes to temporary files
   * beside the store. Default: 64 MiB.
   */
  readonly sortBytes?: number;
  /**
   * What happens with a row whose key the bucket holds or that came before: 'replace' (the later row stays),
   * 'keep' (the earlier one), 'error' (DUPLICATE_KEY). Default: 'replace'.
   */
  readonly onDuplicate?: 'replace' | 'keep' | 'error';
  /**
   * Publishes and syncs after so many rows, or bytes of keys and values. What is being sorted is published only
   * when it is merged, after the last row, in commits of this size then. Default: 64 MiB.
   */
  readonly commitEvery?: { readonly entries?: number; readonly bytes?: number };
  /**
   * Nothing is visible until the end, and nothing remains if it never comes. Other writers do not wait for it; the
   * end rejects with CONFLICT if one of them changed the bucket meanwhile. Default: false.
   */
  readonly atomic?: boolean;
  /** How full pages are packed, from 0.3 to 1. Default: 1. */
  readonly fillFactor?: number;
  /**
   * A name under which the import's position is saved in the same commits as its rows. The same import run again
   * goes on where an earlier one was stopped, whatever stopped it, and does nothing where that one had come to the
   * end of the same file; a source or options that changed half-way are refused with SOURCE_INVALID or
   * INVALID_OPTION. Commits come at the first end of a batch of rows (256 KiB of the source) past `commitEvery`. Rows
   * from the first that is out of order on are sorted, and go in with the last commit: an import that is stopped
   * before begins again with them. With `onDuplicate: 'error'`, unless `sorted` is true, all rows are one commit.
   * Default: none, and no position is saved.
   */
  readonly checkpoint?: string;
  /** Begins at the beginning, whatever the checkpoint says. What is in the bucket stays. Default: false. */
  readonly restart?: boolean;
  /**
   * A word for what else the rows depend on and the import cannot see, such as the version of the bucket's schema.
   * It is kept with the checkpoint: an import that was stopped half-way under another one is refused with
   * INVALID_OPTION, and one that was complete is another import. Default: none.
   */
  readonly revision?: string;
  /**
   * Stops the import at a commit boundary: what was taken is committed, unless it is atomic; then it rejects
   * with ABORTED.
   */
  readonly signal?: AbortSignal;

  /**
   * What happens with a row that cannot be taken: 'collect' counts it, keeps it and goes on; 'stop' rejects
   * with ROW_REJECTED. Default: 'collect'.
   */
  readonly onReject?: 'collect' | 'stop';
  /** Rows that may be rejects; one more stops the import with ROW_REJECTED. Default: Infinity. */
  readonly rejectsMax?: number;
  /**
   * Where every reject goes, in the order of the source: the path of an NDJSON file, which is made; another
   * bucket of the store, which gets them in the same commits as the rows, each under the
   * place of its row in the source (15 digits) as the line of NDJSON that it would be; a Writable, which gets the same lines, or Reject objects if it is in object mode, and is not ended; or a
   * function, whose promise is awaited. A bucket that holds anything, or a file that holds rejects, is refused with CONFLICT,
   * unless they are rejects of
   * this import as its `checkpoint` knows it: then they are gone on with, or made anew where it begins anew; so that a
   * later run knows its file, the beginning of such an import is a commit of its own. Default: nowhere; the first 100 are in the report all the same.
   */
  readonly rejects?: RejectSink;
}

/** How CSV gets into a bucket. */
export interface CsvImportOptions extends ImportOptions {
  /** One ASCII character, or 'auto' to tell from the first rows whether it is `,` `;` tab or `|`. Default: ','. */
  readonly delimiter?: string;
  /** Whether the first row names the columns. Default: true. */
  readonly header?: boolean;
  /** Names of the columns; needed where there is no header, refused where there is one. */
  readonly columns?: readonly string[];
  /**
   * Lines that one quoted cell may span. Past that the quote counts as one that was never closed: the first line
   * of its row is a reject, and reading goes on with the next line. Default: 1000.
   */
  readonly quotedLinesMax?: number;
}

/** How NDJSON gets into a bucket. */
export type NdjsonImportOptions = ImportOptions;

/** A whole number from 1. */
export const positive: z.ZodNumber = z.number().int().positive();
const rejectsMax = z.union([z.number().int().nonnegative(), z.literal(Number.POSITIVE_INFINITY)], {
  error: 'must be a whole number of rows from 0, or Infinity',
});
/** Columns or paths. */
export const keySchema: z.ZodType<KeyOption> = z.union([z.string(), z.array(z.string()).min(1)], {
  error: 'must be a column or path, or an array of one or more',
});
const rejects = z.custom<RejectSink>(
  (sink) =>
    (typeof sink === 'string' && sink !== '') ||
    typeof sink === 'function' ||
    sink instanceof Writable ||
    sink instanceof StoreBucket,
  { error: 'must be the path of a file, a bucket, a function or a Writable' },
);

const FILL = { error: 'must be a number from 0.3 to 1' };

const ndjsonSchema = z.strictObject({
  key: keySchema,
  rowBytesMax: positive.optional(),
  sorted: z.union([z.boolean(), z.literal('auto')], { error: "must be true, false or 'auto'" }).optional(),
  sortBytes: positive.max(SORT_BYTES_MAX).optional(),
  onDuplicate: z.enum(['replace', 'keep', 'error']).optional(),
  commitEvery: z.strictObject({ entries: positive.optional(), bytes: positive.optional() }).optional(),
  atomic: z.boolean().optional(),
  fillFactor: z.number(FILL).min(0.3, FILL).max(1, FILL).optional(),
  checkpoint: z.string().min(1).optional(),
  restart: z.boolean().optional(),
  revision: z.string().optional(),
  signal: signalSchema.optional(),
  onReject: z.enum(['collect', 'stop']).optional(),
  rejectsMax: rejectsMax.optional(),
  rejects: rejects.optional(),
});

const csvSchema = ndjsonSchema.extend({
  delimiter: z.string().optional(),
  header: z.boolean().optional(),
  columns: z.array(z.string()).optional(),
  quotedLinesMax: positive.optional(),
});

/** Raises INVALID_OPTION naming each option that is wrong. */
export function checkedCsvOptions(options: CsvImportOptions): CsvImportOptions {
  return parseOptions<CsvImportOptions>(csvSchema, options, 'importCsv');
}

/** Raises INVALID_OPTION naming each option that is wrong. */
export function checkedNdjsonOptions(options: NdjsonImportOptions): NdjsonImportOptions {
  return parseOptions<NdjsonImportOptions>(ndjsonSchema, options, 'importNdjson');
}

/** The part of the options that a bulk load has too, for an import whose commits are the writer's own. */
export function bulkOptions(options: ImportOptions): BulkOptions {
  const { sorted, sortBytes, onDuplicate, commitEvery, atomic, fillFactor, signal } = options;
  return { sorted, sortBytes, onDuplicate, commitEvery, atomic, fillFactor, signal };
}
