// A live aggregate of a bucket: the sum of all orders, kept by what `watch` tells, without reading them again.
// Run it with `npx tsx examples/live-aggregate.ts`.

import { keys, open } from 'btree-store';
import { concatMap, from, map, scan } from 'rxjs';
import { z } from 'zod';

await using db = await open(':memory:');
const orders = db.bucket('orders', { key: keys.number, value: z.object({ total: z.number() }) });
await orders.put(1, { total: 10 });

// What each order came to when it was last heard of, so that one that changes can be taken off the sum.
const totals = new Map([...orders.range()].map(([id, { total }]) => [id, total]));
const begun = [...totals.values()].reduce((sum, total) => sum + total, 0);
const subscription = orders
  .watch()
  .pipe(
    concatMap((change) => {
      if (change.type === 'put') return from([[change.key, change.value?.total ?? 0] as const]);
      if (change.type === 'delete') return from([[change.key, 0] as const]);
      throw new Error(`${change.type} is not used here: read the range again`);
    }),
    map(([id, total]) => {
      const difference = total - (totals.get(id) ?? 0);
      totals.set(id, total);
      return difference;
    }),
    scan((sum, difference) => sum + difference, begun),
  )
  .subscribe((sum) => console.log(`all orders come to ${sum}`));

await orders.put(2, { total: 25 });
await db.write((tx) => {
  const bucket = tx.bucket('orders', { key: keys.number, value: z.object({ total: z.number() }) });
  bucket.put(1, { total: 12 });
  bucket.put(3, { total: 5 });
});
await orders.delete(2);
subscription.unsubscribe();
