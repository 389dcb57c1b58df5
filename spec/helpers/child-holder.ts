// A process of its own that opens a store, says so, and holds it until its input ends.
// Arguments: the path, and 'read' to open it read-only.

import { once } from 'node:events';
import { open } from 'btree-store';

const [path, mode] = process.argv.slice(2);
const db = await open(path, { readOnly: mode === 'read' });
console.log('open');
process.stdin.resume();
await once(process.stdin, 'end');
await db.close();
