// lib/storage/pager.ts: what is believed of a page that was read, and what reads ahead may bring.

import { expect } from 'chai';
import { StoreError } from '../../lib/errors.js';
import { initLeaf, insertLeafEntry } from '../../lib/format/leaf.js';
import { initPage, KIND_VALUE, sealPage } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { PageCache } from '../../lib/storage/page-cache.js';
import { Pager } from '../../lib/storage/pager.js';
import { raised, rejected } from '../helpers/errors.js';

const SIZE = 4096;
const stampOf = (page: number): number => 1000 + page;

class CountingFile extends MemoryFile {
  reads = 0;
  failing = false;

  override readSync(target: Buffer, offset: number, length: number, position: number): number {
    this.reads++;
    if (this.failing) throw new StoreError('IO_ERROR', 'the spec wants it so');
    return super.readSync(target, offset, length, position);
  }
}

/** A file whose pages from 6 up to `end` are leaves of one entry, the page's number. */
function filled(end: number): { file: CountingFile; pager: Pager } {
  const file = new CountingFile();
  for (let page = 6; page < end; page++) writeLeaf(file, page, stampOf(page));
  file.reads = 0;
  return { file, pager: new Pager(new PageCache(SIZE, 1, 1), file) };
}

function writeLeaf(file: MemoryFile, page: number, stamp: number): void {
  const memory = new PageMemory(SIZE);
  initLeaf(memory, 0, SIZE, page, stamp, 1);
  const at = insertLeafEntry(memory, 0, 0, Buffer.from('k'), 1, 4, false);
  memory.u32[at >>> 2] = page;
  sealPage(memory, 0, SIZE);
  file.writeSync(memory.bytes, 0, SIZE, page * SIZE);
}

function expectLeaf(pager: Pager, page: number): void {
  const base = pager.load(page, stampOf(page));
  expect(pager.memory.u32[(base + SIZE - 4) >>> 2]).to.equal(page);
}

describe('pager', () => {
  it('reads a page once, and finds it in memory then', () => {
    const { file, pager } = filled(10);
    for (let i = 0; i < 3; i++) expectLeaf(pager, 7);
    expect(file.reads).to.equal(1);
    expect(pager.counts).to.deep.equal({ hits: 2, misses: 1, pagesRead: 1 });
    expect([pager.has(7), pager.has(8)]).to.deep.equal([true, false]);
  });

  it('keeps reading pages whose number is far more than there are frames', () => {
    const { pager } = filled(500);
    for (let round = 0; round < 3; round++) for (let page = 6; page < 500; page++) expectLeaf(pager, page);
  });

  describe('does not believe', () => {
    const damages: ReadonlyArray<[what: string, damage: (file: MemoryFile) => unknown]> = [
      ['a page with a bit changed', (file) => file.writeSync(Buffer.from([0xff]), 0, 1, 7 * SIZE + 2000)],
      ['a page of zeros', (file) => file.writeSync(Buffer.alloc(SIZE), 0, SIZE, 7 * SIZE)],
      ['an older version', (file) => writeLeaf(file, 7, stampOf(7) - 1)],
      [
        'another page in its place',
        (file) => {
          const bytes = Buffer.alloc(SIZE);
          file.readSync(bytes, 0, SIZE, 8 * SIZE);
          file.writeSync(bytes, 0, SIZE, 7 * SIZE);
        },
      ],
      [
        'a page of another kind',
        (file) => {
          const memory = new PageMemory(SIZE);
          initPage(memory, 0, KIND_VALUE, 7, stampOf(7), 1);
          sealPage(memory, 0, SIZE);
          file.writeSync(memory.bytes, 0, SIZE, 7 * SIZE);
        },
      ],
      [
        'a leaf that is none',
        (file) => {
          const memory = new PageMemory(SIZE);
          initLeaf(memory, 0, SIZE, 7, stampOf(7), 1);
          sealPage(memory, 0, SIZE);
          file.writeSync(memory.bytes, 0, SIZE, 7 * SIZE);
        },
      ],
      ['half a page at the end of the file', (file) => file.truncate(7 * SIZE + 2048)],
      ['a page past the end of the file', (file) => file.truncate(7 * SIZE)],
    ];
    for (const [what, damage] of damages) {
      it(what, async () => {
        const { file, pager } = filled(10);
        await damage(file);
        for (let round = 0; round < 500; round++) {
          const error = raised('PAGE_CORRUPT', () => pager.load(7, stampOf(7)));
          expect(error.details.page).to.equal(7);
        }
        // Neither is it there then, nor did the failed reads keep their frames.
        expect(pager.has(7)).to.equal(false);
        expectLeaf(pager, 6);
        // A read ahead does not raise it, and does not bring it.
        pager.fetchRun(7, [stampOf(7)], false);
        await pager.fetchRunAsync(7, [stampOf(7)], true);
        expect(pager.has(7)).to.equal(false);
      });
    }
  });

  it('reads a page again whose number had an earlier life', () => {
    const { file, pager } = filled(10);
    expectLeaf(pager, 7);
    writeLeaf(file, 7, 5);
    pager.load(7, 5);
    raised('PAGE_CORRUPT', () => pager.load(7, stampOf(7)));
  });

  it('never drops a changed page for a reference to another version of it', () => {
    const { pager } = filled(10);
    const base = pager.cache.takeDirty(20);
    initLeaf(pager.memory, base, SIZE, 20, 77, 1);
    raised('PAGE_CORRUPT', () => pager.load(20, 78));
    expect(pager.load(20, 77)).to.equal(base);
    expect(pager.cache.isDirty(base)).to.equal(true);
  });

  for (const [name, fetch] of [
    ['at once', (pager: Pager, first: number, stamps: number[]) => pager.fetchRun(first, stamps, false)],
    [
      'beside other work',
      (pager: Pager, first: number, stamps: number[]) => pager.fetchRunAsync(first, stamps, true),
    ],
  ] as const) {
    it(`reads ahead in one request, ${name}`, async () => {
      const { file, pager } = filled(40);
      const stamps = Array.from({ length: 20 }, (_, index) => stampOf(10 + index));
      await fetch(pager, 10, stamps);
      for (let page = 10; page < 30; page++) expect(pager.has(page)).to.equal(true);
      const { misses } = pager.counts;
      for (let page = 10; page < 30; page++) expectLeaf(pager, page);
      expect(pager.counts.misses).to.equal(misses);
      expect(file.reads).to.be.at.most(20);
    });

    it(`brings the good pages of a run with bad ones and those past the end, ${name}`, async () => {
      const { file, pager } = filled(20);
      file.writeSync(Buffer.from([1, 2, 3]), 0, 3, 15 * SIZE + 100);
      await fetch(
        pager,
        12,
        Array.from({ length: 15 }, (_, index) => stampOf(12 + index)),
      );
      for (let page = 12; page < 27; page++)
        expect(pager.has(page), `${page}`).to.equal(page < 20 && page !== 15);
    });

    it(`leaves a page alone that is in memory already, ${name}`, async () => {
      const { pager } = filled(20);
      const base = pager.cache.takeDirty(14);
      await fetch(pager, 12, [stampOf(12), stampOf(13), stampOf(14), stampOf(15)]);
      expect(pager.cache.find(14)).to.equal(base);
      expect(pager.cache.isDirty(base)).to.equal(true);
      expectLeaf(pager, 15);
    });

    it(`gives its frames back when the disk fails, ${name}`, async () => {
      const { file, pager } = filled(40);
      for (let round = 0; round < 150; round++) {
        file.failing = true;
        await rejected('IO_ERROR', (async () => fetch(pager, 10, [stampOf(10), stampOf(11)]))());
        raised('IO_ERROR', () => pager.load(12, stampOf(12)));
        file.failing = false;
      }
      expectLeaf(pager, 10);
      expect(pager.cache.canReadAhead).to.equal(true);
    });
  }

  it('does not run out of frames, however many read ahead at a time', async () => {
    const { pager } = filled(1000);
    const runs = Array.from({ length: 20 }, (_, run) => {
      const first = 10 + run * 40;
      return pager.fetchRunAsync(
        first,
        Array.from({ length: 40 }, (_, index) => stampOf(first + index)),
        run % 2 === 0,
      );
    });
    // Others go on meanwhile: readers, and a writer with as many changed pages as it may have.
    for (let page = 900; page < 960; page++) expectLeaf(pager, page);
    for (let page = 2000; page < 2000 + 64; page++) pager.cache.takeDirty(page);
    await Promise.all(runs);
    for (let page = 10; page < 810; page++) expectLeaf(pager, page);
  });
});
