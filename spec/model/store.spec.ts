// The whole store against sorted maps: random stories of writes, reads, iterations that outlast commits,
// snapshots, loads and reopenings, over pages of two sizes, small and large caches, files and memory.

import type { Database } from 'btree-store';
import fc from 'fast-check';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';
import { Story } from '../helpers/story.js';
import { stories } from '../helpers/story-steps.js';

describe('a store does what sorted maps do', () => {
  const stores = useStores();
  const cases: Array<[what: string, pageSize: 4096 | 65536, open: (file: string) => Promise<Database>]> = [
    ['in memory', 4096, () => stores.openMemory({ cacheBytes: 1 })],
    ['in memory, with the largest pages', 65536, () => stores.openMemory({ cacheBytes: 1, pageSize: 65536 })],
    ['in a file', 4096, (file) => stores.openAt(file, { cacheBytes: 1 })],
    ['in a file, with the largest pages', 65536, (file) => stores.openAt(file, { pageSize: 65536 })],
    ['in a file, not durable', 4096, (file) => stores.openAt(file, { durability: 'none' })],
    ['in a file, synced by the event loop', 4096, (file) => stores.openAt(file, { syncOn: 'loop' })],
    ['in a file, with every bound as low as can be', 4096, (file) => stores.openTight(file)],
  ];
  for (const [what, pageSize, open] of cases) {
    it(what, async function () {
      this.timeout(scaledMilliseconds(60_000));
      await fc.assert(
        fc
          .asyncProperty(stories(pageSize, 40), async (steps) => {
            const db = await open(await stores.path());
            await new Story(stores, db, open).tell(steps);
          })
          // What a failed run left open is not the next one's to clear up.
          .afterEach(() => stores.abandon()),
        seeded(8),
      );
    });
  }
});
