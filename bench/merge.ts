// npm run merge -- FILE...: what several runs with --json have measured, as one table, one of how costs grow, and a chart.
//
//   --chart PATH

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chart } from './report/chart.js';
import { growth } from './report/growth.js';
import type { Series } from './report/results.js';
import { table } from './report/table.js';

const { values, positionals } = parseArgs({
  options: { chart: { type: 'string' } },
  allowPositionals: true,
});

const all = positionals.flatMap(
  (path) => (JSON.parse(readFileSync(path, 'utf8')) as { results: Series[] }).results,
);
console.log(`${table(all)}\n${growth(all)}`);
if (values.chart !== undefined) writeFileSync(values.chart, chart(all));
