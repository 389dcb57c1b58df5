// lib/cli/key-type.ts: keys that are no keys of their type are told, and none is taken for another.

import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

/** Runs commands that must end with this status, saying all of these. */
async function expectFailures(
  failing: ReadonlyArray<[words: string[], status: number, ...says: string[]]>,
): Promise<void> {
  for (const [words, status, ...says] of failing) {
    const result = await cliHere(words);
    expect(result, result.stderr).to.include({ status, stdout: '' });
    for (const part of says) expect(result.stderr).to.contain(part);
  }
}

describe('keys of types on the command line', function () {
  this.timeout(60_000);

  it('are dates in UTC wherever the machine stands, of days that there are', async () => {
    const [store, file] = [await stores.path('shop.db'), await stores.path('days.csv')];
    await writeFile(file, 'day\n2024-07-01T12:00:00\n2024-02-30\n2024-03-01\n');
    const env = { TZ: 'America/New_York' };
    const imported = await cli(['import', store, 'days', file, '--key', 'day:date'], { env });
    expect(imported.status).to.equal(4);
    expect(imported.stderr).to.contain(
      'line 3: day of the key must be a date, not "2024-02-30": there is no such',
    );
    const scan = await cliHere(['scan', store, 'days', '--keys', '--key-type', 'date']);
    expect(scan.stdout).to.equal('2024-03-01T00:00:00.000Z\n2024-07-01T12:00:00.000Z\n');
    const words = ['get', store, 'days', '2024-07-01 12:00', '--key-type', 'date'];
    expect((await cli(words, { env })).stdout).to.equal('{"day":"2024-07-01T12:00:00"}');
    await expectFailures([
      [['get', store, 'days', '2024-02-30', '--key-type', 'date'], 2, '"2024-02-30": there is no such day'],
      [
        ['scan', store, 'days', '--gte', '2023-02-29', '--key-type', 'date'],
        2,
        'there is no such day or time',
      ],
      [['sort', file, '--key', 'day:date'], 1, 'line 3', 'there is no such day or time'],
    ]);
  });

  it('are numbers with all their digits', async () => {
    const [store, file] = [await stores.path('shop.db'), await stores.path('ids.csv')];
    await writeFile(file, 'id\n1234567890123456788\n1234567890123456789\n7\n');
    const imported = await cliHere(['import', store, 'ids', file, '--key', 'id:number']);
    expect(imported.status).to.equal(4);
    expect(imported.stderr).to.contain('line 3: id of the key must be a number').and.contain('id:bigint');
    await expectFailures([
      [
        ['get', store, 'ids', '1234567890123456789', '--key-type', 'number'],
        2,
        'all of its digits',
        'id:bigint',
      ],
      [['scan', store, 'ids', '--lt', '1e400', '--key-type', 'number'], 2, 'past the largest number'],
      [['sort', file, '--key', 'id:number'], 1, 'line 2', 'id:bigint'],
    ]);
  });

  it('are shown as they are to be typed, whatever is in them', async () => {
    const [store, file] = [await stores.path('shop.db'), await stores.path('names.ndjson')];
    const names = ['plain', 'a,b', 'say "yes"', '"', '","', ' ', "it's"];
    await writeFile(file, names.map((name) => `${JSON.stringify({ name, id: 7 })}\n`).join(''));
    for (const [bucket, key, type] of [
      ['one', 'name', 'string'],
      ['two', 'name,id:number', 'string,number'],
    ]) {
      await cliHere(['import', store, bucket, file, '--key', key]);
      const scan = await cliHere(['scan', store, bucket, '--keys', '--key-type', type]);
      const shown = scan.stdout.split('\n').slice(0, -1);
      expect(shown).to.have.length(names.length);
      const found: unknown[] = [];
      for (const text of shown) {
        const { stdout } = await cliHere(['get', store, bucket, '--key-type', type, '--', text]);
        found.push(JSON.parse(stdout).name);
      }
      expect(found).to.have.members(names);
    }
  });

  it('are read back with escapes, whatever is in them, and numbers past all bounds too', async () => {
    const [store, file] = [await stores.path('shop.db'), await stores.path('names.ndjson')];
    const names = ['a\tb', 'a\\tb', 'a\nb', 'a,\n"b"', '\u0007'];
    await writeFile(file, names.map((name) => `${JSON.stringify({ name, id: 7 })}\n`).join(''));
    await cliHere(['import', store, 'names', file, '--key', 'name,id:number']);
    const typed = ['--key-type', 'string,number', '--escapes'];
    const scan = await cliHere(['scan', store, 'names', '--keys', ...typed]);
    const found: unknown[] = [];
    for (const text of scan.stdout.split('\n').slice(0, -1))
      found.push(JSON.parse((await cliHere(['get', store, 'names', ...typed, '--', text])).stdout).name);
    expect(found).to.have.members(names);

    for (const key of ['Infinity', '-Infinity'])
      await cliHere(['put', store, 'numbers', '--key-type', 'number', '--', key, 'x']);
    const keysOf = await cliHere(['scan', store, 'numbers', '--keys', '--key-type', 'number']);
    expect(keysOf.stdout).to.equal('-Infinity\nInfinity\n');
  });

  it('are of types that there are', async () => {
    const [store, file] = [await stores.path('shop.db'), await stores.path('ids.csv')];
    await writeFile(file, 'id\n7\n');
    const types = ':string, number, bigint, date or boolean';
    await expectFailures([
      [['import', store, 'ids', file, '--key', 'id:int'], 2, 'there is no type "int"', types],
      [['sort', file, '--key', 'id:int'], 2, 'there is no type "int"', types],
    ]);
  });

  it('are shown as their types have them where one comes twice', async () => {
    const [store, file] = [await stores.path('shop.db'), await stores.path('ids.csv')];
    await writeFile(file, 'id,day\n7,2024-03-01\n7,2024-03-01\n');
    const words = ['import', store, 'ids', file, '--key', 'day:date,id:number', '--on-duplicate', 'error'];
    await expectFailures([
      [words, 1, 'the key [2024-03-01,7] comes twice', '--on-duplicate replace or keep'],
    ]);
  });
});
