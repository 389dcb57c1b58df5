// lib/format/node-gap.ts: all of a node arrives, whatever lay there, and nothing is written beyond it.

import { expect } from 'chai';
import { initBranch, insertChild } from '../../lib/format/branch.js';
import { initLeaf, insertLeafEntry } from '../../lib/format/leaf.js';
import { heapStart, nodeCount, setPrefix } from '../../lib/format/node.js';
import { clearGap, copyNode } from '../../lib/format/node-gap.js';
import type { PageMemory } from '../../lib/format/page-memory.js';
import { checkNodeStructure } from '../../lib/format/structure.js';
import { numbered, patterned } from '../helpers/bytes.js';
import { GuardedPage } from '../helpers/guarded-page.js';

type Make = (memory: PageMemory, base: number, pageSize: number, count: number) => void;

const keyOf = (index: number): Buffer => Buffer.from(numbered(index));
const PREFIX = keyOf(0).subarray(0, 3);

const makeLeaf: Make = (memory, base, pageSize, count) => {
  initLeaf(memory, base, pageSize, 9, 77, 5);
  setPrefix(memory, base, pageSize, PREFIX, PREFIX.length);
  for (let i = 0; i < count; i++) {
    const key = keyOf(i);
    const value = insertLeafEntry(memory, base, i, key, key.length, 20, false);
    patterned(20, i).copy(memory.bytes, value);
  }
};

const makeBranch: Make = (memory, base, pageSize, count) => {
  initBranch(memory, base, pageSize, 9, 77, 5, 1);
  setPrefix(memory, base, pageSize, PREFIX, PREFIX.length);
  for (let i = 0; i < count; i++) {
    const separator = keyOf(i);
    insertChild(memory, base, i, separator, separator.length, 100 + i, 7);
  }
};

describe('copy of a node', () => {
  const nodes: Array<[what: string, make: Make, slotBytes: number]> = [
    ['leaf', makeLeaf, 6],
    ['branch', makeBranch, 20],
  ];
  for (const [what, make, slotBytes] of nodes)
    for (const pageSize of [4096, 65536])
      for (const count of [1, 2, 80])
        it(`of a ${what} of ${count}, in pages of ${pageSize}`, () => {
          const page = new GuardedPage(pageSize);
          const { memory, base } = page;
          make(memory, 0, pageSize, count);
          const node = Buffer.from(memory.bytes.subarray(0, pageSize));
          copyNode(memory, 0, base, pageSize);
          checkNodeStructure(memory, base, pageSize, 9);
          const slotsEnd = 32 + slotBytes * nodeCount(memory, 0);
          const heap = heapStart(memory, 0);
          const parts: Array<[from: number, to: number, expected: Buffer]> = [
            [0, slotsEnd, node.subarray(0, slotsEnd)],
            [slotsEnd, heap, Buffer.alloc(heap - slotsEnd, 0xa5)],
            [heap, pageSize, node.subarray(heap)],
            [pageSize, 2 * pageSize, Buffer.alloc(pageSize, 0xa5)],
          ];
          for (const [from, to, expected] of parts)
            expect(memory.bytes.subarray(base + from, base + to).equals(expected), `from ${from}`).to.equal(
              true,
            );
          expect(memory.bytes.subarray(0, pageSize).equals(node), 'the node itself').to.equal(true);
          clearGap(memory, base, pageSize);
          node.fill(0, slotsEnd, heap);
          expect(page.bytes.equals(node), 'with its gap cleared').to.equal(true);
        });
});
