// npm run crash:exhaustive: every workload of up to so many steps over a small alphabet, every cut, every subset
// of what was not synced. Ends with one line of JSON.
//
//   --length 3     steps of a workload at the most
//   --seed 1       of the ids of the stores and the time that calls take
//   --word "put checkpoint"     only this workload

import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';

process.env.BTREE_STORE_ASSERT = '1';
const { exhaust, noCounts, words } = await import('./exhaustive.js');

const { values } = parseArgs({
  options: {
    length: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    word: { type: 'string' },
  },
});

const started = performance.now();
const counts = noCounts();
const seed = Number(values.seed);

try {
  const all =
    values.word === undefined ? words(Number(values.length)) : [values.word.split(' ').filter(Boolean)];
  for (const word of all) await exhaust(word, seed, counts);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

tellResult(started, {
  seed,
  ...counts,
});
