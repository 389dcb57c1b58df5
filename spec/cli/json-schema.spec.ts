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
});
