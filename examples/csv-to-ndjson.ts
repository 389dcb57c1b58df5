// From CSV to a store to filtered NDJSON: cities south of the equator, as lines of JSON with numbers for numbers.
// Run it with `npx tsx examples/csv-to-ndjson.ts`.

import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { type Entry, importCsv, open } from 'btree-store';

interface City {
  country: string;
  city: string;
  population: string;
  latitude: string;
}

await using db = await open(':memory:');
const cities = db.bucket('cities');
await importCsv(cities, fileURLToPath(new URL('data/cities.csv', import.meta.url)), {
  key: ['country', 'city'],
});

const southern = new Transform({
  writableObjectMode: true,
  transform([, value]: Entry, _encoding, done) {
    const { country, city, population, latitude } = JSON.parse(value.toString()) as City;
    const line = JSON.stringify({ country, city, population: Number(population) });
    done(null, Number(latitude) < 0 ? `${line}\n` : undefined);
  },
});
await pipeline(cities.range().toReadable(), southern, process.stdout, { end: false });
