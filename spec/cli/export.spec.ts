// lib/cli/export.ts: what an import brought in comes out as the same rows.

import { lstat, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { importCsv } from 'btree-store';
import { expect } from 'chai';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';
import { csvOf, csvRow, jsonOf, orders } from '../helpers/tables.js';

const stores = useStores();

const table = orders(500);

async function storeOfOrders(): Promise<string> {
  const db = await stores.open();
  await importCsv(db.bucket('orders'), Readable.from([csvOf(table)]), { key: 'id' });
  await db.bucket('texts').put('a', 'no JSON');
  await stores.close(db);
  return db.path;
}

describe('btree-store export', function () {
  this.timeout(60_000);

  it('writes CSV and NDJSON to standard output, byte for byte what was imported', async () => {
    const store = await storeOfOrders();
    const csv = await cli(['export', store, 'orders', '--format', 'csv']);
    expect(csv).to.include({ status: 0, stdout: csvOf(table), stderr: '' });
    const ndjson = await cliHere(['export', store, 'orders', '--format', 'ndjson']);
    const lines = table.rows.map((cells) => `${jsonOf(table.columns, cells)}\n`);
    expect(ndjson).to.include({ status: 0, stdout: lines.join(''), stderr: '' });
  });

  it('writes a part of the rows, some columns, another delimiter, to a file, gzip by its name', async () => {
    const store = await storeOfOrders();
    const file = await stores.path('part.tsv.gz');
    const range = ['--gte', '0000010', '--lt', '0000014', '--reverse'];
    const result = await cliHere(['export', store, 'orders', ...range, '--no-header', '-o', file]);
    expect(result).to.include({ status: 0, stdout: '', stderr: '' });
    const rows = [...table.rows.slice(10, 14)].reverse();
    expect(gunzipSync(await readFile(file)).toString()).to.equal(
      rows.map((row) => csvRow(row, '\t')).join(''),
    );
  });

  it('writes the columns that are named, in their order, of the rows that are asked for', async () => {
    const store = await storeOfOrders();
    const at = (name: string) => table.columns.indexOf(name);
    const words = ['--format', 'csv', '--columns', 'total,id', '--gt', '0000010', '--lte', '0000020'];
    const some = await cliHere(['export', store, 'orders', ...words, '--limit', '3']);
    const rows = table.rows.slice(11, 14).map((row) => csvRow([row[at('total')], row[at('id')]]));
    expect(some).to.include({ status: 0, stdout: `total,id\n${rows.join('')}` });
    const prefix = await cliHere(['export', store, 'orders', '--format', 'ndjson', '--prefix', '000001']);
    expect(prefix.stdout.trimEnd().split('\n')).to.deep.equal(
      table.rows.slice(10, 20).map((cells) => jsonOf(table.columns, cells)),
    );
  });

  it('fails, and leaves no file, for a column that none of the rows has', async () => {
    const db = await stores.open();
    const rows = db.bucket('rows');
    await rows.put('a', '{"id":1,"note":null}');
    await rows.put('b', '{"id":2,"late":"x"}');
    await stores.close(db);
    const file = await stores.path('out.csv');
    const run = (columns: string, ...words: string[]) =>
      cliHere(['export', db.path, 'rows', '--columns', columns, ...words]);
    const slip = await run('id,City,late', '-o', file);
    expect(slip, slip.stderr).to.include({ status: 1, stdout: '' });
    expect(slip.stderr).to.match(/^btree-store: [^\n]*none of the rows has "City"[^\n]*--columns\)\n$/);
    expect(await readdir(dirname(file))).to.not.include('out.csv');
    const piped = await run('id,City', '--format', 'csv');
    expect(piped.status).to.equal(1);
    expect(piped.stderr).to.contain('"City"');
    expect(await run('id,late,note', '-o', file)).to.include({ status: 0, stderr: '' });
    expect(await readFile(file, 'utf8')).to.equal('id,late,note\n1,,\n2,x,\n');
    const none = await run('id,City', '--format', 'csv', '--gt', 'b');
    expect(none).to.include({ status: 0, stdout: 'id,City\n', stderr: '' });
    // Of the rows that are exported none has it, though one in the bucket does.
    expect((await run('id,late', '--format', 'csv', '--lt', 'b')).status).to.equal(1);
  });

  it('leaves a file that is there alone unless it may write over it, and no half of one', async () => {
    const store = await storeOfOrders();
    const file = await stores.path('out.csv');
    const link = await stores.path('link.csv');
    await writeFile(file, 'mine');
    await symlink(file, link);
    const refused = await cliHere(['export', store, 'orders', '-o', file]);
    expect(refused).to.include({ status: 1, stdout: '' });
    expect(refused.stderr).to.contain('is there already').and.contain('--force');
    const failed = await cliHere(['export', store, 'texts', '-o', file, '--force']);
    expect(failed).to.include({ status: 1 });
    expect(await readFile(file, 'utf8')).to.equal('mine');
    expect(await cliHere(['export', store, 'orders', '-o', link, '--force'])).to.include({ status: 0 });
    expect(await readFile(file, 'utf8')).to.equal(csvOf(table));
    expect((await lstat(link)).isSymbolicLink()).to.equal(true);
    const other = await stores.path('other.csv');
    expect((await cliHere(['export', store, 'texts', '-o', other])).status).to.equal(1);
    const files = (await readdir(dirname(store))).filter((name) => !name.endsWith('.db'));
    expect(files.toSorted()).to.deep.equal(['link.csv', 'out.csv']);
    expect(await cliHere(['export', store, 'orders', '--format', 'csv', '-o', '/dev/null'])).to.include({
      status: 0,
    });
  });

  it('fails in one line that says what to do', async () => {
    const store = await storeOfOrders();
    const before = await readFile(store);
    const failing: Array<[words: string[], status: number, ...says: string[]]> = [
      [['orders', '-o', store, '--format', 'csv'], 2, 'the store itself'],
      [['orders', '-o', `${store}.pending`, '--format', 'csv', '--force'], 2, 'a file of its own'],
      [['orders'], 2, '--format csv or --format ndjson'],
      [['nobody', '--format', 'csv'], 1, '"nobody"', '"orders", "texts"'],
      [['texts', '--format', 'csv'], 1, '"a"', 'not a JSON object'],
      [['orders', '-o', '/nowhere/at/all.csv'], 1, '/nowhere/at/all.csv', 'ENOENT'],
    ];
    for (const [words, status, ...says] of failing) {
      const result = await cliHere(['export', store, ...words]);
      expect(result, result.stderr).to.include({ status });
      expect(result.stderr).to.match(/^btree-store: [^\n]*\n$/);
      for (const part of says) expect(result.stderr).to.contain(part);
    }
    expect((await readFile(store)).equals(before)).to.equal(true);
  });
});
