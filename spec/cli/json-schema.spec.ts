// lib/cli/json-schema.ts: what `import --schema` stores of rows that JSON Schema takes, and what it refuses.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type CliResult, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

interface Outcome {
  readonly result: CliResult;
  readonly stored: readonly string[];
  readonly rejects: ReadonlyArray<Record<string, unknown>>;
}

/** Imports rows under their `id` with a schema into a store of its own. */
async function imported(schema: unknown, rows: string, format = 'ndjson'): Promise<Outcome> {
  const store = await stores.path('checked');
  const folder = dirname(store);
  const [file, source, rejects] = ['schema.json', `rows.${format}`, 'bad.ndjson'].map((n) => join(folder, n));
  await writeFile(file, JSON.stringify(schema));
  await writeFile(source, rows);
  const words = ['--key', 'id', '--schema', file, '--rejects', rejects, '--max-rejects', '9'];
  const result = await cliHere(['import', store, 'a', source, ...words]);
  if (result.status !== 0) return { result, stored: [], rejects: [] };
  const db = await stores.openAt(store, { create: false });
  const stored = Array.from(db.bucket('a').range().values(), String);
  await stores.close(db);
  const lines = (await readFile(rejects, 'utf8')).split('\n').filter((line) => line !== '');
  return { result, stored, rejects: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('btree-store import --schema of JSON Schema', function () {
  this.timeout(60_000);

  it('stores rows byte for byte as they stand, also where numbers and names do not survive parsing', async () => {
    const rows = [
      '{"id":1,"n":12345678901234567890}',
      '{"id":2, "n" : 1.0, "n":2.50,"\\u0061":"\\u00e9"}',
      '{"id":3,"n":1e400}',
      '{"id":4,"10":1,"9":2,"__proto__":{"x":1}}',
    ];
    const { result, stored } = await imported({ type: 'object' }, `${rows.join('\n')}\n`);
    expect(result.status, result.stderr).to.equal(0);
    expect(stored).to.deep.equal(rows);
  });

  it('stores of CSV the JSON that an import without a schema does', async () => {
    const { result, stored } = await imported({ type: 'object' }, 'id,10,9\n1,a,"b""c"\n', 'csv');
    expect(result.status, result.stderr).to.equal(0);
    expect(stored).to.deep.equal(['{"id":"1","10":"a","9":"b\\"c"}']);
  });

  it('rejects a row that is too deep for its schema, and goes on with the next', async () => {
    const deep = (id: number) => `{"id":${id},"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const rows = [deep(1), '{"id":2,"a":[[]]}'];
    const lists = { $defs: { list: { type: 'array', items: { $ref: '#/$defs/list' } } } };
    const recursive = { ...lists, properties: { a: { $ref: '#/$defs/list' } } };
    const { result, stored, rejects } = await imported(recursive, rows.join('\n'));
    expect(result.status, result.stderr).to.equal(0);
    expect(stored).to.deep.equal([rows[1]]);
    expect(rejects.map(({ line, reason }) => [line, reason])).to.deep.equal([[1, 'SCHEMA']]);
    expect(rejects[0].message).to.contain('nested too deeply');
    // A schema that does not look into it takes the row, and so nothing is lost.
    expect((await imported({ type: 'object' }, rows.join('\n'))).stored).to.deep.equal(rows);
  });

  it('refuses schemas that refer to themselves without end, or that would be taken and not enforced', async () => {
    const refused: Array<[schema: unknown, says: string]> = [
      [{ $id: 'http://x/y', $ref: '#' }, 'without end'],
      [{ allOf: [{ $ref: '#' }] }, 'without end'],
      [{ properties: { id: { type: 'string', nullable: true } } }, 'nullable'],
      [{ properties: { id: { format: 'password' } } }, 'password'],
      [JSON.parse('{"properties":{"__proto__":{"type":"string"}}}'), '__proto__'],
    ];
    for (const [schema, says] of refused) {
      const { result } = await imported(schema, '{"id":1}\n');
      expect(result.status, result.stderr).to.equal(2);
      expect(result.stderr).to.contain('cannot be used').and.contain(says);
    }
  });

  it('finds no members that rows inherit, and multiples as they are written', async () => {
    for (const name of ['toString', '__proto__'])
      expect((await imported({ required: [name] }, '{"id":1}\n')).rejects, name).to.have.length(1);
    const cents = { properties: { id: { multipleOf: 0.01 } } };
    const rows = ['0.07', '0.075', '123456789.07', '1e300', '-4.35', '0.0700001'];
    const { stored, rejects } = await imported(cents, rows.map((id) => `{"id":${id}}\n`).join(''));
    expect(stored.map((row) => row.slice(6, -1))).to.have.members(['0.07', '123456789.07', '1e300', '-4.35']);
    expect(rejects[0].message).to.contain('must be multiple of 0.01');
  });
});
