// A process of its own that imports, to be killed. Arguments: the store, the source, the file of rejects, the shape
// as JSON. Writes "open", then how many rows there are as it goes, and "done" at the end.

import fs from 'node:fs';
import { importCsv, open } from 'btree-store';
import { ROWS_BUCKET, resumableOptions, type Shape } from './resumable.js';

const [path, source, rejects, shape] = process.argv.slice(2);
const db = await open(path);
fs.writeSync(1, 'open\n');
const options = resumableOptions(db, JSON.parse(shape) as Shape, rejects);
const { rows, earlier } = await importCsv(db.bucket(ROWS_BUCKET), source, options);
await db.close();
fs.writeSync(1, `done ${rows} ${earlier?.rows ?? 0}\n`);
