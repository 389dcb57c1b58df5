// lib/cli/interrupt.ts: signals end a command also where a call of the system never returns.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { cli, startCli } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

describe('a command that waits for the other end of a pipe', function () {
  this.timeout(60_000);

  /** Whether a process has set a handler for SIGTERM, as far as the system tells. */
  async function catchesSignals(pid: number | undefined): Promise<boolean> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status ?? '')?.[1];
    return caught === undefined || (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
  }

  /** Starts a command, and waits until it waits for the pipe. */
  async function waiting(words: string[]): Promise<ReturnType<typeof startCli>> {
    const child = startCli(words);
    child.stdout.resume();
    await sleep(1000);
    while (!(await catchesSignals(child.pid))) await sleep(50);
    await sleep(1000);
    expect(child.exitCode).to.equal(null);
    return child;
  }

  const FROM_INPUT = ['--format', 'csv', '--key', 'id'];
  for (const [name, words] of [
    ['an import', ['import', 'STORE', 'rows', 'PIPE', ...FROM_INPUT]],
    ['rejects', ['import', 'STORE', 'rows', 'SOURCE', ...FROM_INPUT, '--rejects', 'PIPE']],
    ['an export', ['export', 'STORE', 'orders', '--format', 'csv', '-o', 'PIPE']],
    ['a sort', ['sort', 'SOURCE', ...FROM_INPUT, '-o', 'PIPE']],
  ] as const)
    it(`ends at a signal, and leaves nothing: ${name}`, async function () {
      if (process.platform === 'win32') this.skip();
      const store = await stores.path('shop.db');
      const pipe = join(dirname(store), 'pipe');
      execFileSync('mkfifo', [pipe]);
      const source = join(dirname(store), 'rows.csv');
      await writeFile(source, 'id\n1\n');
      await cli(['import', store, 'orders', '-', '--format', 'csv', '--key', 'id'], { input: 'id\n1\n' });
      const before = await readdir(dirname(store));
      const paths = new Map<string, string>([
        ['STORE', store],
        ['SOURCE', source],
        ['PIPE', pipe],
      ]);
      const child = await waiting(words.map((word) => paths.get(word) ?? word));
      const ending = once(child, 'exit') as Promise<[status: number | null, signal: string | null]>;
      child.kill('SIGTERM');
      const [status, signal] = await ending;
      expect(signal ?? status).to.be.oneOf(['SIGTERM', 143]);
      expect((await readdir(dirname(store))).filter((name) => !name.endsWith('.pending'))).to.deep.equal(
        before.filter((name) => !name.endsWith('.pending')),
      );
    });
});
