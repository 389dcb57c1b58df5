// spec/crash itself: with a defect planted in the store, or below it, the harness must find it.

import { expect } from 'chai';
import { noCampaignCounts, runCampaign } from './campaign.js';
import { Violation } from './oracle.js';
import { PLANTED_DEFECTS, type PlantedDefect } from './planted-defects.js';

/** Seeds tried until the defect is found. */
const SEEDS = 6;

async function find(defect: PlantedDefect): Promise<Violation | undefined> {
  const restore = defect.plant?.();
  try {
    for (let seed = 1; seed <= SEEDS; seed++) {
      for (const workload of defect.workloads) {
        await runCampaign(
          {
            seed,
            variants: 10,
            cutChance: 1,
            recoveries: 1,
            recoveryVariants: [2],
            imagesMax: Number.POSITIVE_INFINITY,
            double: defect.double,
            only: { workload },
          },
          noCampaignCounts(),
        );
      }
    }
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  } finally {
    restore?.();
  }
  return undefined;
}

describe('the harness finds', () => {
  for (const defect of PLANTED_DEFECTS) {
    it(`that ${defect.name}`, async () => {
      const found = await find(defect);
      expect(found, 'a violation').to.be.an.instanceof(Violation);
      expect(found?.message).to.include('repeat it with: npm run crash -- --seed');
    }).timeout(60_000);
  }
});
