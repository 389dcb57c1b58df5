// lib/format/structure.ts: each way in which a node with a right checksum can still be no node.

import { expect } from 'chai';
import { initBranch, insertChild, setChildEntries } from '../../lib/format/branch.js';
import { initLeaf, insertLeafEntry, removeLeafEntry } from '../../lib/format/leaf.js';
import { setPrefix } from '../../lib/format/node.js';
import { PAGE_SIZES } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import { checkNodeStructure } from '../../lib/format/structure.js';
import { raised } from '../helpers/errors.js';

const PAGE = 23;
const prefix = Buffer.from('pre');
const keys = ['pre', 'prea', 'prea\0', 'preabcdefgh', 'preabcdefghijklmn', 'prezz'].map((key) =>
  Buffer.from(key),
);

/** A leaf with large and small values, of which one was taken out again: there is garbage. */
function leaf(pageSize: number): Buffer {
  const memory = new PageMemory(pageSize);
  initLeaf(memory, 0, pageSize, PAGE, 1, 1);
  setPrefix(memory, 0, pageSize, prefix, prefix.length);
  keys.forEach((key, index) => {
    insertLeafEntry(memory, 0, index, key, key.length, 30 + index, index === 2);
  });
  removeLeafEntry(memory, 0, 4);
  return memory.bytes;
}

function branch(pageSize: number): Buffer {
  const memory = new PageMemory(pageSize);
  initBranch(memory, 0, pageSize, PAGE, 1, 1, 2);
  setPrefix(memory, 0, pageSize, prefix, prefix.length);
  insertChild(memory, 0, 0, Buffer.alloc(0), 0, 100, 1);
  keys.forEach((key, index) => {
    insertChild(memory, 0, index + 1, key, key.length, 101 + index, 1);
    setChildEntries(memory, 0, index + 1, 10, index === 3);
  });
  return memory.bytes;
}

function check(page: Buffer, pageSize: number): void {
  const memory = new PageMemory(3 * pageSize);
  memory.bytes.fill(0xff);
  memory.bytes.set(page, pageSize);
  checkNodeStructure(memory, pageSize, pageSize, PAGE);
}

// Where things stand, by hand: a leaf of five entries, a branch of seven children.
const LEAF_HEADS = 32;
const LEAF_OFFSETS = LEAF_HEADS + 4 * 5;
const BRANCH_HEADS = 32;
const BRANCH_OFFSETS = BRANCH_HEADS + 18 * 7;
const record = (page: Buffer, slots: number, index: number): number => page.readUInt16LE(slots + 2 * index);

type Damage = (page: Buffer) => unknown;
const common: Readonly<Record<string, Damage>> = {
  'has another kind': (page) => page.writeUInt8(4, 18),
  'has no kind': (page) => page.writeUInt8(0, 18),
  'is empty': (page) => page.writeUInt16LE(0, 20),
  'counts a slot less': (page) => page.writeUInt16LE(page.readUInt16LE(20) - 1, 20),
  'counts a slot more': (page) => page.writeUInt16LE(page.readUInt16LE(20) + 1, 20),
  'counts more slots than a page holds': (page) => page.writeUInt16LE(0xffff, 20),
  'has a prefix longer than a key': (page) => page.writeUInt16LE((page.length >>> 2) + 1, 22),
  'has a prefix longer than a page': (page) => page.writeUInt16LE(0xffff, 22),
  'has no prefix where its heap leaves room for one': (page) => page.writeUInt16LE(0, 22),
  'has its heap begin among its slots': (page) => page.writeUInt16LE(40, 24),
  'has its heap begin in its header': (page) => page.writeUInt16LE(4, 24),
  'has its heap begin past its end': (page) => page.writeUInt16LE(page.length - 2, 24),
  'has its heap begin later': (page) => page.writeUInt16LE(page.readUInt16LE(24) + 4, 24),
  'has its heap begin earlier': (page) => page.writeUInt16LE(page.readUInt16LE(24) - 4, 24),
  'has its heap begin at an odd place': (page) => page.writeUInt16LE(page.readUInt16LE(24) - 2, 24),
  'counts more garbage': (page) => page.writeUInt16LE(page.readUInt16LE(26) + 4, 26),
  'counts all as garbage': (page) => page.writeUInt16LE(0xffff, 26),
};

const leafDamages: Readonly<Record<string, Damage>> = {
  ...common,
  'has the level of a branch': (page) => page.writeUInt8(1, 19),
  'is called a branch': (page) => page.writeUInt8(3, 18),
  'counts less garbage': (page) => page.writeUInt16LE(0, 26),
  'counts no large values': (page) => page.writeUInt16LE(0, 28),
  'counts a large value more': (page) => page.writeUInt16LE(2, 28),
  'has heads out of order': (page) => page.writeUInt32LE(0xffff_ffff, LEAF_HEADS + 4),
  'has a head that goes on past its key': (page) => page.writeUInt32LE(0x0000_0001, LEAF_HEADS),
  'has a head that goes on past a key of one byte': (page) => page.writeUInt32LE(0x6100_0001, LEAF_HEADS + 4),
  'has a record among its slots': (page) => page.writeUInt16LE(36, LEAF_OFFSETS),
  'has a record in its header': (page) => page.writeUInt16LE(0, LEAF_OFFSETS + 2),
  'has a record at its end': (page) => page.writeUInt16LE(page.length - 4, LEAF_OFFSETS + 2),
  'has a record past its end': (page) => page.writeUInt16LE(0xfffc, LEAF_OFFSETS + 2),
  'has a record at an odd place': (page) =>
    page.writeUInt16LE(record(page, LEAF_OFFSETS, 1) + 1, LEAF_OFFSETS + 2),
  'has one record for two keys': (page) =>
    page.writeUInt16LE(record(page, LEAF_OFFSETS, 3), LEAF_OFFSETS + 2 * 4),
  'has a key longer than any': (page) =>
    page.writeUInt16LE((page.length >>> 2) + 1 - 3, record(page, LEAF_OFFSETS, 3)),
  'has a key of all bytes': (page) => page.writeUInt16LE(0xffff, record(page, LEAF_OFFSETS, 3)),
  'has a key longer by a word': (page) => page.writeUInt16LE(8 + 4, record(page, LEAF_OFFSETS, 3)),
  'has a value to past its end': (page) => page.writeUInt16LE(0x7fff, record(page, LEAF_OFFSETS, 1) + 2),
  'has a value shorter by a word': (page) => page.writeUInt16LE(31 - 4, record(page, LEAF_OFFSETS, 1) + 2),
  'has a value called large': (page) => page.writeUInt16LE(31 | 0x8000, record(page, LEAF_OFFSETS, 1) + 2),
};

const branchDamages: Readonly<Record<string, Damage>> = {
  ...common,
  'has the level of a leaf': (page) => page.writeUInt8(0, 19),
  'is called a leaf': (page) => page.writeUInt8(2, 18),
  'tells of no large values though a child does': (page) => page.writeUInt16LE(0, 28),
  'has heads out of order': (page) => page.writeUInt32LE(0xffff_ffff, BRANCH_HEADS + 8),
  'has a head that goes on past its separator': (page) => page.writeUInt32LE(1, BRANCH_HEADS + 4),
  'has a head for its first child': (page) => page.writeUInt32LE(1, BRANCH_HEADS),
  'has a separator for its first child': (page) => page.writeUInt16LE(1, BRANCH_OFFSETS),
  'has a long separator for its first child': (page) =>
    page.writeUInt16LE(record(page, BRANCH_OFFSETS, 4), BRANCH_OFFSETS),
  'has a record among its slots': (page) => page.writeUInt16LE(36, BRANCH_OFFSETS + 2 * 4),
  'has a record at its end': (page) => page.writeUInt16LE(page.length - 4, BRANCH_OFFSETS + 2 * 4),
  'has a record past its end': (page) => page.writeUInt16LE(0xfffc, BRANCH_OFFSETS + 2 * 4),
  'has a record at an odd place': (page) =>
    page.writeUInt16LE(record(page, BRANCH_OFFSETS, 4) + 2, BRANCH_OFFSETS + 2 * 4),
  'has a separator longer than any': (page) =>
    page.writeUInt16LE((page.length >>> 2) + 1 - 3, record(page, BRANCH_OFFSETS, 4)),
  'has a separator of all bytes': (page) => page.writeUInt16LE(0xffff, record(page, BRANCH_OFFSETS, 4)),
  'has a record for a separator that its head holds': (page) =>
    page.writeUInt16LE(4, record(page, BRANCH_OFFSETS, 4)),
  'has one record for two separators': (page) =>
    page.writeUInt16LE(record(page, BRANCH_OFFSETS, 4), BRANCH_OFFSETS + 2 * 5),
  'has a separator in its head though it is longer': (page) => page.writeUInt16LE(4, BRANCH_OFFSETS + 2 * 4),
};

describe('structure', () => {
  for (const pageSize of PAGE_SIZES) {
    it(`takes nodes as they are made, with pages of ${pageSize}`, () => {
      check(leaf(pageSize), pageSize);
      check(branch(pageSize), pageSize);
    });
  }

  for (const [kind, make, damages] of [
    ['a leaf', leaf, leafDamages],
    ['a branch', branch, branchDamages],
  ] as const) {
    describe(`refuses ${kind} that`, () => {
      for (const [what, damage] of Object.entries(damages)) {
        it(what, () => {
          for (const pageSize of [4096, 65536]) {
            const page = make(pageSize);
            damage(page);
            const error = raised('PAGE_CORRUPT', () => check(page, pageSize));
            expect(error.details.page).to.equal(PAGE);
          }
        });
      }
    });
  }

  it('raises its error, or lets pass, whatever single word is changed', () => {
    for (const make of [leaf, branch]) {
      const good = make(4096);
      for (let at = 0; at < 4096; at += 2) {
        for (const word of [0, 1, 4, 0x7fff, 0x8000, 0xffff]) {
          const page = Buffer.from(good);
          page.writeUInt16LE(word, at);
          try {
            check(page, 4096);
          } catch (error) {
            raised('PAGE_CORRUPT', () => {
              throw error;
            });
          }
        }
      }
    }
  });
});
