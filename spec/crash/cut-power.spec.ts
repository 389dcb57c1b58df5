// The power is cut after everything that a workload does to the disk; what is left must be a state that the
// store had, nothing acknowledged lost, nothing leaked.

import { expect } from 'chai';
import { Random } from '../helpers/random.js';
import { cutsOf, imagesOf, record, verify } from './explore.js';
import { WORKLOADS } from './workloads.js';

const SEED = 20_260_101;
/** Images of one cut that are looked at, and cuts of one workload, spread over all of it. */
const USUAL = { variants: 3, cuts: 8 };
/** This one sees every cut: each order of pages, maps, log and meta page matters in it. */
const THOROUGH = { variants: 5, cuts: Number.POSITIVE_INFINITY };
const thorough = new Set(['a load in commits']);

describe('a cut of the power', () => {
  for (const [index, workload] of WORKLOADS.entries()) {
    it(`is survived: ${workload.name}`, async () => {
      const recording = await record(workload, SEED, index);
      const { variants, cuts } = thorough.has(workload.name) ? THOROUGH : USUAL;
      const step = Math.max(1, Math.floor(recording.operations.length / cuts));
      let images = 0;
      for (const cut of cutsOf(recording)) {
        if (cut.at % step !== 0 && cut.at !== recording.operations.length) continue;
        const random = (variant: number): Random => Random.of(SEED, index, cut.at, variant);
        for (const { variant, image } of imagesOf(cut, variants, random)) {
          await verify(image, workload.options, cut.allowed, random(variant));
          images++;
        }
      }
      expect(images).to.be.above(0);
    });
  }
});
