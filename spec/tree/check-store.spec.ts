// lib/tree/check-store.ts: what a walk over the whole file tells of each bucket.

import type { BucketReport } from 'btree-store';
import { expect } from 'chai';
import { patterned } from '../helpers/bytes.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

describe('check', () => {
  const stores = useStores();

  it('tells the shape of every bucket', async () => {
    const db = await stores.open();
    await db.createBucket('empty');
    await putAll(db, 'one leaf', numberedKeys(3), () => 'value');
    await putAll(db, 'many leaves', numberedKeys(5000), (i) => patterned(100, i));
    await putAll(db, 'large values', numberedKeys(10), (i) => patterned(40_000, i));
    const writer = db.bucket('packed').bulkWriter();
    for (const key of numberedKeys(50_000)) if (!writer.add(key, patterned(50, 1))) await writer.drained();
    await writer.finish();
    await putAll(db, 'é, after all others', ['key'], () => 'value');

    const { bucketReports, buckets, entries, pages } = await db.check();
    const byName = new Map(bucketReports.map((report) => [report.name, report]));
    expect([...byName.keys()]).to.deep.equal([...db.buckets()].map(({ name }) => name));
    expect(buckets).to.equal(6);
    expect(entries).to.equal(bucketReports.reduce((sum, report) => sum + report.entries, 0));
    const total = (field: 'leafPages' | 'branchPages' | 'valuePages'): number =>
      bucketReports.reduce((sum, report) => sum + report[field], 0);
    expect(total('leafPages') + 1, 'leaves, with that of the catalog').to.equal(pages.leaf);
    expect(total('branchPages')).to.equal(pages.branch);
    expect(total('valuePages')).to.equal(pages.value);

    const of = (name: string): Omit<BucketReport, 'name'> => {
      const { name: _, ...report } = byName.get(name) ?? expect.fail(`no report of ${name}`);
      return report;
    };
    const nothing = { branchPages: 0, valuePages: 0, averageBranchFill: 0 };
    expect(of('empty')).to.deep.equal({
      ...nothing,
      entries: 0,
      depth: 0,
      leafPages: 0,
      averageLeafFill: 0,
    });
    expect(of('one leaf')).to.include({ ...nothing, entries: 3, depth: 1, leafPages: 1 });
    expect(of('one leaf').averageLeafFill).to.be.within(0.005, 0.03);
    expect(of('many leaves')).to.include({ entries: 5000, depth: 2, branchPages: 1, valuePages: 0 });
    expect(of('many leaves').leafPages).to.be.within(130, 160);
    expect(of('many leaves').averageLeafFill, 'after ascending puts').to.be.within(0.95, 1);
    expect(of('large values')).to.include({ entries: 10, depth: 1, valuePages: 100 });
    expect(of('packed')).to.include({ entries: 50_000, depth: 3 });
    expect(of('packed').averageLeafFill).to.be.within(0.95, 1);
    expect(of('packed').averageBranchFill).to.be.within(0.3, 1);
  });

  it('tells of a bucket as its fill goes down', async () => {
    const db = await stores.openMemory();
    await putAll(db, 'b', numberedKeys(5000), (i) => patterned(100, i));
    await db.write((tx) => {
      for (const [index, key] of numberedKeys(5000).entries())
        if (index % 3 !== 0) tx.bucket('b').delete(key);
    });
    const [report] = (await db.check()).bucketReports;
    expect(report.entries).to.equal(1667);
    expect(report.averageLeafFill).to.be.within(0.5, 0.9);
  });
});
