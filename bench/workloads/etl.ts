// Rows in and out: CSV and NDJSON into a durable, ordered store, and NDJSON out of it. Peers are fed by this library's
// own parser, so that what differs is the store.

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { importCsv, importNdjson, open } from 'btree-store';
import { isSame } from '../data.js';
import type { Engine, RowSource } from '../engines/engine.js';
import { OURS } from '../engines/engines.js';
import { csvRows, ndjsonRows } from '../sources.js';
import { type Measured, type Setting, timed, type Workload } from './workload.js';
import { warmedUp } from './writes.js';

type Format = 'csv' | 'ndjson';

const rowsOf = { csv: csvRows, ndjson: ndjsonRows };

/** The whole import as its user writes it, with the store's own opening and close. */
async function importOurs(format: Format, source: string, path: string): Promise<number> {
  const db = await open(path);
  const bucket = db.bucket('entries');
  const job =
    format === 'csv' ? importCsv(bucket, source, { key: 'id' }) : importNdjson(bucket, source, { key: 'id' });
  const { rows } = await job;
  await db.close();
  return rows;
}

async function importPeer(engine: Engine, rows: AsyncIterable<RowSource>): Promise<number> {
  let count = 0;
  const counted = async function* (): AsyncGenerator<RowSource> {
    for await (const batch of rows) {
      count += batch.length;
      yield batch;
    }
  };
  await engine.importRows(counted());
  return count;
}

async function imported(format: Format, engine: Engine, setting: Setting): Promise<Measured> {
  const source = setting.sources[format];
  const small = `${source}.small`;
  let rows = 0;
  let seconds: number;
  if (engine.name === OURS) {
    await importOurs(format, small, `${setting.folder}/warm`);
    await engine.close();
    seconds = await timed(async () => {
      rows = await importOurs(format, source, setting.path);
    });
    await engine.open(setting.path);
  } else {
    await warmedUp(engine, setting, async (warm) => importPeer(warm, await rowsOf[format](small)));
    seconds = await timed(async () => {
      rows = await importPeer(engine, await rowsOf[format](source));
    });
  }
  if (rows !== setting.entries) throw new Error(`${rows} rows were stored, not ${setting.entries}`);
  await expectRows(engine, format, source);
  return { operations: rows, seconds };
}

/** Some rows, as they were stored. */
async function expectRows(engine: Engine, format: Format, source: string): Promise<void> {
  let line = 0;
  for await (const batch of await rowsOf[format](source, createReadStream(source, { end: 1 << 20 })))
    for (let row = 0; row < batch.length - 1; row++, line++) {
      if (line % 101 !== 0) continue;
      if (!isSame(engine.get(batch.key(row)), batch.value(row)))
        throw new Error(`row ${line} is not as it was in the source`);
    }
  if (line < 1000) throw new Error(`only ${line} rows were compared`);
}

async function exported(engine: Engine, setting: Setting): Promise<Measured> {
  const warm = `${setting.folder}/warm.ndjson`;
  const target = `${setting.folder}/out.ndjson`;
  await engine.exportNdjson(warm);
  const seconds = await timed(() => engine.exportNdjson(target));
  const [found, expected] = await Promise.all([readFile(target), readFile(setting.sources.ndjson)]);
  if (!found.equals(expected)) throw new Error('the export is not what was imported');
  return { operations: setting.entries, seconds };
}

export const ETL: readonly Workload[] = [
  ...(['csv', 'ndjson'] as const).map(
    (format): Workload => ({
      name: `import-${format}`,
      title: `${format.toUpperCase()} import`,
      start: 'empty',
      unit: 'rows',
      target: 3,
      writes: true,
      run: (engine, setting) => imported(format, engine, setting),
    }),
  ),
  {
    name: 'export-ndjson',
    title: 'NDJSON export to a file',
    start: 'json',
    unit: 'rows',
    target: 3,
    writes: false,
    run: exported,
  },
];
