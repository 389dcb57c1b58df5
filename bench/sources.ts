// Files of rows for imports, and their rows as this library's parser finds them, for peers that have none.

import { createWriteStream, existsSync, renameSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openCsv } from '../dist/etl/csv-rows.js';
import { openNdjson } from '../dist/etl/ndjson-rows.js';
import { RowJsonWriter } from '../dist/etl/row-json.js';
import { csvKeyWriter, ndjsonKeyWriter } from '../dist/etl/row-key.js';
import { openSource } from '../dist/etl/source.js';
import { ByteArena } from '../dist/stream/byte-arena.js';
import { Shuffle } from './data.js';
import type { RowSource } from './engines/engine.js';

const SMALL_ROWS = 20_000;
const CITIES = ['Lisbon', 'Osaka', 'Recife', 'Tartu', 'Windhoek', 'Nuuk', 'Split'];

export type Order = 'sorted' | 'shuffled';

interface Columns {
  readonly id: string;
  readonly name: string;
  readonly city: string;
  readonly amount: string;
  readonly note: string;
}

function rowOf(index: number): Columns {
  return {
    id: String(index).padStart(12, '0'),
    name: `Customer ${(index * 7919) % 100_003}`,
    city: CITIES[index % CITIES.length],
    amount: ((index * 37) % 100_000).toString(),
    note: `order ${index} of this year, paid`,
  };
}

function* chunks(rows: number, format: 'csv' | 'ndjson', order: Order): Generator<string> {
  if (format === 'csv') yield 'id,name,city,amount,note\n';
  const shuffle = new Shuffle(rows);
  let text = '';
  for (let i = 0; i < rows; i++) {
    const row = rowOf(order === 'sorted' ? i : shuffle.at(i));
    text +=
      format === 'csv'
        ? `${row.id},${row.name},${row.city},${row.amount},"${row.note}"\n`
        : `${JSON.stringify(row)}\n`;
    if (text.length < 1 << 18) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** Makes the file, and a small one beside it on which code is made warm, unless they are there. */
export async function makeSource(
  path: string,
  rows: number,
  format: 'csv' | 'ndjson',
  order: Order = 'sorted',
): Promise<void> {
  for (const [file, count] of [
    [path, rows],
    [`${path}.small`, Math.min(rows, SMALL_ROWS)],
  ] as const) {
    if (existsSync(file)) continue;
    await pipeline(Readable.from(chunks(count, format, order)), createWriteStream(`${file}.partial`));
    renameSync(`${file}.partial`, file);
  }
}

/** What is written to the arena; valid until it is written to again. */
function written(arena: ByteArena, write: () => unknown): Buffer {
  arena.clear();
  write();
  return arena.bytes.subarray(0, arena.length);
}

export async function* csvRows(
  path: string,
  bytes: AsyncIterable<Uint8Array> = openSource(path),
): AsyncGenerator<RowSource> {
  const rows = await openCsv(bytes, {});
  const keys = csvKeyWriter('id', rows.columns);
  const json = new RowJsonWriter(rows.columns);
  const keyArena = new ByteArena(256);
  const valueArena = new ByteArena();
  for await (const batch of rows)
    yield {
      length: batch.length,
      key: (row) => written(keyArena, () => keys.write(batch, row, keyArena)),
      value: (row) => written(valueArena, () => json.write(batch, row, valueArena)),
    };
}

export async function* ndjsonRows(
  path: string,
  bytes: AsyncIterable<Uint8Array> = openSource(path),
): AsyncGenerator<RowSource> {
  const keys = ndjsonKeyWriter('id');
  const keyArena = new ByteArena(256);
  for await (const batch of openNdjson(bytes, { members: keys.members }))
    yield {
      length: batch.length,
      key: (row) => written(keyArena, () => keys.write(batch, row, keyArena)),
      value: (row) => batch.value(row),
    };
}
