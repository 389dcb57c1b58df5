/** A range whose values are JSON rows, as NDJSON. */
import type { Readable } from 'node:stream';
import type { CursorSource } from './cursor-source.js';
import { EncodedReadable } from './encoded-readable.js';
import { checkNdjsonOptions, type ExportOptions } from './export-options.js';
import { NdjsonEncoder } from './ndjson-encoder.js';

export function createNdjsonReadable(source: CursorSource, options: ExportOptions): Readable {
  const { chunkBytes } = checkNdjsonOptions(options);
  return new EncodedReadable(source, new NdjsonEncoder(), chunkBytes);
}
