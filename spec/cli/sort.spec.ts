// lib/cli/sort.ts: a file's rows in the order of their keys, in a file that is whole or not there.

import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { cli, cliHere, ended, startCli } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';
import { csvOf, orders, shuffled } from '../helpers/tables.js';

const stores = useStores();
const table = orders(3000);

describe('btree-store sort', function () {
  this.timeout(60_000);

  it('writes a file, gzip by its name, and says what it did', async () => {
    const file = await stores.path('shuffled.csv');
    const [plain, zipped] = [await stores.path('sorted.csv'), await stores.path('sorted.csv.gz')];
    await writeFile(file, csvOf(shuffled(table)));
    const first = await cliHere(['sort', file, '--key', 'id', '-o', plain, '--sort-bytes', '256K']);
    expect(first).to.include({ status: 0, stdout: '' });
    expect(first.stderr).to.match(/^btree-store: sorted 3,000 rows in [\d.]+ s \([\d,]+ rows\/s\)\n$/);
    expect(await readFile(plain, 'utf8')).to.equal(csvOf(table));
    expect(await cliHere(['sort', file, '--key', 'id', '-o', zipped])).to.include({ status: 0 });
    expect(gunzipSync(await readFile(zipped)).toString()).to.equal(csvOf(table));
    // In place.
    expect(await cliHere(['sort', file, '--key', 'id:number', '-o', file, '--force'])).to.include({
      status: 0,
    });
    expect(await readFile(file, 'utf8')).to.equal(csvOf(table));
    expect(await readdir(dirname(file))).to.have.members(['shuffled.csv', 'sorted.csv', 'sorted.csv.gz']);
  });

  it('goes between pipes, of NDJSON too, and keeps one row for each key if it is told to', async () => {
    const input = '{"id":10,"n":1}\n{"id":9,"n":2}\n{"id":10,"n":3}\n';
    const words = ['sort', '-', '--format', 'ndjson', '--key', 'id:number'];
    expect(await cli(words, { input })).to.include({
      status: 0,
      stdout: '{"id":9,"n":2}\n{"id":10,"n":1}\n{"id":10,"n":3}\n',
    });
    const file = await stores.path('rows.ndjson');
    await writeFile(file, input);
    const unique = async (...which: string[]) => cliHere(['sort', file, '--key', 'id', '--unique', ...which]);
    const first = await unique();
    expect(first.stdout).to.equal('{"id":10,"n":1}\n{"id":9,"n":2}\n');
    expect(first.stderr).to.contain('1 left out');
    expect((await unique('last')).stdout).to.equal('{"id":10,"n":3}\n{"id":9,"n":2}\n');
  });

  it('fails in one line that says what to do, and leaves what was there', async () => {
    const file = await stores.path('rows.csv');
    const there = await stores.path('there.csv');
    const out = await stores.path('out.csv');
    await writeFile(file, 'id,n\n2,x\n1\n');
    await writeFile(there, 'mine');
    const failing: Array<[words: string[], status: number, ...says: string[]]> = [
      [[file, '--key', 'id', '-o', out], 1, 'line 3', '1 cell where there are 2 columns'],
      [[file, '--key', 'id', '-o', there], 1, 'there.csv', '--force'],
      [[file, '--key', 'id', '-o', there, '--force'], 1, 'line 3'],
      [[file, '--key', 'nosuch', '-o', out], 2, '"nosuch"', '"id", "n"'],
      [[file, '-o', out], 2, '--key is needed'],
      [['nowhere.csv', '--key', 'id'], 1, 'no such file'],
      [['-', '--key', 'id'], 2, '--format csv'],
    ];
    for (const [words, status, ...says] of failing) {
      const result = await cliHere(['sort', ...words]);
      expect(result, result.stderr).to.include({ status });
      expect(result.stderr).to.match(/^btree-store: [^\n]*\n$/);
      for (const part of says) expect(result.stderr).to.contain(part);
    }
    expect(await readFile(there, 'utf8')).to.equal('mine');
    expect(await readdir(dirname(file))).to.have.members(['rows.csv', 'there.csv']);
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    it(`leaves nothing behind at ${signal}`, async () => {
      const out = await stores.path('out.csv');
      const words = [
        'sort',
        '-',
        '--format',
        'csv',
        '--key',
        'total:number',
        '--sort-bytes',
        '256K',
        '-o',
        out,
      ];
      const child = startCli(words);
      const result = ended(child);
      child.stdin.on('error', () => undefined);
      if (!child.stdin.write(csvOf(orders(60_000)))) await once(child.stdin, 'drain');
      expect(await readdir(dirname(out)).then((names) => names.length)).to.be.above(0);
      child.kill(signal);
      const { status, stdout, stderr } = await result;
      expect({ status, stdout }, stderr).to.deep.equal({ status: expected, stdout: '' });
      expect(stderr).to.contain('stopped').and.contain('was not written');
      expect(await readdir(dirname(out))).to.deep.equal([]);
    });
});
