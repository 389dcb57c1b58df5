// Imports that are stopped and run again, and what they must come to: for specs in this process, and for a process
// of its own that is killed.

import { readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { type CsvImportOptions, type Database, open } from 'btree-store';
import { csvOf, csvRow, orders, shuffled } from './tables.js';

export const ROWS_BUCKET = 'rows';
export const REJECTS_BUCKET = 'refused';

/** How the source is and where its rejects go. */
export interface Shape {
  readonly order: 'sorted' | 'unsorted';
  readonly zipped: boolean;
  readonly onDuplicate: 'replace' | 'keep' | 'error';
  readonly rejects: 'file' | 'bucket';
}

/** CSV with rows that cannot be taken among the others, and, unless they would be errors, keys that come twice. */
export function csvWith(shape: Shape, count: number): Buffer {
  const table = shape.order === 'sorted' ? orders(count) : shuffled(orders(count));
  const lines = table.rows.map((cells, index) => {
    const row = csvRow(cells);
    if (index % 97 === 5) return `lonely ${index}\n${row}`;
    if (index % 89 === 3 && shape.onDuplicate !== 'error')
      return `${row}${csvRow([cells[0], 'again', '0', ''])}`;
    return index % 101 === 7 ? `\n${row}` : row;
  });
  const csv = Buffer.from(csvOf({ columns: table.columns, rows: [] }) + lines.join(''));
  return shape.zipped ? gzipSync(csv) : csv;
}

export async function writeSource(path: string, shape: Shape, count: number): Promise<void> {
  await writeFile(path, csvWith(shape, count));
}

export function resumableOptions(db: Database, shape: Shape, rejectsFile: string): CsvImportOptions {
  return {
    key: 'id',
    onDuplicate: shape.onDuplicate,
    sorted: shape.order === 'sorted' && shape.onDuplicate === 'error' ? true : 'auto',
    checkpoint: 'import',
    commitEvery: { entries: 300 },
    rejects: shape.rejects === 'file' ? rejectsFile : db.bucket(REJECTS_BUCKET),
  };
}

/** All that an import leaves, in text: rows, rejects, the position. */
export async function stateAfter(path: string, rejectsFile: string): Promise<string> {
  const db = await open(path, { create: false });
  try {
    const report = await db.check();
    if (!report.ok) throw new Error(`the store is not whole: ${JSON.stringify(report.problems)}`);
    const lines: string[] = [];
    for (const name of [ROWS_BUCKET, REJECTS_BUCKET])
      for (const [key, value] of db.bucket(name).range()) lines.push(`${name} ${key} ${value}`);
    const { rows, rejected, complete, line } = db.bucket(ROWS_BUCKET).bulkCheckpoint('import') as Record<
      string,
      unknown
    >;
    lines.push(JSON.stringify({ rows, rejected, complete, line }));
    lines.push(await readFile(rejectsFile, 'utf8').catch(() => 'no file of rejects'));
    return lines.join('\n');
  } finally {
    await db.close();
  }
}
