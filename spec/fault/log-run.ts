// npm run fault:log: flips every bit of a log, and cuts it at every byte. Ends with one line of JSON; with what is
// wrong if something is. The log is always the same but for the store's id.
//
//   --step 1      takes every so many-th bit and length only

import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';

process.env.BTREE_STORE_ASSERT = '1';
const { DamagedLog } = await import('./damaged-log.js');

const { values } = parseArgs({ options: { step: { type: 'string', default: '1' } } });

const started = performance.now();
const step = Number(values.step);
const log = await DamagedLog.make();
const counts = { flips: 0, cuts: 0 };

try {
  for (let bit = 0; bit < log.usedBytes * 8; bit += step) {
    await log.flip(bit >>> 3, bit & 7);
    counts.flips++;
  }
  for (let length = 0; length < log.bytes.length; length += step) {
    await log.cut(length);
    counts.cuts++;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

tellResult(started, {
  seed: 0,
  records: log.records.length,
  bytes: log.usedBytes,
  ...counts,
  images: log.images,
});
