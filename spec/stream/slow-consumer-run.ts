// npm run slow-consumer: loads rows from a source that is never late, then takes them by each way out with a consumer
// that waits now and then, while another writer commits, and looks at what the process holds. Ends with one line of
// JSON; with what is wrong if something is.
//
//   --rows 10000000
//   --defect keep       the consumer keeps what it takes, to see that the growth is found

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { open } from 'btree-store';
import { Violation } from '../crash/oracle.js';
import { tellResult } from '../helpers/run-result.js';
import { besideWriter, type Held, loadFast, takeSlowly, WAYS_OUT } from './slow-consumer.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '10000000' }, defect: { type: 'string' } },
});

/** Growth that counts: of what is resident beside the first tenth, of what is in use beside the first quarter. */
const RESIDENT_SLACK = 64 << 20;
const USED_SLACK = 6 << 20;
/** As little as can be, so that it is full from the first rows on. */
const CACHE_BYTES = 4 << 20;

const started = performance.now();
const rows = Number(values.rows);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slow-consumer-'));
const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
const figures: Record<string, unknown> = {};
let commits = 0;

function note(name: string, held: Held): void {
  const { early, middle, late, peak, usedEarly, usedPeak, seconds } = held;
  const parts = { early, middle, late, peak, usedEarly, usedPeak };
  const shown = Object.fromEntries(Object.entries(parts).map(([part, bytes]) => [part, megabytes(bytes)]));
  figures[name] = { ...shown, seconds };
  if (peak > early + RESIDENT_SLACK)
    throw new Violation(`${name}: ${peak} bytes were resident, ${early} in the first tenth`);
  if (usedPeak > usedEarly + USED_SLACK)
    throw new Violation(`${name}: ${usedPeak} bytes were in use, ${usedEarly} in the first quarter`);
}

try {
  const db = await open(path.join(folder, 'store.db'), { cacheBytes: CACHE_BYTES });
  const bucket = db.bucket('rows');
  note('load', await loadFast(bucket, rows));
  for (const way of Object.keys(WAYS_OUT)) {
    commits += await besideWriter(db, bucket, rows, async () => {
      note(way, await takeSlowly(bucket, rows, way, values.defect === 'keep'));
    });
  }
  const { snapshots } = db.stats();
  if (snapshots > 0) throw new Violation(`${snapshots} snapshots were never released`);
  await db.close();
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
}
fs.rmSync(folder, { recursive: true, force: true });

tellResult(started, { seed: 0, rows, commits, ...figures });
