// A process of its own that subscribes to all that a store tells, and must then end of itself, though it does not close
// the store. Arguments: the path, and 'unsubscribe' to give every subscription up, 'stay' to keep it.

import { type Database, importNdjson, open } from 'btree-store';
import type { Subscription } from 'rxjs';

const [path, mode] = process.argv.slice(2);
const db: Database = await open(path);
const bucket = db.bucket('b');
await db.write((tx) => {
  for (let i = 0; i < 2000; i++) tx.bucket('b').put(`k${i}`, `{"id":"${i}"}`);
});

const events: string[] = [];
const writer = db.bucket('load').bulkWriter({ sorted: false });
const job = importNdjson(db.bucket('rows'), bucket.range().toNdjson(), { key: 'id' });
const { signal } = new AbortController();
const subscriptions: Subscription[] = [
  db.commits$.subscribe(() => events.push('commit')),
  bucket.watch().subscribe(({ type }) => events.push(type)),
  bucket.watch({ prefix: 'k1', signal }).subscribe(({ type }) => events.push(type)),
  bucket
    .range()
    .toObservable()
    .subscribe(() => events.push('entry')),
  bucket.range({ signal }).toObservable().subscribe(),
  writer.progress$.subscribe(() => events.push('progress')),
  job.progress$.subscribe(() => events.push('rows')),
];
writer.add('a', '1');
await writer.finish();
await job;
await bucket.put('k1', 'new');
if (mode === 'unsubscribe') for (const subscription of subscriptions) subscription.unsubscribe();
const told = events.length;
await bucket.put('k1', 'newer');
const after = events.length - told;
console.log(
  JSON.stringify({ kinds: [...new Set(events)].toSorted(), after, snapshots: db.stats().snapshots }),
);
