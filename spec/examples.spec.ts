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

/** Runs an example; returns what it prints. */
async function run(name: string): Promise<string> {
  const folder = dirname(await stores.path());
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join('examples', `${name}.ts`)],
    { cwd: ROOT, env: { ...process.env, TMPDIR: folder, TEMP: folder } },
  );
  expect(stderr).to.equal('');
  return stdout;
}

describe('examples', function () {
  this.timeout(240_000);

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

  const outputs: Readonly<Record<string, readonly string[]>> = {
    'live-aggregate': [
      'all orders come to 35',
      'all orders come to 37',
      'all orders come to 42',
      'all orders come to 17',
    ],
    'resumable-import': [
      'stopped half-way',
      'went on',
      '199996 rows are in, 4 were refused',
      '50001',
      '100001',
      '150001',
      '200001',
    ],
    'merge-join': [
      'order 1 of ada in London: 12.5',
      'order 4 of ada in London: 3.75',
      'order 2 of grace in New York: 8',
    ],
  };
  for (const [name, lines] of Object.entries(outputs)) {
    it(`${name} prints what it should`, async () => {
      expect(await run(name)).to.equal(`${lines.join('\n')}\n`);
    });
  }

  it('csv-to-ndjson prints the cities south of the equator', async () => {
    const lines = (await run('csv-to-ndjson')).trimEnd().split('\n');
    const cities = lines.map((line) => JSON.parse(line) as { city: string; population: number });
    expect(cities.map(({ city }) => city))
      .to.include.members(['Sydney', 'Melbourne'])
      .and.not.include('London');
    for (const { population } of cities) expect(population).to.be.above(1000);
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
