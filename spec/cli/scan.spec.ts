// lib/cli/scan.ts: entries for people and for machines, and readers that leave early.

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { cli, cliHere, startCli } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

const ENTRIES: ReadonlyArray<[key: string | Buffer, value: string | Buffer]> = [
  ['apple', 'red'],
  ['banana', '{"colour":"yellow","note":"a \\"b\\""}'],
  ['cherry\0\0dark', 'two\nlines'],
  [Buffer.from([0xff, 0x00]), Buffer.from([0x80, 0x41, 0x5c])],
];

async function storeOfFruit(): Promise<string> {
  const db = await stores.open();
  await db.write((tx) => {
    for (const [key, value] of ENTRIES) tx.bucket('fruit').put(key, value);
  });
  await stores.close(db);
  return db.path;
}

describe('btree-store scan', function () {
  this.timeout(60_000);

  it('prints text as it is and other bytes with escapes', async () => {
    const store = await storeOfFruit();
    const lines = [
      'apple\tred',
      'banana\t{"colour":"yellow","note":"a \\"b\\""}',
      'cherry\\x00\\x00dark\ttwo\\nlines',
      '\\xff\\x00\t\\x80A\\\\',
    ];
    const result = await cli(['scan', store, 'fruit']);
    expect(result).to.include({ status: 0, stderr: '', stdout: lines.map((line) => `${line}\n`).join('') });
  });

  it('prints keys or values of a range, and JSON', async () => {
    const store = await storeOfFruit();
    const keys = await cliHere(['scan', store, 'fruit', '--gt', 'apple', '--lte', 'cherry', '--keys']);
    expect(keys.stdout).to.equal('banana\n');
    const values = await cliHere([
      'scan',
      store,
      'fruit',
      '--reverse',
      '--limit',
      '2',
      '--lt',
      'd',
      '--values',
    ]);
    expect(values.stdout).to.equal('two\\nlines\n{"colour":"yellow","note":"a \\"b\\""}\n');
    const json = await cliHere(['scan', store, 'fruit', '--json']);
    const objects = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const back = objects.map((object) => [
      Buffer.from(object.key ?? object.keyBase64, object.key === undefined ? 'base64' : 'utf8'),
      Buffer.from(object.value ?? object.valueBase64, object.value === undefined ? 'base64' : 'utf8'),
    ]);
    expect(back).to.deep.equal(ENTRIES.map((entry) => entry.map((part) => Buffer.from(part as string))));
  });

  it('reads escapes in bounds, and escapes throughout', async () => {
    const store = await storeOfFruit();
    const result = await cliHere(['scan', store, 'fruit', '--escapes', '--prefix', 'cherry\\x00', '--keys']);
    expect(result.stdout).to.equal('cherry\\x00\\x00dark\n');
    const all = await cliHere(['scan', store, 'fruit', '--escapes', '--prefix', 'banana', '--values']);
    expect(all.stdout).to.equal('{"colour":"yellow","note":"a \\\\"b\\\\""}\n');
  });

  it('ends quietly where its reader has enough', async () => {
    const db = await stores.open();
    const writer = db.bucket('big').bulkWriter();
    for (let index = 0; index < 50_000; index++) {
      if (!writer.add(String(index).padStart(8, '0'), `value ${index} `.repeat(10))) await writer.drained();
    }
    await writer.finish();
    await stores.close(db);
    for (const words of [
      ['scan', db.path, 'big'],
      ['scan', db.path, 'big', '--json'],
    ]) {
      const child = startCli(words);
      const stderr = text(child.stderr);
      await once(child.stdout, 'readable');
      child.stdout.destroy();
      const [status] = (await once(child, 'close')) as [number | null];
      expect({ status, stderr: await stderr }).to.deep.equal({ status: 0, stderr: '' });
    }
  });

  it('has readers beside it, but no writer', async () => {
    const store = await storeOfFruit();
    const reader = await stores.openAt(store, { readOnly: true });
    expect(await cli(['scan', store, 'fruit', '--limit', '1'])).to.include({
      status: 0,
      stdout: 'apple\tred\n',
    });
    const writer = await stores.reopen(reader);
    const locked = await cli(['scan', store, 'fruit']);
    expect(locked).to.include({ status: 3, stdout: '' });
    expect(locked.stderr).to.match(/^btree-store: [^\n]*\n$/);
    expect(locked.stderr).to.contain(String(process.pid)).and.contain(writer.path);
  });
});
