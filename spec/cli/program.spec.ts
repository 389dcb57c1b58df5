// lib/cli/program.ts and main.ts: help, version, and command lines that are wrong.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { cli, cliHere } from '../helpers/cli.js';

const COMMANDS = [
  ...['import', 'export', 'sort', 'scan', 'watch', 'get', 'put', 'delete', 'drop'],
  ...['buckets', 'stat', 'check', 'compact', 'backup'],
];

describe('btree-store', function () {
  this.timeout(60_000);

  it('prints its version', async () => {
    const file = new URL('../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    expect(await cli(['--version'])).to.include({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('prints help with every command, examples and the exit status', async () => {
    const help = await cliHere(['--help']);
    expect(help).to.include({ status: 0, stderr: '' });
    expect(help.stdout).to.contain('Examples:').and.contain('Exit status:').and.contain('130');
    for (const command of COMMANDS) expect(help.stdout).to.match(new RegExp(`^ +${command}\\b`, 'm'));
  });

  it('prints help with examples of each command', async () => {
    for (const command of COMMANDS) {
      const { status, stdout, stderr } = await cliHere([command, '--help']);
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(stdout).to.contain('Examples:').and.contain(`$ btree-store ${command} `);
    }
  });

  it('lists the types of keys where keys have them', async () => {
    for (const command of ['import', 'sort', 'export', 'scan', 'watch', 'get', 'put', 'delete']) {
      const { stdout } = await cliHere([command, '--help']);
      for (const type of ['string', 'number', 'bigint', 'date', 'boolean'])
        expect(stdout, command).to.contain(type);
      expect(stdout, command).to.match(/--key-type|id:number/);
    }
  });

  it('tells what is wrong with a command line, suggests what was meant, and exits with 2', async () => {
    const wrong: Array<[words: string[], ...says: string[]]> = [
      [[], 'Usage: btree-store'],
      [['exprot', 'a', 'b'], "unknown command 'exprot'", 'export'],
      [['scan', 'a', 'b', '--lmit', '3'], "unknown option '--lmit'", '--limit'],
      [['scan', 'a', 'b', '--limit', 'x'], '--limit', 'whole number'],
      [['scan', 'a', 'b', '--keys', '--values'], '--keys', '--values'],
      [['get', 'a', 'b'], 'key'],
      [['import', 'a', 'b', 'c.csv'], '--key'],
      [['import', 'a', 'b', 'c.ndjson', '--key', 'id', '--delimiter', ';'], '--delimiter', '--format csv'],
      [['import', 'a', 'b', 'c.csv', '--key', 'id', '--sorted', '--unsorted'], '--sorted', '--unsorted'],
      [
        ['import', 'a', 'b', 'c.csv', '--key', 'id', '--sort-bytes', 'much'],
        '--sort-bytes',
        'number of bytes',
      ],
      [['export', 'a', 'b', '--format', 'xml'], 'csv', 'ndjson'],
    ];
    for (const [words, ...says] of wrong) {
      const { status, stdout, stderr } = await cliHere(words);
      expect({ status, stdout }, words.join(' ')).to.deep.equal({ status: 2, stdout: '' });
      for (const part of says) expect(stderr, words.join(' ')).to.contain(part);
      expect(stderr, words.join(' ')).to.not.match(/^ +at /m);
    }
  });
});
