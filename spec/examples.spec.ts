// examples/: each runs to its end and does what it says.

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { useStores } from './helpers/store.js';

const stores = useStores();
const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('examples', function () {
  this.timeout(60_000);

  it('quickstart: imports, scans, changes and exports', async () => {
    const folder = dirname(await stores.path());
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join('examples', 'quickstart.ts')],
      { cwd: ROOT, env: { ...process.env, TMPDIR: folder, TEMP: folder } },
    );
    expect(stderr).to.equal('');
    expect(stdout).to.contain('94 rows are in').and.contain('0 were rejected');
    expect(stdout).to.match(/Bordeaux +261,804\n +Lille +236,710\n.* +Toulouse +504,078\n/s);
    expect(stdout).to.contain('Of 94 cities these are 9').and.contain('There are 10 cities in France now');
    const [name] = await readdir(folder);
    const db = await stores.openAt(join(folder, name, 'world.db'), { create: false });
    expect(Array.from(db.buckets(), (bucket) => [bucket.name, bucket.entries])).to.deep.equal([
      ['cities', 95],
      ['log', 1],
    ]);
    const lines = (await readFile(join(folder, name, 'g-to-i.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { city: string }).city))
      .to.have.length(15)
      .and.include('London');
  });

  it('the data that they import is in the order of its keys', async () => {
    const text = await readFile(join(ROOT, 'examples', 'data', 'cities.csv'), 'utf8');
    const keys = text
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(',').slice(0, 2).join('\0\0'));
    expect(keys).to.have.length(94);
    expect([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).to.deep.equal(keys);
  });
});
