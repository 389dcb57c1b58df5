// One import in a process of its own: a CSV file into a store that is new, durable at the end. Prints a line of JSON.

import { importCsv, open } from 'btree-store';

/** What the worker prints. */
export interface Imported {
  readonly rows: number;
  readonly seconds: number;
  /** Rows a second in each tenth of the rows that were read, against the rate at which all were read. */
  readonly tenths: readonly number[];
  readonly memoryMegabytes: number;
}

const [source, path] = process.argv.slice(2);
const started = performance.now();
const db = await open(path);
const bucket = db.bucket('rows');
const job = importCsv(bucket, source, { key: 'id' });
const points: { rows: number; at: number }[] = [{ rows: 0, at: 0 }];
job.progress$.subscribe(({ rows, phase }) => {
  if (phase !== 'merging') points.push({ rows, at: performance.now() - started });
});
const { rows } = await job;
if (bucket.range().count() !== rows) throw new Error('the store has not as many entries as there were rows');
await db.close();
const seconds = (performance.now() - started) / 1000;

/** When so many rows had been read, between the two reports around it. */
function timeOf(count: number): number {
  const next = points.findIndex((point) => point.rows >= count);
  if (next <= 0) return next === 0 ? 0 : (points.at(-1)?.at ?? 0);
  const [before, after] = [points[next - 1], points[next]];
  return before.at + ((count - before.rows) / (after.rows - before.rows)) * (after.at - before.at);
}

const whole = timeOf(rows);
const tenths = Array.from({ length: 10 }, (_, tenth) => {
  const taken = timeOf((rows * (tenth + 1)) / 10) - timeOf((rows * tenth) / 10);
  return whole / 10 / taken;
});
const memoryMegabytes = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ rows, seconds, tenths, memoryMegabytes } satisfies Imported));
