// lib/cli/import.ts: files and standard input into a bucket, what is told of it, and Ctrl-C.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { keys } from 'btree-store';
import { expect } from 'chai';
import { cli, cliHere, ended, startCli } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';
import { csvOf, jsonOf, orders, shuffled } from '../helpers/tables.js';

const stores = useStores();

const table = orders(3000);
const values = table.rows.map((cells) => jsonOf(table.columns, cells));

/** The values of a bucket, by key. */
async function valuesOf(store: string, bucket: string): Promise<string[]> {
  const db = await stores.openAt(store, { create: false });
  const values = Array.from(db.bucket(bucket).range().values(), String);
  await stores.close(db);
  return values;
}

describe('btree-store import', function () {
  this.timeout(60_000);

  it('takes a CSV file, sorted or not, plain or gzip', async () => {
    const store = await stores.path('shop.db');
    const plain = await stores.path('orders.csv');
    const zipped = await stores.path('shuffled.csv.gz');
    await writeFile(plain, csvOf(table));
    await writeFile(zipped, gzipSync(csvOf(shuffled(table))));
    const first = await cli(['import', store, 'sorted', plain, '--key', 'id', '--sorted']);
    expect(first).to.include({ status: 0, stdout: '' });
    // Standard error is a pipe here, so there is no bar: one line, and nothing that moves a cursor.
    expect(first.stderr).to.match(
      /^btree-store: imported 3,000 rows into sorted in [\d.]+ s \([\d,]+ rows\/s\)\n$/,
    );
    const second = await cliHere([
      'import',
      store,
      'shuffled',
      zipped,
      '--key',
      'id',
      '--sort-bytes',
      '256K',
    ]);
    expect(second).to.include({ status: 0, stdout: '' });
    expect(await readdir(dirname(store))).to.have.members(['shop.db', 'orders.csv', 'shuffled.csv.gz']);
    expect(await valuesOf(store, 'sorted')).to.deep.equal(values);
    expect(await valuesOf(store, 'shuffled')).to.deep.equal(values);
  });

  it('takes standard input, gzip too, with semicolons and without a header', async () => {
    const store = await stores.path('shop.db');
    const input = gzipSync('2;zwei\n1;eins\n');
    const options = [
      '--format',
      'csv',
      '--delimiter',
      ';',
      '--no-header',
      '--columns',
      'n,word',
      '--key',
      'word,n',
    ];
    const result = await cli(['import', store, 'words', '-', ...options], { input });
    expect(result).to.include({ status: 0 });
    const db = await stores.openAt(store);
    expect(Array.from(db.bucket('words').range(), (entry) => entry.map(String))).to.deep.equal([
      ['eins\0\x001', '{"n":"1","word":"eins"}'],
      ['zwei\0\x002', '{"n":"2","word":"zwei"}'],
    ]);
  });

  it('takes NDJSON, tells what was rejected, and writes it to a file', async () => {
    const store = await stores.path('shop.db');
    const file = await stores.path('events.jsonl');
    const rejects = await stores.path('bad.ndjson');
    await writeFile(file, '{"a":{"id":1}}\n{"a":{}}\nnonsense\n{"a":{"id":1},"later":true}\n');
    const told = await cliHere(['import', store, 'events', file, '--key', 'a.id']);
    expect(told.status).to.equal(4);
    expect(told.stderr.split('\n')).to.have.length(5);
    expect(told.stderr)
      .to.contain('imported 2 rows')
      .and.contain('2 rejected')
      .and.contain('1 of them with a key');
    expect(told.stderr)
      .to.contain('line 2: a.id of the key is missing')
      .and.contain('line 3: the line is not JSON')
      .and.contain('exit status 4')
      .and.contain('--max-rejects 2');
    const kept = await cliHere(['import', store, 'events', file, '--key', 'a.id', '--rejects', rejects]);
    expect(kept.status).to.equal(4);
    expect(kept.stderr.split('\n')).to.have.length(3);
    const allowed = await cliHere(['import', store, 'events', file, '--key', 'a.id', '--max-rejects', '2']);
    expect(allowed.status).to.equal(0);
    expect(allowed.stderr).to.contain('2 rejected').and.not.contain('exit status');
    const lines = (await readFile(rejects, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { raw: string }).raw)).to.deep.equal([
      '{"a":{}}',
      'nonsense',
    ]);
    const stopped = await cliHere([
      'import',
      store,
      'none',
      file,
      '--key',
      'a.id',
      '--max-rejects',
      '1',
      '--atomic',
    ]);
    expect(stopped).to.include({ status: 1, stdout: '' });
    expect(stopped.stderr).to.contain('line 3').and.contain('nothing was imported');
    expect(await valuesOf(store, 'events')).to.deep.equal(['{"a":{"id":1},"later":true}']);
  });

  it('loses one row to a quote that is never closed, and says so', async () => {
    const store = await stores.path('shop.db');
    const file = await stores.path('orders.csv');
    const ids = Array.from({ length: 3000 }, (_, index) => String(10_000 + index));
    await writeFile(file, `id,name\n1,"open\n${ids.map((id) => `${id},x\n`).join('')}`);
    const result = await cliHere(['import', store, 'orders', file, '--key', 'id']);
    expect(result.status).to.equal(4);
    expect(result.stderr)
      .to.contain('imported 3,000 rows')
      .and.contain('1 rejected')
      .and.contain('line 2: the quote that opens on line 2 is not closed within 1000 lines');
    expect(await valuesOf(store, 'orders')).to.deep.equal(ids.map((id) => `{"id":"${id}","name":"x"}`));
  });

  it('bounds the lines of a quoted cell as it is told', async () => {
    const store = await stores.path('shop.db');
    const input = 'id,text\n1,"a\nb\nc"\n2,d\n';
    for (const [lines, status] of [
      ['3', 0],
      ['2', 4],
    ] as const) {
      const words = ['--format', 'csv', '--key', 'id', '--max-quoted-lines', lines];
      expect(await cli(['import', store, lines, '-', ...words], { input })).to.include({ status });
    }
    expect(await valuesOf(store, '3')).to.deep.equal([
      '{"id":"1","text":"a\\nb\\nc"}',
      '{"id":"2","text":"d"}',
    ]);
    expect(await valuesOf(store, '2')).to.deep.equal(['{"id":"2","text":"d"}']);
  });

  it('makes a store with pages of the size that was asked for', async () => {
    const store = await stores.path('shop.db');
    const input = `id\n${'k'.repeat(3000)}\n`;
    const words = ['--format', 'csv', '--key', 'id', '--page-size', '16384'];
    expect(await cli(['import', store, 'long', '-', ...words], { input })).to.include({ status: 0 });
    const figures = JSON.parse((await cliHere(['stat', store, '--json'])).stdout) as { pageSize: number };
    expect(figures.pageSize).to.equal(16384);
    const wrong = await cliHere(['put', store, 'a', 'b', 'c', '--page-size', '5000']);
    expect(wrong).to.include({ status: 2 });
    expect(wrong.stderr).to.contain('4096, 8192, 16384, 32768, 65536');
  });

  it('makes keys of the types that are said', async () => {
    const store = await stores.path('shop.db');
    const input = 'id,day\n10,2024-01-02\n9,2024-01-02\n-1,2023-05-06\n';
    const words = ['--format', 'csv', '--key', 'day:date,id:number'];
    expect(await cli(['import', store, 'days', '-', ...words], { input })).to.include({ status: 0 });
    const db = await stores.openAt(store);
    const days = db.bucket('days', { key: keys.tuple(keys.date, keys.number) });
    expect(
      Array.from(days.range().keys(), ([day, id]) => [day.toISOString().slice(0, 10), id]),
    ).to.deep.equal([
      ['2023-05-06', -1],
      ['2024-01-02', 9],
      ['2024-01-02', 10],
    ]);
  });

  it('made keys of types, which the other commands take and show as such', async () => {
    const store = await stores.path('shop.db');
    const input = 'id,day,n\n"a,b",2024-01-02,12345678901234567890\nc,2023-05-06,-1\n';
    await cli(['import', store, 'days', '-', '--format', 'csv', '--key', 'day:date,id,n:bigint'], { input });
    await cli(['import', store, 'ids', '-', '--format', 'csv', '--key', 'n:bigint'], { input });
    const typed = ['--key-type', 'date,string,bigint'];
    const scan = async (...words: string[]) =>
      (await cliHere(['scan', store, 'days', ...typed, '--keys', ...words])).stdout;
    const [first, second] = [
      '2023-05-06T00:00:00.000Z,c,-1',
      '2024-01-02T00:00:00.000Z,"a,b",12345678901234567890',
    ];
    expect(await scan()).to.equal(`${first}\n${second}\n`);
    expect(await scan('--gt', first)).to.equal(`${second}\n`);
    expect(await scan('--lte', '2023-05-06,c,-1')).to.equal(`${first}\n`);
    expect(await scan('--prefix', '2024-01-02,"a,b"')).to.equal(`${second}\n`);
    expect(await scan('--json', '--reverse', '--limit', '1')).to.equal(
      '{"key":["2024-01-02T00:00:00.000Z","a,b","12345678901234567890"]}\n',
    );
    expect((await cliHere(['get', store, 'days', first, ...typed])).stdout).to.contain('"id":"c"');
    expect(await cliHere(['delete', store, 'days', second, ...typed])).to.include({ status: 0 });
    expect(await cliHere(['put', store, 'ids', '7', 'seven', '--key-type', 'bigint'])).to.include({
      status: 0,
    });
    const ids = await cliHere([
      'scan',
      store,
      'ids',
      '--key-type',
      'bigint',
      '--lt',
      '8',
      '--values',
      '--gte',
      '0',
    ]);
    expect(ids.stdout).to.equal('seven\n');
    const failing: Array<[words: string[], says: string]> = [
      [['scan', store, 'ids', '--key-type', 'integer'], 'one of string, number, bigint, date, boolean'],
      [['scan', store, 'ids', '--key-type', 'bigint', '--prefix', '1'], '--gte and --lt'],
      [['get', store, 'ids', 'x', '--key-type', 'bigint'], 'a key must be a bigint, not "x"'],
      [['get', store, 'days', 'x', ...typed], 'a key must be a date, not "x"'],
      [['get', store, 'days', '2024-01-02', ...typed], 'must have 3 parts'],
      [['get', store, 'days', '2024-01-02,,', ...typed], 'its parts with commas between'],
      [['get', store, 'days', '2024-01-02,a,1,2', ...typed], 'more than 3 parts'],
    ];
    for (const [words, says] of failing) {
      const result = await cliHere(words);
      expect(result, result.stderr).to.include({ status: 2, stdout: '' });
      expect(result.stderr).to.contain(says);
    }
    const wrong = await cliHere(['scan', store, 'ids', '--key-type', 'date']);
    expect(wrong.status).to.equal(1);
    expect(wrong.stderr).to.contain('is not a date');
  });

  it('leaves an empty bucket where there was no row', async () => {
    const store = await stores.path('shop.db');
    expect(await cli(['import', store, 'empty', '-', '--format', 'ndjson', '--key', 'id'])).to.include({
      status: 0,
    });
    const db = await stores.openAt(store);
    expect([...db.buckets()]).to.deep.equal([{ name: 'empty', entries: 0 }]);
  });

  it('fails in one line that says what to do', async () => {
    const store = await stores.path('shop.db');
    const file = await stores.path('orders.csv');
    const semicolons = await stores.path('semicolons.csv');
    await writeFile(file, `${csvOf(table)}0000007,again,1,\n`);
    await writeFile(semicolons, 'id;name\n1;one\n');
    const failing: Array<[words: string[], status: number, ...says: string[]]> = [
      [['x', 'nowhere.csv', '--key', 'id'], 1, 'nowhere.csv', 'no such file'],
      [['x', file, '--kye', 'id'], 2, "unknown option '--kye'", 'Did you mean --key?'],
      [['x', file], 2, '--key is needed'],
      [['x', semicolons, '--key', 'id'], 2, 'no column "id"', '"id;name"', "--delimiter ';'"],
      [['x', file, '--key', 'ident'], 2, '"ident"', '"id", "customer", "total", "note"'],
      [['x', '-', '--key', 'id'], 2, '--format csv or --format ndjson'],
      [['x', file, '--key', 'id', '--no-header'], 2, '--columns'],
      [['x', file, '--key', 'id', '--sorted'], 1, '"0000007"', '"0002999"', 'leave out --sorted'],
    ];
    for (const [words, status, ...says] of failing) {
      const result = await cliHere(['import', store, ...words]);
      expect(result, result.stderr).to.include({ status, stdout: '' });
      // What the parser of the command line suggests stands on a line of its own.
      expect(result.stderr).to.match(/^btree-store: [^\n]*\n(?:\(Did you mean [^\n]*\n)?$/);
      for (const part of says) expect(result.stderr).to.contain(part);
      // A file that is missing must not leave a store behind.
      if (words.includes('nowhere.csv')) expect(existsSync(store)).to.equal(false);
    }
  });

  it('stops at Ctrl-C with what it took committed, says how much, and exits with 130', async () => {
    const store = await stores.path('shop.db');
    const many = orders(60_000);
    const child = startCli([
      'import',
      store,
      'rows',
      '-',
      '--format',
      'csv',
      '--key',
      'id',
      '--commit-every',
      '1000',
    ]);
    const result = ended(child);
    // The input goes on for ever, as far as the command knows. Once the pipe took it all, most of it was read.
    child.stdin.on('error', () => undefined);
    if (!child.stdin.write(csvOf(many))) await once(child.stdin, 'drain');
    child.kill('SIGINT');
    const { status, stdout, stderr } = await result;
    expect(status, stderr).to.equal(130);
    expect(stdout).to.equal('');
    const committed = /stopped; ([\d,]+) rows committed, which stay\n$/.exec(stderr);
    const rows = Number(committed?.[1].replaceAll(',', ''));
    expect(rows, stderr).to.be.above(1000);
    const found = await valuesOf(store, 'rows');
    expect(found.length).to.equal(rows);
    const wrong = found.findIndex((value, index) => value !== jsonOf(many.columns, many.rows[index]));
    expect(wrong).to.equal(-1);
  });

  it('leaves a whole store where it is killed', async () => {
    const store = await stores.path('shop.db');
    const child = startCli([
      'import',
      store,
      'rows',
      '-',
      '--format',
      'csv',
      '--key',
      'id',
      '--commit-every',
      '1000',
    ]);
    const result = ended(child);
    child.stdin.on('error', () => undefined);
    if (!child.stdin.write(csvOf(orders(60_000)))) await once(child.stdin, 'drain');
    child.kill('SIGKILL');
    await result;
    const found = await valuesOf(store, 'rows');
    expect(found.length).to.be.above(1000);
    expect(found).to.deep.equal(orders(found.length).rows.map((cells) => jsonOf(table.columns, cells)));
  });
});
