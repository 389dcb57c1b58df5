// Crashes during recovery, every subset of what was not synced, and calls that fail: a sample of what
// `npm run crash`, `npm run crash:exhaustive` and `npm run crash:faults` go through.

import { expect } from 'chai';
import { noCampaignCounts, runCampaign } from './campaign.js';
import { exhaust, noCounts, words } from './exhaustive.js';
import { callsOf, faultPlans, runWithFault } from './failing-disk.js';
import { WORKLOADS } from './workloads.js';

const SEED = 20_240_607;
const MILLISECONDS = 120_000;

describe('after a power cut', () => {
  for (const workload of ['commits as long as half a log', 'a commit too long for the log']) {
    it(`and others while it recovers, twice in a row, the store is whole: ${workload}`, async () => {
      const counts = noCampaignCounts();
      await runCampaign({ ...SAMPLE, cutChance: 0, recoveries: 1, only: { workload } }, counts);
      expect(counts.recoveryImages).to.be.greaterThan(100);
    }).timeout(MILLISECONDS);
  }

  it('the store is whole whatever part of the unsynced is kept, for every workload of one step', async () => {
    const counts = noCounts();
    for (const word of words(1)) await exhaust(word, SEED, counts);
    expect(counts.cutsPassedOver).to.equal(0);
    expect(counts.images).to.be.greaterThan(200);
  }).timeout(MILLISECONDS);
});

const SAMPLE = {
  seed: SEED,
  variants: 5,
  recoveryVariants: [1, 1],
  imagesMax: Number.POSITIVE_INFINITY,
};

/** So many of the ways in which calls can fail, spread over all. */
const FAULTS = 25;

describe('on a disk whose calls fail', () => {
  for (const name of [
    '3 small commits of 900 bytes',
    'small commits synced by the event loop',
    'spills and small commits in turn',
    'an atomic load',
  ]) {
    it(`errors are typed, and nothing acknowledged is lost: ${name}`, async () => {
      const workload = WORKLOADS.find((known) => known.name === name);
      if (workload === undefined) throw new Error(`there is no workload ${name}`);
      const plans = [...faultPlans(await callsOf(workload, SEED))];
      const step = Math.max(1, Math.floor(plans.length / FAULTS));
      let images = 0;
      for (let at = 0; at < plans.length; at += step) images += await runWithFault(workload, SEED, plans[at]);
      expect(images).to.be.greaterThan(FAULTS);
    }).timeout(MILLISECONDS);
  }
});
