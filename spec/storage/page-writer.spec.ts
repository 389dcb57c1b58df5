// lib/storage/page-writer.ts: neighbours go out together, sealed, in requests of a megabyte at the most.

import { expect } from 'chai';
import { initLeaf } from '../../lib/format/leaf.js';
import { NODE_SLOTS, setHeapStart } from '../../lib/format/node.js';
import { initPage, KIND_LEAF, pageStamp, verifyPage } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { PageCache } from '../../lib/storage/page-cache.js';
import { PageWriter } from '../../lib/storage/page-writer.js';
import { Deferred } from '../helpers/deferred.js';

const PAGE_SIZE = 4096;
const HEAP_AT = 1000;
const MEGABYTE_PAGES = 256;

/** Its syncs end when they are told to. */
class SlowFile extends MemoryFile {
  readonly syncing: Deferred[] = [];

  override sync(): Promise<void> {
    const sync = new Deferred();
    this.syncing.push(sync);
    return sync.promise;
  }
}

class RecordingFile extends MemoryFile {
  /** First page and count of pages of each request. */
  readonly requests: Array<[page: number, pages: number]> = [];
  onWrite: () => void = () => undefined;

  override writeSync(source: Buffer, offset: number, length: number, position: number): void {
    this.requests.push([position / PAGE_SIZE, length / PAGE_SIZE]);
    super.writeSync(source, offset, length, position);
    this.onWrite();
  }
}

/** A cache with these pages dirty in it, made at the given sequences. */
function cacheWith(
  pages: readonly number[],
  sequence: (page: number) => number = () => 5,
  dirtyBytesMax = 4 * 1024 * 1024,
): PageCache {
  const cache = new PageCache(PAGE_SIZE, 1, dirtyBytesMax);
  // In no order: where the frames lie must not matter.
  for (const page of [...pages].reverse()) {
    const base = cache.takeDirty(page);
    initLeaf(cache.memory, base, PAGE_SIZE, page, page * 10, sequence(page));
    // A heap without slots: all of it is written, and of what stands before it nothing.
    setHeapStart(cache.memory, base, HEAP_AT);
    cache.memory.bytes.fill(0xee, base + NODE_SLOTS, base + HEAP_AT);
    cache.memory.bytes.fill(page & 0xff, base + HEAP_AT, base + PAGE_SIZE);
  }
  return cache;
}

function expectWritten(file: MemoryFile, pages: readonly number[]): void {
  const memory = new PageMemory(PAGE_SIZE);
  for (const page of pages) {
    file.readSync(memory.bytes, 0, PAGE_SIZE, page * PAGE_SIZE);
    verifyPage(memory, 0, PAGE_SIZE, page, page * 10);
    const body = Buffer.alloc(PAGE_SIZE, page & 0xff)
      .fill(0, 0, HEAP_AT)
      .subarray(NODE_SLOTS);
    expect(memory.bytes.subarray(NODE_SLOTS).equals(body)).to.equal(true);
  }
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

const cases: ReadonlyArray<[what: string, pages: number[], requests: Array<[number, number]>]> = [
  ['nothing', [], []],
  ['one page', [9], [[9, 1]]],
  ['neighbours together', [6, 7, 8], [[6, 3]]],
  [
    'others apart',
    [6, 8, 9, 11],
    [
      [6, 1],
      [8, 2],
      [11, 1],
    ],
  ],
  ['a megabyte in one request', numbers(6, 6 + MEGABYTE_PAGES), [[6, MEGABYTE_PAGES]]],
  [
    'more in several',
    numbers(6, 6 + MEGABYTE_PAGES + 3),
    [
      [6, MEGABYTE_PAGES],
      [6 + MEGABYTE_PAGES, 3],
    ],
  ],
];

describe('page writer', () => {
  for (const [what, pages, requests] of cases) {
    it(`writes ${what}, for a checkpoint`, async () => {
      const file = new RecordingFile();
      const writer = new PageWriter(file, PAGE_SIZE);
      await writer.write(cacheWith(pages), pages, 5);
      expect(file.requests).to.deep.equal(requests);
      expectWritten(file, pages);
      expect(writer.counts.pagesWritten).to.equal(pages.length);
      expect(writer.counts.bytesWritten).to.equal(pages.length * PAGE_SIZE);
    });

    it(`writes ${what}, for a transaction`, () => {
      const file = new RecordingFile();
      const writer = new PageWriter(file, PAGE_SIZE);
      const cache = cacheWith(pages);
      writer.spill(cache);
      expect(file.requests).to.deep.equal(requests);
      expectWritten(file, pages);
      expect(writer.counts.pagesWritten).to.equal(pages.length);
      expect(cache.dirtyFrames).to.equal(0);
    });
  }

  it('leaves out what a checkpoint need not write: clean pages, later ones, and those that are gone', async () => {
    const file = new RecordingFile();
    const pages = numbers(6, 12);
    const cache = cacheWith(pages, (page) => (page === 8 ? 6 : 5));
    cache.markClean(cache.find(6));
    cache.discard(10);
    await new PageWriter(file, PAGE_SIZE).write(cache, pages, 5);
    expect(file.requests).to.deep.equal([
      [7, 1],
      [9, 1],
      [11, 1],
    ]);
    expectWritten(file, [7, 9, 11]);
  });

  it('sees what changed while it waited for a request', async () => {
    const file = new RecordingFile();
    const pages = [6, 8, 10, 12];
    const cache = cacheWith(pages);
    file.onWrite = () => {
      file.onWrite = () => undefined;
      cache.discard(8);
      // The number is taken by a transaction that is still changing the page.
      initPage(cache.memory, cache.takeDirty(8), KIND_LEAF, 8, 80, 7);
      cache.markClean(cache.find(10));
    };
    await new PageWriter(file, PAGE_SIZE).write(cache, pages, 5);
    expect(file.requests).to.deep.equal([
      [6, 1],
      [12, 1],
    ]);
  });

  it('spills beside a checkpoint what that has not written, and leaves what it has in flight', async () => {
    const file = new RecordingFile();
    const writer = new PageWriter(file, PAGE_SIZE);
    const pages = [6, 8, 9, 11];
    const cache = cacheWith([...pages, 7, 20], (page) => (page === 7 || page === 20 ? 6 : 5));
    let requests = 0;
    file.onWrite = () => {
      // While the request of 8 and 9 is under way: 6 is written, 11 has not had its turn.
      if (++requests === 2) writer.spill(cache);
    };
    await writer.write(cache, pages, 5);
    expect(file.requests).to.deep.equal([
      [6, 1],
      [8, 2],
      [7, 1],
      [11, 1],
      [20, 1],
    ]);
    expect(cache.dirtyFrames).to.equal(2);
    expect([8, 9].map((page) => cache.isDirty(cache.find(page)))).to.deep.equal([true, true]);
    writer.spill(cache);
    expect(cache.dirtyFrames).to.equal(0);
    expect(file.requests, 'nothing is written twice').to.have.length(5);
  });

  it('writes again what a checkpoint that failed had written', async () => {
    const file = new RecordingFile();
    const writer = new PageWriter(file, PAGE_SIZE);
    const cache = cacheWith([6, 7]);
    await writer.write(cache, [6, 7], 5);
    writer.forgetProgress();
    writer.spill(cache);
    expect(file.requests).to.deep.equal([
      [6, 2],
      [6, 2],
    ]);
  });

  it('has no more in flight than half of what may be dirty', async () => {
    const file = new RecordingFile();
    const pages = numbers(6, 106);
    const cache = cacheWith(pages, () => 5, 1);
    await new PageWriter(file, PAGE_SIZE).write(cache, pages, 5);
    expect(cache.dirtyFramesMax).to.equal(64);
    expect(file.requests.map(([, count]) => count)).to.deep.equal([32, 32, 32, 4]);
  });

  it('writes pages that were laid out elsewhere to their places', async () => {
    const file = new RecordingFile();
    const memory = new PageMemory(3 * PAGE_SIZE);
    [20, 3, 21].forEach((page, index) => {
      initPage(memory, index * PAGE_SIZE, KIND_LEAF, page, page, 1);
    });
    await new PageWriter(file, PAGE_SIZE).writeLaidOut(memory, [0, PAGE_SIZE, 2 * PAGE_SIZE]);
    expect(file.requests.map(([page]) => page)).to.deep.equal([20, 3, 21]);
    file.readSync(memory.bytes, 0, PAGE_SIZE, 3 * PAGE_SIZE);
    expect(pageStamp(memory, 0)).to.equal(3);
  });

  it('counts syncs', async () => {
    const writer = new PageWriter(new MemoryFile(), PAGE_SIZE);
    await writer.sync();
    await writer.sync();
    expect(writer.counts.syncs).to.equal(2);
  });

  describe('syncs ahead of the commit', () => {
    const within = (writer: PageWriter): Promise<string> =>
      Promise.race([
        writer.sync().then(
          () => 'synced',
          (error: Error) => error.message,
        ),
        new Promise<string>((resolve) => setImmediate(resolve, 'waiting')),
      ]);

    it('once for every so many bytes of runs, one at a time', async () => {
      const file = new SlowFile();
      const writer = new PageWriter(file, PAGE_SIZE, 10 * PAGE_SIZE);
      const syncs: number[] = [];
      for (let run = 0; run < 8; run++) {
        if (run === 6) {
          file.syncing[0].resolve();
          await new Promise(setImmediate);
        }
        writer.countRun(4);
        syncs.push(file.syncing.length);
      }
      expect(syncs).to.deep.equal([0, 0, 1, 1, 1, 1, 2, 2]);
      expect(writer.counts.pagesWritten).to.equal(32);
      expect(writer.counts.syncs).to.equal(2);
    });

    it('and the commit waits for them, then syncs the rest', async () => {
      const file = new SlowFile();
      const writer = new PageWriter(file, PAGE_SIZE, PAGE_SIZE);
      writer.countRun(1);
      const commit = within(writer);
      expect(await commit).to.equal('waiting');
      expect(file.syncing).to.have.length(1);
      file.syncing[0].resolve();
      await new Promise(setImmediate);
      expect(file.syncing).to.have.length(2);
    });

    it('but none beside the sync of a commit, whose failure would be told to one of both', async () => {
      const file = new SlowFile();
      const writer = new PageWriter(file, PAGE_SIZE, PAGE_SIZE);
      const commit = within(writer);
      writer.countRun(5);
      expect(file.syncing).to.have.length(1);
      file.syncing[0].resolve();
      await commit;
      await new Promise(setImmediate);
      writer.countRun(1);
      expect(file.syncing).to.have.length(2);
    });

    it('and what fails there fails every commit after it, as the system tells of it once', async () => {
      const file = new SlowFile();
      const failures: unknown[] = [];
      const writer = new PageWriter(file, PAGE_SIZE, PAGE_SIZE, (error) => failures.push(error));
      writer.countRun(1);
      file.syncing[0].reject(new Error('lost'));
      await new Promise(setImmediate);
      expect(failures.map(String)).to.deep.equal(['Error: lost']);
      writer.countRun(5);
      for (let commit = 0; commit < 2; commit++) expect(await within(writer)).to.equal('lost');
      expect(file.syncing, 'none begins after it').to.have.length(1);
    });
  });
});
