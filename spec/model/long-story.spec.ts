// A sample of what `npm run model` tells, and that it finds what it is there for.

import { expect } from 'chai';
import { runScript } from '../helpers/run-script.js';
import { MODEL_DEFECTS } from './model-defects.js';

/** What each defect is found by, so that a story which fails for another reason does not pass for one that finds it. */
const FOUND: Readonly<Record<string, RegExp>> = {
  'a page that a reader needs is used again': /page \d+ is damaged|the value of key|where .* was expected/,
  'free pages are not used again': /fileBytes grew/,
  'a descriptor is left open': /descriptors grew/,
  'closed stores are kept in memory': /memoryBytes grew/,
};

const SCRIPT = '../model/model-run.ts';

describe('a long story', () => {
  it('is as sorted maps tell it, and nothing grows', async () => {
    const { counts, status, errors } = await runScript(SCRIPT, '--operations', '20000', '--seed', '11');
    expect(errors).to.equal('');
    expect(status).to.equal(0);
    expect(counts.ok).to.equal(true);
    expect(counts.operations).to.be.at.least(20_000);
    expect(counts.commits).to.be.above(300);
  });

  for (const name of Object.keys(MODEL_DEFECTS)) {
    it(`is told from one in which ${name}`, async () => {
      const args = ['--operations', '20000', '--seed', '12', '--defect', name];
      const { counts, status, errors } = await runScript(SCRIPT, ...args);
      expect(counts.ok).to.equal(false);
      expect(status).to.equal(1);
      expect(errors).to.match(FOUND[name]);
      expect(errors).to.include('repeat it with: npm run model --');
    });
  }
});
