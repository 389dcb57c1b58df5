// npm run imports: imports of a long CSV file, its rows sorted by key and shuffled, in turn, each in a process of its
// own: how fast each is, whether its rate holds from beginning to end, and the most memory that it takes.
//
//   --rows 10000000
//   --rounds 3
//   --folder PATH     where the files and the store are made

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Imported } from './import-worker.js';
import { removeStore } from './prepare.js';
import { median } from './report/statistics.js';
import { makeSource, type Order } from './sources.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: join(os.tmpdir(), 'btree-store-bench') },
  },
});

const ORDERS: readonly Order[] = ['sorted', 'shuffled'];
const rows = Number(values.rows);
const store = join(values.folder, 'imports.db');
const sourceOf = (order: Order): string => join(values.folder, `rows-${rows}-${order}.csv`);

function run(order: Order): Imported {
  removeStore(store);
  const worker = join(import.meta.dirname, 'dist', 'import-worker.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [worker, sourceOf(order), store], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the import of ${order} rows failed: ${stderr.slice(-2000)}`);
  const imported = JSON.parse(stdout) as Imported;
  if (imported.rows !== rows) throw new Error(`${imported.rows} rows of ${order} ones came in, not ${rows}`);
  return imported;
}

mkdirSync(values.folder, { recursive: true });
for (const order of ORDERS) await makeSource(sourceOf(order), rows, 'csv', order);
const megabytes = statSync(sourceOf('sorted')).size / 1e6;
const runs: Record<Order, Imported[]> = { sorted: [], shuffled: [] };
for (let round = 0; round < Number(values.rounds); round++)
  for (const order of ORDERS) runs[order].push(run(order));
removeStore(store);
for (const order of ORDERS)
  for (const file of ['', '.small']) rmSync(sourceOf(order) + file, { force: true });

console.log(`${rows} rows, ${megabytes.toFixed(0)} MB of CSV, medians of ${values.rounds} rounds\n`);
console.log('| rows | k rows a second | MB a second | most memory | rate of each tenth against the whole |');
console.log('|---|--:|--:|--:|---|');
for (const order of ORDERS) {
  const seconds = median(runs[order].map((imported) => imported.seconds));
  const tenths = runs[order][0].tenths.map((_, tenth) =>
    median(runs[order].map((imported) => imported.tenths[tenth])),
  );
  console.log(
    `| ${order} | ${(rows / seconds / 1e3).toFixed(0)} | ${(megabytes / seconds).toFixed(0)} | ${median(runs[order].map(({ memoryMegabytes }) => memoryMegabytes)).toFixed(0)} MB | ${tenths.map((part) => part.toFixed(2)).join(' ')} |`,
  );
}
const parts = runs.sorted.map(({ seconds }, round) => seconds / runs.shuffled[round].seconds);
console.log(`\nshuffled rows come in at ${median(parts).toFixed(2)} of the speed of sorted ones`);
