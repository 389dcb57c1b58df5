// lib/tree/range-cursor.ts: what scans of a store that is larger than the cache ask of the file.

import { expect } from 'chai';
import { type CountedStore, openCounted } from '../helpers/counted-store.js';
import { numberedKeys } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

const PAGE = 4096;
const ENTRIES = 60_000;
const SCANS = 30;

describe('scans of more than the cache holds', () => {
  const stores = useStores();

  async function larger(): Promise<CountedStore> {
    const counted = await openCounted(await stores.path(), { cacheBytesMax: 1024 * PAGE });
    const load = counted.db.bucket('b').bulkWriter({ sorted: true });
    const value = Buffer.alloc(100);
    for (const key of numberedKeys(ENTRIES)) if (!load.add(key, value)) await load.drained();
    await load.finish();
    return counted;
  }

  /** Pages that were read, on the event loop and in all, and those of them that nobody needed. */
  async function pagesOf({ db, file }: CountedStore, scan: () => Promise<number>): Promise<number[]> {
    file.reset();
    const before = db.stats().pagesRead;
    for (let i = 0; i < SCANS; i++) expect(await scan()).to.equal(ENTRIES);
    const read = file.bytesRead / PAGE;
    return [read, file.bytesReadSync / PAGE, read - (db.stats().pagesRead - before)];
  }

  for (const reverse of [false, true]) {
    it(`read no page for nothing, and few on the event loop, in async steps${reverse ? ', backwards' : ''}`, async () => {
      const counted = await larger();
      const range = counted.db.bucket('b').range({ reverse });
      const [read, sync, twice] = await pagesOf(counted, async () => {
        let entries = 0;
        for await (const _entry of range) entries++;
        return entries;
      });
      const { leaf, branch } = (await counted.db.check()).pages;
      expect(leaf + branch).to.be.within(1500, 3000);
      expect(read / SCANS, 'pages a scan').to.be.below(leaf);
      expect(twice, 'pages that were there already').to.be.below(0.01 * read);
      expect(sync, 'pages read on the event loop').to.be.below(0.01 * read);
      await counted.db.close();
    });

    it(`read no page for nothing in sync steps${reverse ? ', backwards' : ''}`, async () => {
      const counted = await larger();
      const range = counted.db.bucket('b').range({ reverse });
      const [read, , twice] = await pagesOf(counted, async () => {
        let entries = 0;
        for (const _entry of range) entries++;
        return entries;
      });
      const { leaf } = (await counted.db.check()).pages;
      expect(read / SCANS, 'pages a scan').to.be.below(leaf);
      expect(twice).to.equal(0);
      await counted.db.close();
    });
  }
});
