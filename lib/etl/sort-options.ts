// The options of a sort of CSV or NDJSON, checked before anything is read.

import { z } from 'zod';
import { SORT_BYTES_MAX } from '../bulk-options.js';
import { parseOptions, signalSchema } from '../options.js';
import { keySchema, positive } from './import-options.js';
import type { KeyOption } from './row-key.js';

/** How rows are sorted, of whatever format. */
export interface SortOptions {
  /** What to sort by, as the `key` of an import: columns or paths, each with its type behind it if it is no text. */
  readonly key: KeyOption;
  /** Bytes of memory that sorting takes at the most, from 256 KiB to 2 GiB; the rest goes to files. Default: 64 MiB. */
  readonly sortBytes?: number;
  /** Of rows with one key only the first, or the last, stays. Default: all stay, in the order of the source. */
  readonly unique?: 'first' | 'last';
  /** Longest row, in bytes. Default: 16 MiB, at most 256 MiB. */
  readonly rowBytesMax?: number;
  /**
   * Temporary files are made in the folder of this path, and have no name once they are there, so that none is left
   * however the process ends. Default: the system's folder for temporary files.
   */
  readonly temporaryPath?: string;
  /** Stops the sort: the stream fails with ABORTED. */
  readonly signal?: AbortSignal;
}

/** How rows of CSV are sorted. */
export interface CsvSortOptions extends SortOptions {
  /** One ASCII character, or 'auto' to tell from the first rows whether it is `,` `;` tab or `|`. Default: ','. */
  readonly delimiter?: string;
  /** Whether the first row names the columns; it comes first then. Default: true. */
  readonly header?: boolean;
  /** Names of the columns; needed where there is no header, refused where there is one. */
  readonly columns?: readonly string[];
  /** Lines that one quoted cell may span. Default: 1000. */
  readonly quotedLinesMax?: number;
}

const ndjsonSchema = z.strictObject({
  key: keySchema,
  sortBytes: positive.max(SORT_BYTES_MAX).optional(),
  unique: z.enum(['first', 'last']).optional(),
  rowBytesMax: positive.optional(),
  temporaryPath: z.string().min(1).optional(),
  signal: signalSchema.optional(),
});

const csvSchema = ndjsonSchema.extend({
  delimiter: z.string().optional(),
  header: z.boolean().optional(),
  columns: z.array(z.string()).optional(),
  quotedLinesMax: positive.optional(),
});

/** Raises INVALID_OPTION naming each option that is wrong. */
export function checkedCsvSortOptions(options: CsvSortOptions): CsvSortOptions {
  return parseOptions<CsvSortOptions>(csvSchema, options, 'sortCsv');
}

/** Raises INVALID_OPTION naming each option that is wrong. */
export function checkedNdjsonSortOptions(options: SortOptions): SortOptions {
  return parseOptions<SortOptions>(ndjsonSchema, options, 'sortNdjson');
}
