// npm run parsers: an import of CSV beside parsers alone, in turn, on the same file. A parser makes objects or arrays and
// throws them away; the import has the rows in a durable, ordered store when it ends.
//
//   --rows 1000000
//   --rounds 5
//   --folder PATH     where the file and the store are made

import { createReadStream, mkdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importCsv, open } from 'btree-store';
import papaparse from 'papaparse';
import { inferSchema, initParser, type Parser } from 'udsv';
import { openCsv } from '../dist/etl/csv-rows.js';

import { removeStore } from './prepare.js';
import { median } from './report/statistics.js';
import { makeSource } from './sources.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: join(os.tmpdir(), 'btree-store-bench') },
  },
});

const rows = Number(values.rows);
const source = join(values.folder, `rows-${rows}.csv`);
const store = join(values.folder, 'parsers.db');
const chunks = () => createReadStream(source, { highWaterMark: 1 << 18 });

/** Each returns how many rows it found. */
const ways: Readonly<Record<string, () => Promise<number>>> = {
  'import into a store': async () => {
    const db = await open(store);
    const report = await importCsv(db.bucket('rows'), source, { key: 'id' });
    await db.close();
    return report.rows;
  },
  'our own scanner alone, no values made': async () => {
    let count = 0;
    for await (const batch of await openCsv(chunks(), {})) count += batch.length;
    return count;
  },
  'udsv alone, arrays of strings': async () => {
    let count = 0;
    let parser: Parser | undefined;
    const stream = chunks();
    stream.setEncoding('utf8');
    for await (const text of stream) {
      parser ??= initParser(inferSchema(text as string));
      parser.chunk<string[]>(text as string, undefined, () => {
        count++;
      });
    }
    parser?.end();
    return count;
  },
  'papaparse alone, arrays of strings': () =>
    new Promise((resolve, reject) => {
      let count = -1;
      papaparse.parse(chunks(), {
        chunk: ({ data }) => {
          count += data.filter((row) => (row as string[]).length > 1).length;
        },
        complete: () => resolve(count),
        error: reject,
      });
    }),
};

mkdirSync(values.folder, { recursive: true });
await makeSource(source, rows, 'csv');
const megabytes = statSync(source).size / 1e6;
const seconds: Record<string, number[]> = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
for (let round = -1; round < Number(values.rounds); round++)
  for (const [way, run] of Object.entries(ways)) {
    removeStore(store);
    const started = performance.now();
    const found = await run();
    if (found !== rows) throw new Error(`${way} found ${found} rows, not ${rows}`);
    // The first round makes the code warm.
    if (round >= 0) seconds[way].push((performance.now() - started) / 1000);
  }
removeStore(store);
rmSync(source);
rmSync(`${source}.small`);

console.log(`${rows} rows, ${megabytes.toFixed(1)} MB, median of ${values.rounds} rounds\n`);
console.log('| way | MB a second | the import against it |\n|---|--:|--:|');
const [own] = Object.keys(ways);
for (const way of Object.keys(ways)) {
  const ratio = median(seconds[way].map((time, round) => time / seconds[own][round]));
  console.log(`| ${way} | ${(megabytes / median(seconds[way])).toFixed(0)} | ${ratio.toFixed(2)} |`);
}
