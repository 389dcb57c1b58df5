/** A range whose values are JSON rows, as CSV. */
import type { Readable } from 'node:stream';
import { CsvEncoder } from './csv-encoder.js';
import type { CursorSource } from './cursor-source.js';
import { EncodedReadable } from './encoded-readable.js';
import { checkExportOptions, type ExportOptions } from './export-options.js';

export function createCsvReadable(source: CursorSource, options: ExportOptions): Readable {
  const { chunkBytes, ...csv } = checkExportOptions(options, 'toCsv');
  return new EncodedReadable(source, new CsvEncoder(csv), chunkBytes);
}
