// npm run crash: seed after seed, until as many images as were asked for have been looked at. Ends with one line
// of JSON; with what is wrong, and how to repeat it, if something is. An interrupt ends it early.
//
//   --seed 1            the first seed; each round takes the next
//   --images 100000     images to look at, at least
//   --variants 20       images of each cut
//   --part 1            of all cuts that are taken, drawn: less of it goes through the workloads sooner
//   --recoveries 2      cuts of each workload from which recovery is cut in its turn, twice in a row
//   --workload NAME --cut N --variant N --origin NAME --path N.N     only that

import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';
import { reuseMemory } from './reused-memory.js';

process.env.BTREE_STORE_ASSERT = '1';
reuseMemory();
const { noCampaignCounts, runCampaign } = await import('./campaign.js');

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    images: { type: 'string', default: '100000' },
    variants: { type: 'string', default: '20' },
    part: { type: 'string', default: '1' },
    recoveries: { type: 'string', default: '2' },
    workload: { type: 'string' },
    cut: { type: 'string' },
    variant: { type: 'string' },
    origin: { type: 'string' },
    path: { type: 'string' },
  },
});

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);
const started = performance.now();
const counts = noCampaignCounts();
const first = Number(values.seed);
let imagesMax = Number(values.images);
const isRepetition = values.workload !== undefined;
let seed = first;
let rejections = 0;
// A long run that is broken off tells what it has looked at.
process.once('SIGINT', () => {
  imagesMax = 0;
});
process.on('unhandledRejection', (error) => {
  rejections++;
  console.error('a promise was rejected and no one handled it:', error);
});

try {
  while (counts.images + counts.recoveryImages < imagesMax) {
    await runCampaign(
      {
        seed,
        variants: Number(values.variants),
        cutChance: Number(values.part),
        recoveries: Number(values.recoveries),
        recoveryVariants: [2, 2],
        get imagesMax() {
          return imagesMax;
        },
        only: {
          workload: values.workload,
          cut: number(values.cut),
          variant: number(values.variant),
          origin: values.origin,
          path: values.path?.split('.').map(Number),
        },
      },
      counts,
    );
    console.error(`seed ${seed}: ${counts.images} images, ${counts.recoveryImages} of recoveries`);
    seed++;
    if (isRepetition) break;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
if (rejections > 0) process.exitCode = 1;

tellResult(started, {
  seed: first,
  seeds: seed - first,
  ...counts,
});
