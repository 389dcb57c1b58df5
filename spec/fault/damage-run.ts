// npm run fault:damage: flips bits of a store that has every kind of page, zeroes its pages, swaps every two of them,
// puts every older version of a page back, cuts the file at every page. Ends with one line of JSON; with what is
// wrong if something is.
//
//   --flips 64          of each page, after each of which all is read
//   --bits none         'all': also flips every single bit, after each of which what lies in its way is read
//   --seed 1            of the bits, where not all are flipped
//   --pages 0-999       flips bits of these pages only
//   --swaps all         'none' leaves the swaps out
//   --defect checksum   checks no checksums, to see that it is found

import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';

process.env.BTREE_STORE_ASSERT = '1';
const { bitsOf } = await import('./damage-sample.js');
const { DamagedStore, PAGE_BITS } = await import('./damaged-store.js');
const { EveryBit } = await import('./every-bit.js');
const { openUnchecked } = await import('./unchecked-file.js');

const { values } = parseArgs({
  options: {
    flips: { type: 'string', default: '64' },
    bits: { type: 'string', default: 'none' },
    seed: { type: 'string', default: '1' },
    pages: { type: 'string', default: '0-999999' },
    swaps: { type: 'string', default: 'all' },
    defect: { type: 'string' },
  },
});

const started = performance.now();
const seed = Number(values.seed);
const flips = Number(values.flips);
const [first, last] = values.pages.split('-').map(Number);
const store = await DamagedStore.make(values.defect === 'checksum' ? openUnchecked : undefined);
const counts = { flips: 0, bits: 0, pagesNotRead: 0, zeroed: 0, swaps: 0, older: 0, cuts: 0 };

try {
  for (let page = first; page <= Math.min(last, store.pages - 1); page++) {
    for (const bit of bitsOf(page, flips, seed)) {
      await store.flip(page, bit);
      counts.flips++;
    }
  }
  if (values.bits === 'all') await flipEveryBit();
  for (let page = 0; page < store.pages; page++) {
    await store.zero(page);
    counts.zeroed++;
    await store.cut(page);
    counts.cuts++;
    for (const version of store.versions.slice(0, -1)) if (await store.age(page, version)) counts.older++;
    for (let other = page + 1; values.swaps === 'all' && other < store.pages; other++) {
      await store.swap(page, other);
      counts.swaps++;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function flipEveryBit(): Promise<void> {
  const every = await EveryBit.open(store.known.bytes);
  const unread = await every.unreadPages();
  counts.pagesNotRead = unread.size;
  for (let page = first; page <= Math.min(last, store.pages - 1); page++) {
    if (unread.has(page)) continue;
    if (every.isInTree(page)) counts.bits += every.flipAll(page);
    else for (let bit = 0; bit < PAGE_BITS; bit++, counts.bits++) await store.flip(page, bit, 'some');
  }
  await every.close();
}

tellResult(started, {
  seed,
  pages: store.pages,
  ...counts,
  images: store.images,
});
