// The whole store against sorted maps: random stories of writes, reads, iterations that outlast commits,
// snapshots, loads and reopenings, over pages of two sizes, small and large caches, files and memory.

import type { OpenOptions } from 'btree-store';
import fc from 'fast-check';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';
import { Story } from '../helpers/story.js';
import { stories } from '../helpers/story-steps.js';

describe('a store does what sorted maps do', () => {
  const stores = useStores();
  const cases: Array<[place: 'file' | 'memory', options: OpenOptions & { pageSize: 4096 | 65536 }]> = [
    ['memory', { pageSize: 4096, cacheBytes: 1 }],
    ['file', { pageSize: 4096, cacheBytes: 1 }],
    ['file', { pageSize: 4096, durability: 'none' }],
    ['memory', { pageSize: 65536, cacheBytes: 1 }],
    ['file', { pageSize: 65536 }],
  ];
  for (const [place, options] of cases) {
    it(`in a ${place} with ${JSON.stringify(options)}`, async function () {
      this.timeout(scaledMilliseconds(60_000));
      await fc.assert(
        fc
          .asyncProperty(stories(options.pageSize, 40), async (steps) => {
            const db = await stores.openIn(place, options);
            await new Story(stores, db, options).tell(steps);
          })
          // What a failed run left open is not the next one's to clear up.
          .afterEach(() => stores.abandon()),
        seeded(8),
      );
    });
  }
});
