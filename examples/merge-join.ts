// A join of two buckets by a merge of two ranges: both ascend by customer, so that each is read once, in step.
// Run it with `npx tsx examples/merge-join.ts`.

import { keys, open, type TypedBucket } from 'btree-store';
import { z } from 'zod';

await using db = await open(':memory:');
const customers = db.bucket('customers', { key: keys.string, value: z.object({ city: z.string() }) });
const orders = db.bucket('orders', {
  key: keys.tuple(keys.string, keys.number),
  value: z.object({ total: z.number() }),
});
await customers.put('ada', { city: 'London' });
await customers.put('alan', { city: 'Manchester' });
await customers.put('grace', { city: 'New York' });
await orders.put(['ada', 1], { total: 12.5 });
await orders.put(['ada', 4], { total: 3.75 });
await orders.put(['grace', 2], { total: 8 });
await orders.put(['mary', 3], { total: 1 });

/** Each entry of `many` with that of `one` that its key begins with. */
function* join<One, Many>(
  one: TypedBucket<string, One>,
  many: TypedBucket<readonly [string, number], Many>,
): Generator<[key: readonly [string, number], one: One, many: Many]> {
  const left = one.range()[Symbol.iterator]();
  try {
    let current = left.next();
    for (const [key, value] of many.range()) {
      while (current.done !== true && current.value[0] < key[0]) current = left.next();
      if (current.done === true) return;
      if (current.value[0] === key[0]) yield [key, current.value[1], value];
    }
  } finally {
    left.return?.();
  }
}

for (const [[customer, id], { city }, { total }] of join(customers, orders))
  console.log(`order ${id} of ${customer} in ${city}: ${total}`);
