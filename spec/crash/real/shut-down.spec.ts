// An ext4 file system is shut down without flushing while a process commits to a store on it. Needs root.

import { expect } from 'chai';
import { Violation } from '../oracle.js';
import { Ext4, reasonAgainst } from './mounts.js';
import { shutDownOnce } from './shut-down.js';

describe('a store on a file system that is shut down without flushing', () => {
  let system: Ext4 | undefined;

  before(function () {
    const reason = reasonAgainst(() => {
      const made = new Ext4();
      made.shutDown();
      return made;
    });
    if (reason === undefined) return;
    console.log(`    skipped: no ext4 file system can be shut down here: ${reason}`);
    this.skip();
  });

  afterEach('the file system is gone', () => {
    system?.remove();
    system = undefined;
  });

  it('has all that was acknowledged, and at most one step more', async () => {
    system = new Ext4();
    let steps = 0;
    for (const milliseconds of [0, 300]) steps = await shutDownOnce(system, steps, milliseconds);
    expect(steps).to.be.above(1);
  });

  it('is told from one whose syncs do nothing', async () => {
    system = new Ext4();
    let found: unknown;
    try {
      await shutDownOnce(system, 0, 300, 'syncs do nothing');
    } catch (error) {
      found = error;
    }
    expect(found, String(found)).to.satisfy(
      (error: unknown) =>
        error instanceof Violation ||
        (error instanceof Error && 'code' in error && error.code !== 'STORE_LOCKED'),
    );
  });
});
