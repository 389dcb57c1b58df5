// A process of its own that commits one step after the other until it is killed, and writes the number of each
// once its commit has resolved. Arguments: the path, and the step to begin with.

import fs from 'node:fs';
import { open } from 'btree-store';
import { takeStep } from './steps.js';

const [path, first] = process.argv.slice(2);
const db = await open(path);
console.log('open');
for (let step = Number(first); ; step++) {
  await takeStep(db, step);
  // Synchronous: what is written here has left this process when the next step begins.
  fs.writeSync(1, `${step}\n`);
}
