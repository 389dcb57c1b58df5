// lib/stalled-waits.ts: a write that waits for the transaction that waits for it, and nothing else left to do.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { useStores } from './helpers/store.js';

const stores = useStores();

/** Runs a program that has `db`, and returns what it prints. */
async function run(code: string): Promise<string> {
  const script = `
    import { open } from 'btree-store';
    const db = await open(process.argv[1]);
    const told = (error) => console.log(error.code, error.message.includes('tx.bucket(name).put'));
    ${code}
    await db.bucket('b').put('end', 'the turn is free');
    const { ok } = await db.check();
    console.log(ok, Array.from(db.bucket('b').range().keys(), String).join());
    await db.close();
  `;
  const words = ['--import', 'tsx', '--input-type=module', '--eval', script, await stores.path()];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { timeout: 30_000 });
  expect(stderr).to.equal('');
  return stdout;
}

describe('a write that waits for ever', function () {
  this.timeout(60_000);

  const cases: Array<[what: string, code: string, output: string]> = [
    [
      'a put awaited inside db.write',
      `await db.write(async (tx) => { tx.bucket('b').put('a', '1'); await db.bucket('b').put('b', '2'); }).catch(told);`,
      'CONFLICT true\ntrue end\n',
    ],
    [
      'db.write inside db.write, after other awaits',
      `await db.write(async () => { await new Promise((done) => setTimeout(done, 5)); await db.write(() => 1); }).catch(told);`,
      'CONFLICT true\ntrue end\n',
    ],
    [
      'a put caught by the function, whose transaction goes on',
      `await db.write(async (tx) => { await db.bucket('b').put('b', '2').catch(told); tx.bucket('b').put('a', '1'); });`,
      'CONFLICT true\ntrue a,end\n',
    ],
    [
      'many of them behind a transaction that was forgotten',
      `const tx = await db.begin();
       const waits = [db.write(() => 1), db.begin(), db.bucket('b').put('a', '1'), db.bucket('b').put('b', '1')];
       await Promise.all(waits.map((wait) => wait.catch(told)));
       await tx.rollback();`,
      `${'CONFLICT true\n'.repeat(4)}true end\n`,
    ],
  ];
  for (const [what, code, output] of cases) {
    it(`is told: ${what}`, async () => {
      expect(await run(code)).to.equal(output);
    });
  }

  it('is not taken for one that is only slow', async () => {
    const code = `
      const slow = db.write(async (tx) => {
        await new Promise((done) => setTimeout(done, 200));
        tx.bucket('b').put('a', '1');
      });
      await Promise.all([slow, db.bucket('b').put('b', '2'), db.write((tx) => tx.bucket('b').put('c', '3'))]);
    `;
    expect(await run(code)).to.equal('true a,b,c,end\n');
  });
});
