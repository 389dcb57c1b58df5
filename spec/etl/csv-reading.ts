// Reads CSV to the end, for the specs of lib/etl: batches are used again, so all is copied out.

import type { CsvOptions } from '../../lib/etl/csv-options.js';
import { openCsv } from '../../lib/etl/csv-rows.js';
import type { Reject } from '../../lib/etl/reject.js';
import type { SourcePosition } from '../../lib/etl/row-batch.js';

export interface RowRead {
  line: number;
  byteOffset: number;
  raw: string;
  cells: string[];
}

export interface CsvRead {
  columns: readonly string[];
  delimiter: string;
  rows: RowRead[];
  rejects: Reject[];
  blankLines: number;
  /** Each batch's `next`, with how many rows and rejects had come by then. */
  places: Array<{ next: SourcePosition; rows: number; rejects: number }>;
}

export async function readCsv(chunks: AsyncIterable<Uint8Array>, options: CsvOptions = {}): Promise<CsvRead> {
  const csv = await openCsv(chunks, options);
  const { columns, delimiter } = csv;
  const read: CsvRead = { columns, delimiter, rows: [], rejects: [], blankLines: 0, places: [] };
  for await (const batch of csv) {
    for (let row = 0; row < batch.length; row++) {
      const cells = batch.cells(row);
      const raw = batch.raw(row).toString('latin1');
      read.rows.push({ line: batch.line(row), byteOffset: batch.byteOffset(row), raw, cells });
    }
    read.rejects.push(...batch.rejects);
    read.blankLines += batch.blankLines;
    read.places.push({ next: batch.next, rows: read.rows.length, rejects: read.rejects.length });
  }
  return read;
}

/** What must not depend on how the source is cut into chunks. */
export function outcome(read: CsvRead): Omit<CsvRead, 'places'> {
  const { places: _, ...rest } = read;
  return rest;
}
