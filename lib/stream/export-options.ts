/** How a range becomes bytes. */
import type { CsvExportOptions } from './csv-encoder.js';

export interface ExportOptions extends CsvExportOptions {
  /** Bytes of a chunk, about. Default: 64 KiB. */
  readonly chunkBytes?: number;
}

export const CHUNK_BYTES = 64 * 1024;
