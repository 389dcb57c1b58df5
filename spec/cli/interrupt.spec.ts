// lib/cli/interrupt.ts: signals end a command also where a call of the system never returns.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { cli, startCli } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

describe('a command that waits for the other end of a pipe', function () {
  this.timeout(60_000);

  /** Starts a command, and waits until it has opened the pipe, as far as that goes. */
  async function waiting(words: string[]): Promise<ReturnType<typeof startCli>> {
    const child = startCli(words);
    child.stdout.resume();
    await sleep(2000);
    expect(child.exitCode).to.equal(null);
    return child;
  }

  for (const [name, words, signals] of [
    ['an import', ['import', 'STORE', 'rows', 'PIPE', '--format', 'csv', '--key', 'id'], 1],
    ['an export', ['export', 'STORE', 'orders', '--format', 'csv', '-o', 'PIPE'], 2],
  ] as const)
    it(`ends at the ${signals === 1 ? 'first' : 'second'} signal, and leaves nothing: ${name}`, async function () {
      if (process.platform === 'win32') this.skip();
      const store = await stores.path('shop.db');
      const pipe = join(dirname(store), 'pipe');
      execFileSync('mkfifo', [pipe]);
      await cli(['import', store, 'orders', '-', '--format', 'csv', '--key', 'id'], { input: 'id\n1\n' });
      const before = await readdir(dirname(store));
      const paths = new Map<string, string>([
        ['STORE', store],
        ['PIPE', pipe],
      ]);
      const child = await waiting(words.map((word) => paths.get(word) ?? word));
      const ending = once(child, 'exit') as Promise<[status: number | null, signal: string | null]>;
      for (let sent = 0; sent < signals; sent++) {
        child.kill('SIGTERM');
        await sleep(100);
      }
      const [status, signal] = await ending;
      expect(signal ?? status).to.be.oneOf(['SIGTERM', 143]);
      expect((await readdir(dirname(store))).filter((name) => !name.endsWith('.pending'))).to.deep.equal(
        before.filter((name) => !name.endsWith('.pending')),
      );
    });
});
