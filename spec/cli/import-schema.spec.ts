// lib/cli/row-schema.ts and import-start.ts: `import --schema`, what it takes, stores and refuses.

import { existsSync, symlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keys } from 'btree-store';
import { expect } from 'chai';
import { z } from 'zod';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const CSV = 'id,total\n10,5\n9,20\nx,1\n2,3\n';
const ZOD = `import { z } from 'zod';
export default z.object({ id: z.coerce.number().int(), total: z.coerce.number().max(10) });
`;
/** A Standard Schema of no library: totals become numbers, and are bounded. */
const STANDARD = `{ '~standard': { version: 1, vendor: 'none', validate: (row) =>
  row.total > 10
    ? { issues: [{ message: 'too much', path: ['items', 0, { key: 'total' }] }, { message: 'odd' }] }
    : { value: { ...row, total: Number(row.total) } } } }`;

const stores = useStores();

/** Writes files beside one another, with the packages of the project beside them; returns the folder. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = dirname(await stores.path('any'));
  if (!existsSync(join(folder, 'node_modules'))) symlinkSync(MODULES, join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

async function values(store: string, bucket: string): Promise<string[]> {
  const db = await stores.openAt(store, { create: false });
  const found = Array.from(db.bucket(bucket).range().values(), String);
  await stores.close(db);
  return found;
}

describe('btree-store import --schema', function () {
  this.timeout(60_000);

  it('stores what a zod schema makes of a row, which a typed bucket reads, and rejects with paths', async () => {
    const folder = await folderOf({ 'a.csv': CSV, 'a.mjs': ZOD });
    const [store, rejects] = [join(folder, 'a.db'), join(folder, 'bad.ndjson')];
    const words = ['--key', 'id:number', '--schema', join(folder, 'a.mjs'), '--rejects', rejects];
    // In a process of its own, as modules are loaded there.
    const result = await cli(['import', store, 'a', join(folder, 'a.csv'), ...words, '--max-rejects', '2']);
    expect(result, result.stderr).to.include({ status: 0, stdout: '' });
    const lines = (await readFile(rejects, 'utf8')).trimEnd().split('\n');
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map(({ line, reason, raw }) => [line, reason, raw])).to.deep.equal([
      [3, 'SCHEMA', '9,20'],
      [4, 'SCHEMA', 'x,1'],
    ]);
    expect(found.map(({ issues }) => (issues as { path: string }[]).map(({ path }) => path))).to.deep.equal([
      ['total'],
      ['id'],
    ]);
    const db = await stores.openAt(store);
    const typed = db.bucket('a', {
      key: keys.number,
      value: z.object({ id: z.number(), total: z.number() }),
    });
    expect(Array.from(typed.range(), ([key, value]) => [key, value])).to.deep.equal([
      [2, { id: 2, total: 3 }],
      [10, { id: 10, total: 5 }],
    ]);
  });

  it('takes JSON Schema, Standard Schemas and CommonJS, and NDJSON', async () => {
    const folder = await folderOf({
      'b.csv': CSV,
      'b.ndjson': '{"id":1,"tags":["x",2]}\n{"id":2,"tags":[],"more":true}\n',
      'b.json':
        '{"type":"object","properties":{"id":{"type":"string","pattern":"^[0-9]+$"}},"required":["id"]}',
      'tags.json': '{"type":"object","properties":{"tags":{"type":"array","items":{"type":"string"}}}}',
      'b.mjs': `export default ${STANDARD}`,
      'b.cjs': `module.exports = ${STANDARD}`,
      'compiled.cjs': `exports.__esModule = true; exports.default = ${STANDARD}`,
    });
    const store = join(folder, 'b.db');
    const run = async (bucket: string, file: string, schema: string, ...words: string[]) => {
      const command = ['import', store, bucket, join(folder, file), '--schema', join(folder, schema)];
      return cliHere([...command, '--key', 'id', '--max-rejects', '2', ...words]);
    };
    const json = await run('json', 'b.csv', 'b.json');
    expect(json.stderr).to.contain('line 4: the value does not satisfy its schema: id: ');
    expect(await values(store, 'json')).to.deep.equal([
      '{"id":"10","total":"5"}',
      '{"id":"2","total":"3"}',
      '{"id":"9","total":"20"}',
    ]);
    for (const schema of ['b.mjs', 'b.cjs', 'compiled.cjs']) {
      const result = await run(schema, 'b.csv', schema);
      expect(result.status, result.stderr).to.equal(0);
      expect(result.stderr).to.contain('line 3: ').and.contain('items[0].total: too much; odd');
      const stored = ['{"id":"10","total":5}', '{"id":"2","total":3}', '{"id":"x","total":1}'];
      expect(await values(store, schema)).to.deep.equal(stored);
    }
    const tags = await run('tags', 'b.ndjson', 'tags.json');
    expect(tags.stderr).to.contain('line 1: ').and.contain('tags[1]: ');
    // JSON Schema takes a row or refuses it: what is stored is the row as it stands.
    expect(await values(store, 'tags')).to.deep.equal(['{"id":2,"tags":[],"more":true}']);
  });

  it('refuses each row that JSON Schema refuses, whatever its form, with the path of what is wrong', async () => {
    const rows = [
      { id: 1, v: 'Qa', list: [{ n: 1 }], 'a/b~c': 1 },
      { id: 2, v: 'xa', list: [{ n: 'x' }], 'a/b~c': 2 },
    ];
    const folder = await folderOf({ 'f.ndjson': rows.map((row) => `${JSON.stringify(row)}\n`).join('') });
    const store = join(folder, 'f.db');
    const v = (rule: object) => ({ properties: { v: rule } });
    const cases: Array<[schema: object, ...pathsOfEachRow: string[][]]> = [
      [{ type: 'object', required: ['nope'] }, ['nope'], ['nope']],
      [{ ...v({ pattern: '^Q' }), required: ['v', 'nope'] }, ['nope'], ['nope', 'v']],
      [{ type: 'object', ...v({ pattern: '^Q' }) }, [], ['v']],
      [v({ minLength: 50 }), ['v'], ['v']],
      [{ allOf: [v({ pattern: '^Q' }), { required: ['id'] }] }, [], ['v']],
      [{ $defs: { q: { pattern: '^Q' } }, ...v({ $ref: '#/$defs/q' }) }, [], ['v']],
      // biome-ignore lint/suspicious/noThenProperty: it is what JSON Schema calls it, and nobody awaits it.
      [{ if: { properties: { id: { const: 2 } } }, then: v({ const: 'Qb' }) }, [], ['', 'v']],
      [v({ not: { pattern: '^x' } }), [], ['v']],
      [v({ format: 'email' }), ['v'], ['v']],
      [{ properties: { id: true, v: true, list: true }, additionalProperties: false }, ['a/b~c'], ['a/b~c']],
      [{ properties: { list: { items: { properties: { n: { type: 'number' } } } } } }, [], ['list[0].n']],
      [{ properties: { 'a/b~c': { maximum: 1 } } }, [], ['a/b~c']],
      [{ $schema: 'http://json-schema.org/draft-07/schema#', ...v({ enum: ['Qa'] }) }, [], ['v']],
      [{ $schema: 'https://json-schema.org/draft/2019-09/schema', ...v({ enum: ['Qa'] }) }, [], ['v']],
    ];
    for (const [index, [schema, ...paths]] of cases.entries()) {
      const [file, rejects] = [join(folder, `f${index}.json`), join(folder, `f${index}.ndjson`)];
      await writeFile(file, JSON.stringify(schema));
      const words = ['--key', 'id', '--schema', file, '--rejects', rejects, '--max-rejects', '2'];
      const result = await cliHere(['import', store, `f${index}`, join(folder, 'f.ndjson'), ...words]);
      expect(result.status, result.stderr).to.equal(0);
      const refused = (await readFile(rejects, 'utf8')).split('\n').filter((line) => line !== '');
      const found = new Map<number, string[]>();
      for (const line of refused) {
        const reject = JSON.parse(line) as { line: number; reason: string; issues: { path: string }[] };
        expect(reject.reason).to.equal('SCHEMA');
        found.set(reject.line, reject.issues.map(({ path }) => path).sort());
      }
      const shown = JSON.stringify(schema);
      expect([found.get(1) ?? [], found.get(2) ?? []], shown).to.deep.equal(paths);
      const taken = rows.filter((_, row) => paths[row].length === 0).map((row) => JSON.stringify(row));
      expect(await values(store, `f${index}`), shown).to.deep.equal(taken);
    }
  });

  it('makes the same keys of text as an import without one', async () => {
    const rows = Array.from({ length: 30 }, (_, n) => `{"a":${n % 2 === 0 ? n : `"${n}"`},"b":"x${n}"}\n`);
    const folder = await folderOf({ 'c.ndjson': rows.join(''), 'c.json': '{}' });
    const store = join(folder, 'c.db');
    const command = (bucket: string, key: string) => [
      'import',
      store,
      bucket,
      join(folder, 'c.ndjson'),
      '--key',
      key,
    ];
    for (const key of ['a', 'a,b', 'b:string,a:number']) {
      await cliHere(command(`plain ${key}`, key));
      await cliHere([...command(`schema ${key}`, key), '--schema', join(folder, 'c.json')]);
    }
    const db = await stores.openAt(store);
    for (const key of ['a', 'a,b', 'b:string,a:number']) {
      const keysOf = (bucket: string) =>
        Array.from(db.bucket(bucket).range().keys(), (each) => each.toString('hex'));
      expect(keysOf(`plain ${key}`)).to.have.length(30);
      expect(keysOf(`schema ${key}`)).to.deep.equal(keysOf(`plain ${key}`));
    }
  });

  it('refuses a file that is no schema in one line, before it makes a store', async () => {
    const folder = await folderOf({
      'd.csv': CSV,
      'none.mjs': 'export const schema = 1;\n',
      'other.mjs': "export default { type: 'object' };\n",
      'broken.mjs': 'export default (;\n',
      'broken.json': '{"type":',
      'array.json': '[]',
      'odd.json': '{"type":"object","propertys":{"id":{"minLength":9}}}',
      'nowhere.json': '{"$ref":"#/$defs/row"}',
      'elsewhere.json': '{"properties":{"id":{"$ref":"other.json"}}}',
      'format.json': '{"properties":{"id":{"format":"unheard-of"}}}',
      'pattern.json': '{"properties":{"id":{"pattern":"("}}}',
      'kind.json': '{"properties":{"id":{"type":"text"}}}',
      'draft.json': '{"$schema":"http://json-schema.org/draft-03/schema#"}',
      'late.mjs': "export default { '~standard': { validate: async (value) => ({ value }) } };\n",
      'text.mjs': "export default { '~standard': { validate: () => ({ value: 'x' }) } };\n",
      'oneway.mjs': `import { z } from 'zod';
export default z.object({ id: z.string(), total: z.string().transform(Number) });\n`,
    });
    const store = join(folder, 'd.db');
    const failing: Array<[schema: string, ...says: string[]]> = [
      ['missing.mjs', 'cannot be read', 'check the path'],
      ['none.mjs', 'no default export', 'export default'],
      ['other.mjs', 'is no schema', 'zod 4'],
      ['broken.mjs', 'cannot be loaded'],
      ['broken.json', 'is not JSON'],
      ['array.json', 'no JSON Schema'],
      ['odd.json', 'cannot be used', 'propertys'],
      ['nowhere.json', 'cannot be used', '#/$defs/row'],
      ['elsewhere.json', 'cannot be used', 'other.json'],
      ['format.json', 'cannot be used', 'unheard-of'],
      ['pattern.json', 'cannot be used', 'pattern'],
      ['kind.json', 'cannot be used', 'type'],
      ['draft.json', 'cannot be used', 'draft-03', 'draft-07'],
      ['late.mjs', 'asynchronously'],
      ['text.mjs', 'must make an object'],
      ['oneway.mjs', 'z.codec'],
    ];
    for (const [schema, ...says] of failing) {
      const words = ['--key', 'id', '--schema', join(folder, schema)];
      const result = await cliHere(['import', store, 'd', join(folder, 'd.csv'), ...words]);
      expect(result, result.stderr).to.include({ status: 2, stdout: '' });
      expect(result.stderr).to.match(/^btree-store: [^\n]*\n$/);
      for (const part of says) expect(result.stderr).to.contain(part);
      if (schema !== 'oneway.mjs') expect(result.stderr).to.contain(schema);
      expect(existsSync(store), schema).to.equal(false);
    }
  });

  it('is part of what an import is known by: half-way another is refused, of a whole one it is another', async () => {
    const row = (id: number) => `${String(id).padStart(6, '0')},${'x'.repeat(60)}\n`;
    const rows = Array.from({ length: 10_000 }, (_, id) => row(id)).join('');
    const folder = await folderOf({
      'e.csv': `id,text\n${rows}bad\n`,
      'e.json': '{"type":"object","properties":{"id":{"type":"string"}}}',
      'e2.json': '{"type":"object","properties":{"id":{"type":"string","maxLength":6}}}',
    });
    const store = join(folder, 'e.db');
    const run = (schema: string, ...words: string[]) => {
      const command = ['import', store, 'e', join(folder, 'e.csv'), '--commit-every', '1'];
      return cliHere([...command, '--key', 'id', '--schema', join(folder, schema), ...words]);
    };
    const stopped = await run('e.json', '--max-rejects', '0');
    expect(stopped.status, stopped.stderr).to.equal(1);
    expect(stopped.stderr).to.match(/[\d,]+ rows were committed before and stay/);
    const other = await run('e2.json', '--max-rejects', '1');
    expect(other.status, other.stderr).to.equal(2);
    expect(other.stderr).to.contain('other options').and.contain('revision').and.contain('here: --restart');
    const resumed = await run('e.json', '--max-rejects', '1');
    expect(resumed.status, resumed.stderr).to.equal(0);
    expect(resumed.stderr).to.contain('went on at line').and.contain('imported 10,000 rows');
    const [, before, now, rate] =
      /after ([\d,]+) rows of an.* into e, ([\d,]+) of them in this run, in [\d.]+ s \(([\d,]+) rows\/s\)/s
        .exec(resumed.stderr)
        ?.map((number) => Number(number.replaceAll(',', ''))) ?? [];
    expect(before + now, resumed.stderr).to.equal(10_000);
    // As if it had taken no less than a millisecond.
    expect(rate, resumed.stderr).to.be.at.most(now * 1000);
    expect((await run('e.json', '--max-rejects', '1')).stderr).to.contain('nothing is left to do');
    const anew = await run('e2.json', '--max-rejects', '1');
    expect(anew.stderr).to.contain('imported 10,000 rows').and.contain('10,000 of them with a key');
  });
});
