// A sample of what `npm run crash:kill` does: processes that commit kill themselves in a call to the system.

import { expect } from 'chai';
import { Random } from '../../helpers/random.js';
import { useStores } from '../../helpers/store.js';
import { Violation } from '../oracle.js';
import { killOnce, noKills, planOf } from './killed.js';

const SEED = 7;

describe('a process that is killed in a call', () => {
  const stores = useStores();

  it('has all that it was told, and at most one step more', async () => {
    const file = await stores.path();
    const counts = noKills();
    let steps = 0;
    for (const call of ['writeSync', 'write', 'fdatasync', 'rmSync'] as const)
      steps = await killOnce(file, steps, call, planOf(call, Random.of(SEED), undefined), counts);
    expect(counts.kills).to.equal(4);
    expect(counts.steps).to.be.above(5);
  });

  it('is told from one that acknowledges before the commit', async () => {
    const file = await stores.path();
    let found: unknown;
    try {
      const kill = { call: 'writeSync', count: 4, part: false } as const;
      await killOnce(file, 0, 'writeSync', { defect: 'acknowledges before the commit', kill }, noKills());
    } catch (error) {
      found = error;
    }
    expect(found).to.be.an.instanceof(Violation);
  });
});
