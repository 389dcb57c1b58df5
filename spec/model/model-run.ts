// npm run model: the whole API against sorted maps, operation after operation, with a look at what the process holds
// and how large the file is. Ends with one line of JSON; with what is wrong, and how to repeat it, if something is.
//
//   --operations 1000000
//   --seed 1
//   --defect NAME       plants a defect of model-defects.ts, to see that it is found

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';

process.env.BTREE_STORE_ASSERT = '1';
const { Random } = await import('../helpers/random.js');
const { expectNoGrowth, takeSample } = await import('./growth.js');
const { LongStory } = await import('./long-story.js');
type Sample = ReturnType<typeof takeSample>;

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    defect: { type: 'string' },
  },
});
if (values.defect !== undefined) {
  const { plantModelDefect } = await import('./model-defects.js');
  plantModelDefect(values.defect);
}

/** Growth is told from so many samples. */
const SAMPLES = 20;

const started = performance.now();
const seed = Number(values.seed);
const operations = Number(values.operations);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'model-'));
const file = path.join(folder, 'store.db');
const story = new LongStory(file, new Random(seed));
const samples: Sample[] = [];
process.on('unhandledRejection', (error) => {
  console.error('a promise was rejected and no one handled it:', error);
  process.exitCode = 1;
});

try {
  for (let i = 0; i < SAMPLES; i++) {
    await story.tell(operations / SAMPLES);
    await story.rest();
    samples.push(takeSample(file));
  }
  expectNoGrowth(samples);
} catch (error) {
  const what = error instanceof Error ? (error.stack ?? error.message) : error;
  console.error(
    `${what}\n  after ${story.operations} operations; repeat it with: npm run model -- --operations ${operations} --seed ${seed}`,
  );
  process.exitCode = 1;
}
fs.rmSync(folder, { recursive: true, force: true });

const { commits, reopenings } = story;
const megabytes = (bytes: number | undefined): number => Math.round((bytes ?? 0) / 1e5) / 10;
/** Samples scatter by the cache of the store just closed, which may not be collected yet: the least tells most. */
const least = (part: readonly Sample[]): Sample | undefined =>
  [...part].sort((a, b) => a.memoryBytes - b.memoryBytes)[0];
const figures = (sample: Sample | undefined): Record<string, number | undefined> => ({
  memoryMegabytes: megabytes(sample?.memoryBytes),
  residentMegabytes: megabytes(sample?.residentBytes),
  descriptors: sample?.descriptors,
  fileMegabytes: megabytes(sample?.fileBytes),
});
tellResult(started, {
  seed,
  operations: story.operations,
  commits,
  reopenings,
  early: figures(least(samples.slice(SAMPLES / 4, SAMPLES / 2))),
  late: figures(least(samples.slice(-SAMPLES / 4))),
});
