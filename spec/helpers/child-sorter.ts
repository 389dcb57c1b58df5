// A process of its own that sorts what it loads until it is killed, and says so once a run was written.
// Argument: the path.

import fs from 'node:fs';
import path from 'node:path';
import { open } from 'btree-store';

const [file] = process.argv.slice(2);
const db = await open(file);
await db.bucket('b').put('before', 'stays');
const writer = db.bucket('b').bulkWriter({ sorted: false, sortBytes: 1 });
const value = Buffer.alloc(2000);
const isRun = (name: string): boolean => name.startsWith(`${path.basename(file)}.sort-`);
for (let i = 0, told = false; ; i++) {
  if (!writer.add(`k${(i * 7919) % 100_000}`, value)) await writer.drained();
  if (told || i % 100 !== 0 || !fs.readdirSync(path.dirname(file)).some(isRun)) continue;
  told = true;
  console.log('sorting');
}
