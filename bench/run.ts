// npm run bench: all engines on the same data, in turn, each time in a process of its own, several rounds; a table with
// how ours compares with the best of the others, the same as JSON, and a chart.
//
//   --entries 100000,1000000     sizes of stores
//   --values 100                 bytes of values
//   --rounds 5
//   --workloads scan,get-hot     only these
//   --engines btree-store,lmdb   only these
//   --folder PATH                where stores are made; a folder on the disk that is to be measured
//   --json PATH --chart PATH     where results go, beside the screen
//   --keep                       leaves the stores there, for the next time

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINE_NAMES, OURS } from './engines/engines.js';
import { copyStore, preparedStore, removeStore, runWorker } from './prepare.js';
import { chart } from './report/chart.js';
import { growth } from './report/growth.js';
import { figureOf, type Series } from './report/results.js';
import { sizeOf, table } from './report/table.js';
import { makeSource } from './sources.js';
import type { Measured, Setting, Workload } from './workloads/workload.js';
import { WORKLOADS, workloadNamed } from './workloads/workloads.js';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '100000,1000000' },
    values: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
    workloads: { type: 'string' },
    engines: { type: 'string', default: ENGINE_NAMES.join(',') },
    folder: { type: 'string', default: join(os.tmpdir(), 'btree-store-bench') },
    json: { type: 'string' },
    chart: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const engines = values.engines.split(',');
const workloads = values.workloads?.split(',').map(workloadNamed) ?? WORKLOADS;
const rounds = Number(values.rounds);
const { folder } = values;
const all: Series[] = [];

mkdirSync(join(folder, 'run'), { recursive: true });
for (const entries of values.entries.split(',').map(Number)) {
  const sources = {
    csv: join(folder, `rows-${entries}.csv`),
    ndjson: join(folder, `rows-${entries}.ndjson`),
  };
  if (workloads.some(({ name, start }) => name.startsWith('import') || start === 'json'))
    for (const format of ['csv', 'ndjson'] as const) await makeSource(sources[format], entries, format);
  for (const valueBytes of values.values.split(',').map(Number))
    for (const workload of workloads) all.push(measure(workload, { entries, valueBytes, sources }));
}
if (!values.keep) rmSync(folder, { recursive: true, force: true });

console.log(`\n${machine()}\n\n${table(all)}\n${growth(all)}`);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine: machine(), rounds, results: all }, undefined, 2)}\n`,
  );
if (values.chart !== undefined) writeFileSync(values.chart, chart(all));

type Size = Pick<Setting, 'entries' | 'valueBytes' | 'sources'>;

/** All rounds of a workload: in each the engines one after the other, a different one first. */
function measure(workload: Workload, size: Size): Series {
  const { name, title, unit, target } = workload;
  const { entries, valueBytes } = size;
  const taking = engines.filter((engine) => !(workload.without ?? []).includes(engine));
  const runs: Record<string, number[]> = Object.fromEntries(taking.map((engine) => [engine, []]));
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < taking.length; turn++) {
      const engine = taking[(turn + round) % taking.length];
      runs[engine].push(figureOf(workload, runOnce(workload, engine, size)));
    }
  const series = { workload: name, title, unit, target, entries, valueBytes, runs };
  console.log(
    `${title}, ${sizeOf(series)}: ${taking.map((engine) => `${engine} ${runs[engine].map((run) => run.toPrecision(3)).join(' ')}`).join('; ')}`,
  );
  return series;
}

function runOnce(workload: Workload, engine: string, size: Size): Measured {
  const own = join(folder, 'run', 'own');
  rmSync(join(folder, 'run'), { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  const setting: Setting = { ...size, path: join(folder, 'run', 'store'), folder: own };
  const prepared =
    workload.start === 'empty' ? undefined : preparedStore(folder, engine, workload.start, setting);
  if (prepared !== undefined && workload.writes) copyStore(prepared, setting.path);
  const path = prepared === undefined || workload.writes ? setting.path : prepared;
  const output = runWorker({ engine, workload: workload.name, setting: { ...setting, path } });
  removeStore(setting.path);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Measured;
}

function machine(): string {
  const [cpu] = os.cpus();
  const versions = ENGINE_NAMES.filter((name) => name !== OURS).map((name) => {
    const text = readFileSync(join(import.meta.dirname, 'node_modules', name, 'package.json'), 'utf8');
    return `${name} ${(JSON.parse(text) as { version: string }).version}`;
  });
  return `Node.js ${process.version}, ${os.type()} ${os.arch()}, ${os.cpus().length} × ${cpu.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GB; ${versions.join(', ')}; ${rounds} rounds`;
}
