// System calls on real files that fail, are interrupted or come back short: a sample of what `npm run fault:io` goes
// through, in a process of its own, because the calls are replaced before any file of lib/ is loaded.

import { expect } from 'chai';
import { runScript } from '../helpers/run-script.js';

const SCRIPT = '../fault/failing-io-run.ts';

describe('a store whose system calls fail', () => {
  it('raises typed errors, loses nothing acknowledged, and goes on', async () => {
    const { counts, status, errors } = await runScript(SCRIPT, '--seed', '5', '--step', '251');
    expect(errors).to.equal('');
    expect(status).to.equal(0);
    expect(counts.ok).to.equal(true);
    expect(counts.faults).to.be.at.least(45);
  });

  /** Where each is found soon: the workload, and how many ways are left out between two that are tried. */
  const defects: Readonly<Record<string, readonly [workload: string, step: number]>> = {
    'a short read is not continued': ['read-only between commits', 1],
    'a short write is not continued': ['a commit too long for the log', 1],
    'an interrupted call is not made again': ['read-only between commits', 1],
    'a failed sync is made again': ['3 small commits of 20 bytes', 1],
    'what the system says comes through untyped': ['read-only between commits', 1],
  };
  for (const [name, [workload, step]] of Object.entries(defects)) {
    it(`is told from one of which ${name}`, async () => {
      const args = ['--seed', '1', '--workload', workload, '--step', String(step), '--defect', name];
      const { counts, status, errors } = await runScript(SCRIPT, ...args);
      expect(counts.ok).to.equal(false);
      expect(status).to.equal(1);
      expect(errors).to.include('repeat it with: npm run fault:io -- --seed 1');
    });
  }
});
