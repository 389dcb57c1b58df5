// lib/cli/row-schema.ts: what `import --schema` makes of what a Standard Schema gives for a row.

import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type CliResult, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();
/** A module is loaded once: each schema has a name of its own. */
let schemas = 0;

/** Imports one row with a schema whose `validate` has this body. */
async function imported(body: string): Promise<{ result: CliResult; stored: string[] }> {
  const store = await stores.path('standard');
  const [schema, source] = [`${++schemas}.schema.mjs`, 'row.ndjson'].map((name) =>
    join(dirname(store), name),
  );
  const standard = `{ version: 1, vendor: 'none', validate: (row) => { ${body} } }`;
  await writeFile(schema, `export default { '~standard': ${standard} };\n`);
  await writeFile(source, '{"id":1}\n');
  const words = ['import', store, 'a', source, '--key', 'id', '--schema', schema, '--max-rejects', '1'];
  const result = await cliHere(words);
  if (result.status !== 0) return { result, stored: [] };
  const db = await stores.openAt(store, { create: false });
  const stored = Array.from(db.bucket('a').range().values(), String);
  await stores.close(db);
  return { result, stored };
}

describe('btree-store import --schema of a Standard Schema', function () {
  this.timeout(60_000);

  it('rejects rows of which it makes what JSON cannot hold, with the path, and stores what it can', async () => {
    const rejected: Array<[body: string, says: string]> = [
      ['return { value: new Map([["id", 1]]) }', 'an object of Map'],
      ['return { value: [row] }', 'makes an array of the row'],
      ['return { value: { ...row, n: { m: [0, NaN] } } }', 'n.m[1]: NaN, which JSON cannot hold'],
      ['return { value: { ...row, s: new Set([1]) } }', 's: an object of Set'],
      ['return { value: { ...row, l: [undefined] } }', 'l[0]: undefined'],
      ['return { value: { ...row, l: new Array(1) } }', 'l[0]: undefined'],
      ['return { value: { ...row, b: 1n } }', 'b: bigint'],
      ['return { value: { ...row, d: new Date(NaN) } }', 'd: an invalid Date'],
      ['row.self = row; return { value: row }', 'self: an object that stands within itself'],
    ];
    for (const [body, says] of rejected) {
      const { result, stored } = await imported(body);
      expect(result.stderr, body).to.contain('line 1: the value ').and.contain(says);
      expect(stored).to.deep.equal([]);
    }
    const { stored } = await imported('return { value: { ...row, d: new Date(0), u: undefined, n: [row] } }');
    expect(stored).to.deep.equal(['{"id":1,"d":"1970-01-01T00:00:00.000Z","n":[{"id":1}]}']);
  });

  it('ends with its file named where it fails, and tells issues of any form', async () => {
    for (const body of ['throw new TypeError("broken")', 'throw null', 'return undefined', 'return 1']) {
      const { result } = await imported(body);
      expect(result.status, result.stderr).to.equal(2);
      expect(result.stderr).to.contain('schema.mjs').and.not.contain('unexpected');
    }
    const odd = ['path: "a"', 'path: [null, {}, Symbol("s")]', 'path: 1, message: 2', 'path: [{ key: {} }]'];
    for (const issue of [...odd.map((each) => `[{ ${each} }]`), '[null]', '"no"', '[]']) {
      const { result } = await imported(`return { issues: ${issue} }`);
      expect(result.status, result.stderr).to.equal(0);
      expect(result.stderr, issue).to.contain('line 1: the value does not satisfy its schema');
    }
  });
});
