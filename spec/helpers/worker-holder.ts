// A worker thread that opens a store, tells how that went, and holds it until it is told to close it.

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { open, StoreError } from 'btree-store';

const { path, readOnly } = workerData as { path: string; readOnly: boolean };
if (parentPort === null) throw new Error('this is for a worker thread');
try {
  const db = await open(path, { readOnly });
  if (!readOnly) await db.bucket('b').put('worker', 'was here');
  parentPort.postMessage({ code: 'open' });
  await once(parentPort, 'message');
  await db.close();
  parentPort.postMessage({ code: 'closed' });
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  parentPort.postMessage({ code: error.code, pid: error.details.pid });
}
