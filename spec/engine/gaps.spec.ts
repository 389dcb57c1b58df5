// What the file holds between the slots and the records of its nodes: nothing, whatever memory held there.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { heapStart, NODE_SLOTS, nodeCount } from '../../lib/format/node.js';
import { KIND_BRANCH, KIND_LEAF, pageKind } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

const PAGE = 4096;
const SLOT_BYTES = new Map([
  [KIND_LEAF, 6],
  [KIND_BRANCH, 20],
]);

describe('gaps of nodes', () => {
  const stores = useStores();

  it('hold nothing of pages that memory held before, in the file', async () => {
    const db = await stores.open();
    const keys = numberedKeys(3000);
    await putAll(db, 'secret', keys, () => 's3cret'.repeat(17));
    await putAll(db, 'kept', keys, () => 'public'.repeat(8));
    await db.dropBucket('secret');
    for (let round = 0; round < 40; round++)
      await putAll(
        db,
        'kept',
        keys.filter((_, i) => (i * 7 + round) % 11 === 0),
        () => `public ${round}`.repeat(6),
      );
    const { path } = db;
    await stores.close(db);
    const bytes = readFileSync(path);
    const memory = new PageMemory(bytes.length);
    bytes.copy(memory.bytes);
    let nodes = 0;
    let gapBytes = 0;
    for (let base = 0; base < bytes.length; base += PAGE) {
      const slotBytes = SLOT_BYTES.get(pageKind(memory, base));
      if (slotBytes === undefined) continue;
      const gap = memory.bytes.subarray(
        base + NODE_SLOTS + slotBytes * nodeCount(memory, base),
        base + heapStart(memory, base),
      );
      expect(gap.equals(Buffer.alloc(gap.length)), `the gap of page ${base / PAGE}`).to.equal(true);
      nodes++;
      gapBytes += gap.length;
    }
    expect(nodes).to.be.greaterThan(50);
    expect(gapBytes).to.be.greaterThan(50 * 300);
  });
});
