// lib/storage/page-cache.ts: frames against a Map from page to content, with as few frames as there can be.

import { expect } from 'chai';
import fc from 'fast-check';
import { PageCache } from '../../lib/storage/page-cache.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

const PAGE_SIZE = 4096;
/** What the smallest cache keeps: 64 clean frames, 64 dirty ones, 256 to spare. */
const CLEAN_MAX = 64;
const FRAMES = 64 + 64 + 256;

const smallest = (): PageCache => new PageCache(PAGE_SIZE, 1, 1);

interface ModelPage {
  readonly base: number;
  readonly version: number;
  dirty: boolean;
}

/** Writes into each frame what it should hold, so that a frame given out twice is seen. */
class CacheModel {
  readonly cache = smallest();
  readonly pages = new Map<number, ModelPage>();
  private versions = 0;

  get dirty(): number {
    return [...this.pages.values()].filter((page) => page.dirty).length;
  }

  enterDirty(page: number): void {
    if (this.pages.has(page)) return;
    this.enter(page, this.cache.takeDirty(page), true);
  }

  enterClean(page: number, isPassing: boolean): void {
    if (this.pages.has(page)) return;
    const base = this.cache.takeLoading(isPassing);
    expect(this.cache.find(page), 'a page that is being loaded').to.equal(-1);
    this.cache.loaded(base, page, isPassing);
    this.enter(page, base, false);
  }

  failLoad(): void {
    this.cache.dropLoading(this.cache.takeLoading());
    this.dropEvicted();
  }

  private enter(page: number, base: number, dirty: boolean): void {
    const version = ++this.versions;
    expect(base % PAGE_SIZE).to.equal(0);
    this.dropEvicted();
    this.pages.set(page, { base, version, dirty });
    this.cache.memory.u32[base >>> 2] = version;
  }

  markClean(page: number): void {
    const known = this.pages.get(page);
    if (known?.dirty !== true) return;
    known.dirty = false;
    this.cache.markClean(known.base);
    this.dropEvicted();
  }

  discard(page: number): void {
    this.cache.discard(page);
    this.pages.delete(page);
  }

  /** Clean pages may go at any time; dirty ones may not. */
  private dropEvicted(): void {
    for (const [page, { base, dirty }] of this.pages) {
      if (this.cache.holds(base, page)) continue;
      expect(dirty, `dirty page ${page} is gone`).to.equal(false);
      expect(this.cache.find(page), `page ${page}`).to.equal(-1);
      this.pages.delete(page);
    }
  }

  expectSame(pageMax: number): void {
    const { cache, pages } = this;
    for (let page = 0; page <= pageMax; page++) {
      const known = pages.get(page);
      const base = cache.find(page);
      expect(base, `page ${page}`).to.equal(known?.base ?? -1);
      if (known === undefined) continue;
      expect(cache.memory.u32[base >>> 2], `content of page ${page}`).to.equal(known.version);
      expect(cache.isDirty(base)).to.equal(known.dirty);
      expect(cache.holds(base, page)).to.equal(true);
      expect(cache.holds(base, page + 1)).to.equal(false);
      expect(cache.view(base).byteLength).to.equal(PAGE_SIZE);
      expect(cache.view(base).readUInt32LE(0)).to.equal(known.version);
    }
    expect(cache.dirtyFrames).to.equal(this.dirty);
    expect(cache.cleanFrames).to.equal(pages.size - this.dirty);
    const dirtyPages = [...pages].filter(([, { dirty }]) => dirty).sort(([a], [b]) => a - b);
    expect(cache.dirtyBases()).to.deep.equal(dirtyPages.map(([, { base }]) => base));
  }
}

const PAGES = 500;
const page = fc.nat(PAGES);
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('dirty' as const), page) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('keep' as const, 'passing' as const), page) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('written' as const), page) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('discard' as const), page) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('fail' as const), page) },
);

describe('page cache', () => {
  it('holds what a Map would, but for clean pages that it gave up', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 100, maxLength: 900, size: 'max' }), (steps) => {
        const model = new CacheModel();
        for (const [kind, page] of steps) {
          // Past its bound the writer would spill; the cache itself goes on as long as frames last.
          if (kind === 'dirty' && model.dirty < 200) model.enterDirty(page);
          if (kind === 'keep' || kind === 'passing') model.enterClean(page, kind === 'passing');
          if (kind === 'written') model.markClean(page);
          if (kind === 'discard') model.discard(page);
          if (kind === 'fail') model.failLoad();
          expect(model.cache.cleanFrames).to.be.at.most(CLEAN_MAX);
        }
        model.expectSame(PAGES + 1);
      }),
      seeded(40),
    );
  });

  it('finds pages whose places in the table collide, whichever of them go', () => {
    const cache = smallest();
    // The table has 1,024 places, chosen by the upper bits of a product: these all begin at one place.
    const home = (number: number): number => Math.imul(number, 0x9e37_79b1) >>> (32 - 10);
    const colliding: number[] = [];
    for (let number = 1; colliding.length < 40; number++) if (home(number) >= 1020) colliding.push(number);
    for (const number of colliding) cache.takeDirty(number);
    for (let gone = 0; gone < colliding.length; gone += 2) {
      cache.discard(colliding[gone]);
      colliding.forEach((number, index) => {
        const isGone = index % 2 === 0 && index <= gone;
        expect(cache.find(number) < 0, `page ${number}`).to.equal(isGone);
      });
    }
  });

  it('keeps a page that was used since it last looked for one to give up', () => {
    const cache = smallest();
    for (let number = 0; number < CLEAN_MAX; number++) cache.loaded(cache.takeLoading(), number, true);
    cache.find(5);
    for (let number = 100; number < 100 + CLEAN_MAX - 1; number++) {
      cache.loaded(cache.takeLoading(), number, true);
      // Found as a descent finds the upper branches, again and again.
      expect(cache.find(5), `after page ${number}`).to.be.at.least(0);
    }
    let left = 0;
    for (let number = 0; number < CLEAN_MAX; number++) if (cache.find(number) >= 0) left++;
    expect(left).to.equal(1);
  });

  it('keeps pages that are about to be used, and no others, though they were not lately', () => {
    const cache = smallest();
    for (let number = 0; number < CLEAN_MAX; number++) cache.loaded(cache.takeLoading(), number, true);
    // The hand goes round once, and takes the first: now no page counts as used.
    cache.loaded(cache.takeLoading(), 100);
    const soon = [1, 2, 9];
    for (const number of soon) expect(cache.keepIfHere(number)).to.equal(true);
    expect(cache.keepIfHere(77)).to.equal(false);
    for (const number of [3, 4]) expect(cache.has(number), 'has is no use').to.equal(true);
    for (let number = 101; number < 111; number++) cache.loaded(cache.takeLoading(), number);
    const left = Array.from({ length: 15 }, (_, number) => number).filter((number) => cache.has(number));
    expect(left).to.deep.equal([1, 2, 9, 14]);
  });

  it('has a long scan pass through a few frames once it is full, and leaves the others as they are', () => {
    const frames = 4096;
    const cache = new PageCache(PAGE_SIZE, frames * PAGE_SIZE, 1);
    for (let number = 0; number < frames; number++) cache.loaded(cache.takeLoading(true), number, true);
    const scanned = 10 * frames;
    for (let number = frames; number < scanned; number++) {
      cache.loaded(cache.takeLoading(true), number, true);
      // What was read ahead is still there when it is worked on.
      expect(cache.find(number - Math.min(100, number - frames))).to.be.at.least(0);
      expect(cache.cleanFrames).to.equal(frames);
    }
    const left = (from: number, to: number): number => {
      let count = 0;
      for (let number = from; number < to; number++) if (cache.find(number) >= 0) count++;
      return count;
    };
    const passing = frames / 16 + 1;
    expect(left(0, frames)).to.equal(frames - passing);
    expect(left(frames, scanned)).to.equal(passing);
  });

  it('has scans pass through frames of theirs again after pages were dropped beside them', () => {
    const frames = 4096;
    const cache = new PageCache(PAGE_SIZE, frames * PAGE_SIZE, 1);
    let next = 0;
    const read = (pages: number, beside: () => void): void => {
      const bases = Array.from({ length: pages }, () => cache.takeLoading(true));
      beside();
      for (const base of bases) cache.loaded(base, next++, true);
    };
    const use = (from: number): void => {
      for (let number = from; number < next; number++) cache.find(number);
    };
    while (next < 2 * frames) {
      read(64, () => undefined);
      use(next - 64);
    }
    // While a read is under way a writer drops as many pages and more: the cache is no longer full when it ends.
    for (let round = 0; round < 10; round++) {
      const dropped = Array.from({ length: next }, (_, number) => number)
        .filter((number) => cache.has(number))
        .slice(0, 100);
      read(64, () => {
        for (const number of dropped) cache.discard(number);
      });
      while (cache.cleanFrames < frames) read(64, () => undefined);
      use(0);
    }
    const here = Array.from({ length: next }, (_, number) => number).filter((number) => cache.has(number));
    for (let round = 0; round < 2 * (frames / 64); round++) {
      read(64, () => undefined);
      use(next - 64);
    }
    const left = here.filter((number) => cache.has(number)).length;
    expect(left, `of ${here.length}`).to.be.at.least(here.length - frames / 16 - 256);
  });

  it('leaves alone what a scan that fell behind has read and not worked on', () => {
    const frames = 4096;
    const cache = new PageCache(PAGE_SIZE, frames * PAGE_SIZE, 1);
    for (let number = 0; number < frames; number++) cache.loaded(cache.takeLoading(), number);
    const read = (from: number): void => {
      for (let number = from; number < from + 300; number++)
        cache.loaded(cache.takeLoading(true), number, true);
    };
    read(10_000);
    for (let scan = 1; scan < 5; scan++) {
      read(10_000 + 1000 * scan);
      for (let number = 10_000; number < 10_300; number++) {
        expect(cache.has(number), `page ${number}, scan ${scan}`).to.equal(true);
        expect(cache.has(number + 1000 * scan)).to.equal(true);
        cache.find(number + 1000 * scan);
      }
    }
    expect(cache.cleanFrames).to.equal(frames);
  });

  it('does not hold a page in a frame that is being filled with another', () => {
    const cache = smallest();
    const bases = new Map<number, number>();
    for (let number = 0; number < CLEAN_MAX; number++) {
      const base = cache.takeLoading();
      cache.loaded(base, number, true);
      bases.set(base, number);
    }
    const loading = cache.takeLoading();
    const evicted = bases.get(loading);
    if (evicted === undefined) throw new Error('the cache was full, and yet no page went');
    expect(cache.find(evicted)).to.equal(-1);
    // Whoever kept the base across a wait for the disk must not read half of another page from it.
    expect(cache.holds(loading, evicted)).to.equal(false);
    cache.dropLoading(loading);
    expect(cache.holds(loading, evicted)).to.equal(false);
  });

  it('bounds what reads ahead may take, and counts it right after success and failure', () => {
    const cache = smallest();
    const taken: number[] = [];
    for (let round = 0; round < 3; round++) {
      while (cache.canReadAhead) taken.push(cache.takeLoading());
      expect(taken.length).to.be.within(64, 256);
      // Others must still find frames.
      cache.dropLoading(cache.takeLoading());
      cache.takeDirty(10_000 + round);
      taken.splice(0).forEach((base, index) => {
        if (index % 2 === 0) cache.loaded(base, 1000 * round + index, true);
        else cache.dropLoading(base);
      });
    }
  });

  it('says so when every frame is in use', () => {
    const cache = smallest();
    for (let number = 0; number < FRAMES; number++) cache.takeDirty(number);
    raised('INTERNAL', () => cache.takeDirty(FRAMES));
    raised('INTERNAL', () => cache.takeLoading());
    cache.discard(7);
    expect(cache.takeDirty(FRAMES)).to.be.at.least(0);
  });

  it('keeps at least 64 pages, and no more than it was told to', () => {
    const cache = new PageCache(PAGE_SIZE, 100 * PAGE_SIZE, 1);
    for (let number = 0; number < 300; number++) cache.loaded(cache.takeLoading(), number);
    expect(cache.cleanFrames).to.equal(100);
  });
});
