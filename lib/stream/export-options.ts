/** How a range becomes bytes. */
import { z } from 'zod';
import { parseOptions } from '../options.js';
import type { CsvExportOptions } from './csv-encoder.js';

/** How a range becomes CSV or NDJSON. NDJSON takes `chunkBytes` alone. */
export interface ExportOptions extends CsvExportOptions {
  /** Bytes of a chunk, about; up to four of them wait to be taken. Default: 256 KiB. */
  readonly chunkBytes?: number;
}

/** So large that a file is waited for seldom: it takes one chunk at a time. */
export const CHUNK_BYTES = 256 * 1024;

const chunkBytes = z.number().int().positive().optional();

const ndjsonSchema = z.strictObject({ chunkBytes });

const exportSchema = z.strictObject({
  chunkBytes,
  columns: z.array(z.string()).readonly().optional(),
  absentColumns: z.enum(['empty', 'error']).optional(),
  delimiter: z.string().optional(),
  header: z.boolean().optional(),
});

/** Raises INVALID_OPTION naming what is wrong; what columns and delimiters may hold, the encoder checks. */
export function checkExportOptions(options: ExportOptions, call: string): ExportOptions {
  return parseOptions<ExportOptions>(exportSchema, options, call);
}

/** Raises INVALID_OPTION for whatever NDJSON has no use for: it would be ignored in silence. */
export function checkNdjsonOptions(options: ExportOptions): ExportOptions {
  return parseOptions<ExportOptions>(ndjsonSchema, options, 'toNdjson');
}
