// spec/crash itself: with a defect planted in the store, or below it, the harness must find it.

import { expect } from 'chai';
import { noCampaignCounts, runCampaign } from './campaign.js';
import { Violation } from './oracle.js';
import { PLANTED_DEFECTS, type PlantedDefect } from './planted-defects.js';

/** What is found with the defect planted; undefined if nothing is. */
async function find(
  defect: PlantedDefect,
  recoveryVariants = defect.recoveryVariants ?? [],
): Promise<Violation | undefined> {
  const recoveries = defect.recoveries ?? 0;
  const restore = defect.plant?.();
  try {
    await runCampaign(
      {
        seed: defect.seed,
        variants: 10,
        cutChance: recoveries > 0 ? 0 : 1,
        recoveries,
        recoveryVariants,
        imagesMax: Number.POSITIVE_INFINITY,
        double: defect.double,
        backupDouble: defect.backupDouble,
        only: { workload: defect.workload },
      },
      noCampaignCounts(),
    );
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  } finally {
    restore?.();
  }
  return undefined;
}

describe('cuts of the power find', () => {
  for (const defect of PLANTED_DEFECTS) {
    it(`that ${defect.name}`, async () => {
      const found = await find(defect);
      expect(found, 'a violation').to.be.an.instanceof(Violation);
      expect(found?.message).to.include('repeat it with: npm run crash -- --seed');
    });
  }

  it('what only a second recovery meets, and only there', async () => {
    const defect = PLANTED_DEFECTS.find(({ name }) => name.endsWith('at the second attempt'));
    expect(defect).to.not.equal(undefined);
    if (defect !== undefined) expect(await find(defect, [1])).to.equal(undefined);
  });
});
