// A first look at btree-store: imports a CSV file into a new store, scans a range of it, exports a part.
// Run it with `npm run quickstart`.

import { createWriteStream } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { importCsv, open } from 'btree-store';

interface City {
  country: string;
  city: string;
  population: string;
}

const folder = await mkdtemp(join(tmpdir(), 'btree-store-quickstart-'));
const db = await open(join(folder, 'world.db'));
const cities = db.bucket('cities');

console.log('1. Import a CSV file, keyed by country and city.');
const source = fileURLToPath(new URL('data/cities.csv', import.meta.url));
const { rows, rejected } = await importCsv(cities, source, { key: ['country', 'city'] });
console.log(`   ${rows} rows are in ${db.path}, ${rejected} were rejected.\n`);

console.log('2. Scan a range: the keys that begin with FR, in order.');
for await (const [, value] of cities.range({ prefix: 'FR' })) {
  const { city, population } = JSON.parse(value.toString()) as City;
  console.log(`   ${city.padEnd(12)} ${Number(population).toLocaleString('en-US').padStart(10)}`);
}
console.log(`   Of ${cities.range().count()} cities these are ${cities.range({ prefix: 'FR' }).count()}.\n`);

console.log('3. Change entries in a transaction: all of it, or none.');
const rennes = {
  country: 'FR',
  city: 'Rennes',
  population: '225081',
  latitude: '48.1173',
  longitude: '-1.6778',
};
await db.write((tx) => {
  // Two zero bytes stand between the parts of a key.
  tx.bucket('cities').put('FR\0\0Rennes', JSON.stringify(rennes));
  tx.bucket('log').put(new Date().toISOString(), 'added Rennes');
});
console.log(`   There are ${cities.range({ prefix: 'FR' }).count()} cities in France now.\n`);

console.log('4. Export a part as NDJSON, from countries G to I.');
const file = join(folder, 'g-to-i.ndjson');
await pipeline(cities.range({ gte: 'G', lt: 'J' }).toNdjson(), createWriteStream(file));
console.log(`   ${cities.range({ gte: 'G', lt: 'J' }).count()} lines are in ${file}.\n`);

await db.close();
console.log(`Look around with the command line, or remove ${folder} when you are done.`);
