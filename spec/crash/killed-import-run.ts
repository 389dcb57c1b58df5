// npm run crash:import: kills imports at random, each again and again until it comes to its end, and compares what
// they leave with what imports leave that were let alone. Ends with one line of JSON.
//
//   --seed 1       of the times
//   --kills 200    at least so many
//   --rows 60000   of each source

import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Child } from '../helpers/child.js';
import { Random } from '../helpers/random.js';
import { type Shape, stateAfter, writeSource } from '../helpers/resumable.js';
import { tellResult } from '../helpers/run-result.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '200' },
    rows: { type: 'string', default: '60000' },
  },
});

const SHAPES: readonly Shape[] = [
  { order: 'sorted', zipped: false, onDuplicate: 'replace', rejects: 'file' },
  { order: 'unsorted', zipped: false, onDuplicate: 'replace', rejects: 'bucket' },
  { order: 'sorted', zipped: true, onDuplicate: 'keep', rejects: 'file' },
  { order: 'unsorted', zipped: true, onDuplicate: 'keep', rejects: 'file' },
  { order: 'sorted', zipped: false, onDuplicate: 'error', rejects: 'bucket' },
];

const seed = Number(values.seed);
const counts = { imports: 0, kills: 0, resumed: 0 };

/** Lets an import run until it is killed or has ended; returns its last words. */
async function runImport(args: readonly string[], milliseconds: number): Promise<string | undefined> {
  const child = new Child('./child-importer.ts', args);
  if ((await child.line()) !== 'open') throw new Error('the import did not begin');
  const ended = child.line();
  const last = await Promise.race([ended, sleep(milliseconds, 'late', { ref: false })]);
  if (last !== 'late') return last;
  await child.kill();
  // It may have ended just now.
  return ended;
}

async function killAgainAndAgain(folder: string, shape: Shape, random: Random): Promise<void> {
  const file = (name: string): string => path.join(folder, name);
  const source = file(shape.zipped ? 'rows.csv.gz' : 'rows.csv');
  await writeSource(source, shape, Number(values.rows));
  const args = [file('killed.db'), source, file('killed.ndjson'), JSON.stringify(shape)];
  const alone = [file('alone.db'), source, file('alone.ndjson'), JSON.stringify(shape)];
  const began = performance.now();
  if ((await runImport(alone, 600_000)) === undefined) throw new Error('an import that was let alone failed');
  const whole = performance.now() - began;
  let end: string | undefined;
  for (let longer = 1; end === undefined; longer *= 1.1) {
    end = await runImport(args, random.below(whole * 0.6) * longer);
    if (end === undefined) counts.kills++;
  }
  if (Number(end.split(' ')[2]) > 0) counts.resumed++;
  counts.imports++;
  const [killed, expected] = [await stateAfter(args[0], args[2]), await stateAfter(alone[0], alone[2])];
  if (killed !== expected)
    throw new Error(`it is not as it would be: ${JSON.stringify(shape)}, in ${folder}`);
  const left = (await fs.readdir(folder)).filter(
    (name) => name.startsWith('killed.db') && name !== 'killed.db',
  );
  if (left.length > 0) throw new Error(`it leaves ${left.join(', ')} in ${folder}`);
}

const started = performance.now();
try {
  for (let round = 0; counts.kills < Number(values.kills); round++) {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'killed-import-'));
    await killAgainAndAgain(folder, SHAPES[round % SHAPES.length], Random.of(seed, round));
    await fs.rm(folder, { recursive: true });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

tellResult(started, { seed, ...counts });
