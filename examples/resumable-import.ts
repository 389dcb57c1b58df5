// An import that is stopped half-way and run again: it goes on where it was, with its rejects.
// Run it with `npx tsx examples/resumable-import.ts`.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCsv, open, StoreError } from 'btree-store';

const folder = await mkdtemp(join(tmpdir(), 'btree-store-resumable-'));
const source = join(folder, 'readings.csv');
const lines = Array.from({ length: 200_000 }, (_, i) =>
  i % 50_000 === 49_999 ? 'a line of its own\n' : `${String(i).padStart(8, '0')},${i % 30}\n`,
);
await writeFile(source, `id,celsius\n${lines.join('')}`);

await using db = await open(join(folder, 'readings.db'));
const readings = db.bucket('readings');
const run = (signal?: AbortSignal) =>
  importCsv(readings, source, {
    key: 'id',
    checkpoint: 'readings.csv',
    rejects: db.bucket('refused'),
    commitEvery: { entries: 10_000 },
    signal,
  });

// Stopped by a signal here; a crash or a power cut would do as well.
const stop = new AbortController();
const watching = db.commits$.subscribe(() => readings.range().count() > 50_000 && stop.abort());
try {
  await run(stop.signal);
} catch (error) {
  if (!(error instanceof StoreError) || error.code !== 'ABORTED') throw error;
  console.log('stopped half-way');
}
watching.unsubscribe();

const { rows, rejected, earlier } = await run();
console.log(earlier !== undefined && earlier.rows > 50_000 && earlier.rows < rows ? 'went on' : 'began anew');
console.log(`${rows} rows are in, ${rejected} were refused`);
for (const [, refused] of db.bucket('refused').range()) console.log(JSON.parse(String(refused)).line);
