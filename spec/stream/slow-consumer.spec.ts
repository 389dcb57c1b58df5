// A sample of npm run slow-consumer: memory stays flat on the way in and on every way out, and where it does not,
// that is found.

import { expect } from 'chai';
import { runScript } from '../helpers/run-script.js';

const SCRIPT = '../stream/slow-consumer-run.ts';

describe('memory under a slow consumer', () => {
  it('is flat over 200,000 rows, in and out, while another writer commits', async () => {
    const { counts, errors } = await runScript(SCRIPT, '--rows', '200000');
    expect(errors).to.equal('');
    expect(counts.ok).to.equal(true);
    expect(counts.commits).to.be.greaterThan(20);
  });

  it('is seen to grow where the consumer keeps what it takes', async () => {
    const { counts, status, errors } = await runScript(SCRIPT, '--rows', '200000', '--defect', 'keep');
    expect(status).to.equal(1);
    expect(counts.ok).to.equal(false);
    expect(errors).to.contain('in the first');
  });
});
