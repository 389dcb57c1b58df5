// lib/storage/space.ts and space-group.ts: which pages are free and which may be used, against sets of numbers.

import { expect } from 'chai';
import fc from 'fast-check';
import { SpaceGeometry } from '../../lib/format/space-page.js';
import { Space, type SpaceReader } from '../../lib/storage/space.js';
import { countBits, SpaceGroup } from '../../lib/storage/space-group.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

/** Pages of 64 bytes make groups of 256 pages and runs of 4 groups: every boundary is near. */
const TINY = 64;
const GROUP = 256;
const RUN = 4 * GROUP;

/** Keeps maps and directories as a file would, by group and run. */
class KeptMaps implements SpaceReader {
  readonly maps = new Map<number, Uint32Array>();
  readonly directories = new Map<number, Uint32Array>();
  reads = 0;

  readMap(group: number): Uint32Array {
    this.reads++;
    return found(this.maps.get(group), `map ${group}`);
  }

  readDirectory(run: number): Uint32Array {
    this.reads++;
    return found(this.directories.get(run), `directory ${run}`);
  }

  /** What a checkpoint does with a space, less the pages. */
  keep(space: Space): Uint32Array {
    const { geometry } = space;
    const roots = space.rootReferences.slice();
    const directories = new Map<number, Uint32Array>();
    const groups = space.changedGroups();
    for (const group of groups) {
      const run = geometry.runOf(group);
      const references = directories.get(run) ?? space.references(run).slice();
      directories.set(run, references);
      this.maps.set(group, space.mapBits(group).slice());
      references[(group % geometry.runGroups) * 2] = 1;
      references[(group % geometry.runGroups) * 2 + 1] = space.freeInGroup(group);
    }
    for (const [run, references] of directories) {
      const end = (space.groupCount - run * geometry.runGroups) * 2;
      if (end < references.length) references.fill(0, end);
      this.directories.set(run, references.slice());
      roots[run * 2] = 1;
    }
    space.setChanged(groups, false);
    space.install(roots, directories);
    return roots;
  }
}

function found(words: Uint32Array | undefined, what: string): Uint32Array {
  if (words === undefined) throw new Error(`${what} was read, but never written`);
  return words.slice();
}

const newSpace = (pageSize: number, maps: SpaceReader = new KeptMaps()): Space =>
  new Space(pageSize, maps, 0, 0, new Uint32Array(512));

/** What should be used, free, and available, page by page. */
class SpaceModel {
  space: Space;
  readonly maps = new KeptMaps();
  readonly used = new Set<number>();
  readonly free = new Set<number>();
  readonly available = new Set<number>();
  /** Of the used ones: free for whoever opens the file after a crash. */
  readonly reserved = new Set<number>();
  private pages = 0;

  constructor() {
    this.space = newSpace(TINY, this.maps);
    this.noteGrowth();
  }

  /** Pages that came with a new group, beside its fixed ones, are free. */
  private noteGrowth(): void {
    const { geometry, pageCount } = this.space;
    for (; this.pages < pageCount; this.pages++) {
      if (geometry.isFixed(this.pages) || this.used.has(this.pages)) continue;
      this.free.add(this.pages);
      this.available.add(this.pages);
    }
  }

  private take(page: number, pages: number): void {
    for (let i = page; i < page + pages; i++) {
      expect(this.space.geometry.isFixed(i), `page ${i} has a fixed use`).to.equal(false);
      expect(this.used.has(i), `page ${i} is in use`).to.equal(false);
      expect(i < this.pages ? this.available.has(i) : true, `page ${i} is not available`).to.equal(true);
      this.used.add(i);
      this.free.delete(i);
      this.available.delete(i);
    }
    this.noteGrowth();
  }

  allocate(): void {
    const mustReuse = this.available.size > 0;
    const before = this.pages;
    const page = this.space.allocate();
    if (mustReuse) expect(page, 'a new page while others are available').to.be.below(before);
    this.take(page, 1);
  }

  allocateRun(pagesMin: number, more: number): void {
    const before = this.pages;
    const { page, pages } = this.space.allocateRun(pagesMin, pagesMin + more);
    expect(pages).to.be.within(1, pagesMin + more);
    if (pages < pagesMin) {
      // Only new pages may be fewer than asked: before the end of a group, or before the map of a new one.
      expect(page, `${pages} pages of free space for at least ${pagesMin}`).to.be.at.least(before);
      expect(page % GROUP === 0 || (page + pages) % GROUP === 0, `${page} + ${pages}`).to.equal(true);
    }
    this.take(page, pages);
  }

  pick(from: Set<number>, which: number): number | undefined {
    return from.size === 0 ? undefined : [...from][which % from.size];
  }

  freeOne(which: number): void {
    const page = this.pick(this.used, which);
    if (page === undefined || this.reserved.has(page)) return;
    this.space.free(page);
    this.used.delete(page);
    this.free.add(page);
  }

  reserveOne(which: number): void {
    const page = this.pick(this.used, which);
    if (page === undefined || this.reserved.has(page)) return;
    this.space.reserve(page);
    this.reserved.add(page);
  }

  unreserveOne(which: number): void {
    const page = this.pick(this.reserved, which);
    if (page === undefined) return;
    this.space.unreserve(page);
    this.reserved.delete(page);
  }

  unfreeOne(which: number): void {
    const held = new Set([...this.free].filter((page) => !this.available.has(page)));
    const page = this.pick(held, which);
    if (page === undefined) return;
    this.space.unfree(page);
    this.free.delete(page);
    this.used.add(page);
  }

  makeAvailable(which: number): void {
    const page = this.pick(this.free, which);
    if (page === undefined) return;
    this.space.makeAvailable(page);
    this.available.add(page);
  }

  release(which: number): void {
    const page = this.pick(this.used, which);
    if (page === undefined || this.reserved.has(page)) return;
    this.space.release(page);
    this.used.delete(page);
    this.free.add(page);
    this.available.add(page);
  }

  /** Gives up the end of the file as long as nothing stands in its way. */
  trim(): void {
    const before = this.pages;
    const gone = this.space.trimTail();
    const { geometry } = this.space;
    let end = before;
    for (;;) {
      const group = Math.floor((end - 1) / GROUP);
      const first = group * GROUP;
      const isLast = end > geometry.fixedEnd(group);
      if (isLast && this.available.has(end - 1)) end--;
      else if (!isLast && group > 0 && this.isUnused(first, end)) end = first;
      else break;
    }
    expect(before - gone, 'pages after a trim').to.equal(end);
    for (let page = end; page < before; page++) {
      this.free.delete(page);
      this.available.delete(page);
    }
    this.pages = end;
    // What is gone is gone for whoever opens the file as well: its maps must not be asked for.
    for (const group of this.maps.maps.keys())
      if (group >= this.space.groupCount) this.maps.maps.delete(group);
    this.reopen();
    for (const run of this.maps.directories.keys())
      if (run > geometry.runOf(this.space.groupCount - 1)) this.maps.directories.delete(run);
  }

  private isUnused(first: number, end: number): boolean {
    for (let page = first; page < end; page++)
      if (!this.space.geometry.isFixed(page) && !this.available.has(page)) return false;
    return true;
  }

  /** Opens the space anew from what a checkpoint kept: all that is free is available then. */
  reopen(): void {
    const roots = this.maps.keep(this.space);
    this.space = new Space(TINY, this.maps, this.space.pageCount, this.space.freePages, roots);
    for (const page of this.reserved) {
      this.used.delete(page);
      this.free.add(page);
    }
    this.reserved.clear();
    for (const page of this.free) this.available.add(page);
  }

  expectSame(): void {
    const { space } = this;
    expect(space.pageCount).to.equal(this.pages);
    expect(space.freePages).to.equal(this.free.size + this.reserved.size);
    for (let page = 0; page < this.pages; page++)
      expect(space.isFree(page), `page ${page}`).to.equal(this.free.has(page) || this.reserved.has(page));
    let inGroups = 0;
    for (let group = 0; group < space.groupCount; group++) inGroups += space.freeInGroup(group);
    expect(inGroups).to.equal(this.free.size + this.reserved.size);
  }
}

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constant('allocate' as const), fc.integer({ min: 1, max: 40 }), fc.nat(1)),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constant('run' as const), fc.integer({ min: 1, max: 60 }), fc.nat(300)),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constantFrom('free', 'available', 'release', 'unfree', 'reserve', 'unreserve' as const),
      fc.nat(3000),
      fc.nat(30),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('reopen', 'trim' as const), fc.nat(1), fc.nat(1)) },
);

describe('space', () => {
  it('allocates, frees and grows as sets of numbers would', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (steps) => {
        const model = new SpaceModel();
        for (const [kind, amount, more] of steps) {
          if (kind === 'allocate') for (let i = 0; i < amount; i++) model.allocate();
          if (kind === 'run') model.allocateRun(amount, more);
          if (kind === 'reopen') model.reopen();
          if (kind === 'trim') model.trim();
          // Several at once, next to one another: so that runs come free as well.
          for (let i = 0; i <= more % 30; i++) {
            if (kind === 'free') model.freeOne(amount);
            if (kind === 'available') model.makeAvailable(amount);
            if (kind === 'release') model.release(amount);
            if (kind === 'unfree') model.unfreeOne(amount);
            if (kind === 'reserve') model.reserveOne(amount);
            if (kind === 'unreserve') model.unreserveOne(amount);
          }
        }
        model.expectSame();
      }),
      seeded(50),
    );
  });

  it('grows again where it was trimmed, over the boundary of a run', () => {
    for (const isReopened of [false, true]) {
      const model = new SpaceModel();
      for (let i = 0; i < RUN + 20; i++) model.allocate();
      model.reopen();
      for (const page of [...model.used].filter((used) => used > 5 * 64)) {
        model.space.release(page);
        model.used.delete(page);
        model.free.add(page);
        model.available.add(page);
      }
      model.trim();
      expect(model.space.pageCount).to.be.below(GROUP * 2);
      if (isReopened) model.reopen();
      for (let i = 0; i < RUN + 20; i++) model.allocate();
      model.reopen();
      model.expectSame();
    }
  });

  it('never hands out a fixed page, over the boundaries of groups and runs', () => {
    const space = newSpace(TINY);
    const given = new Set<number>();
    const pages = 2 * RUN + 10;
    while (space.pageCount < pages) given.add(space.allocate());
    const fixed: number[] = [];
    for (let page = 0; page < pages; page++) if (!given.has(page)) fixed.push(page);
    const maps = Array.from({ length: 9 }, (_, group) => [group * GROUP + 2, group * GROUP + 3]);
    const directories = [0, 1, 2].flatMap((run) => [run * RUN + 4, run * RUN + 5]);
    expect(fixed).to.deep.equal([0, 1, ...maps.flat(), ...directories].sort((a, b) => a - b));
  });

  it('grows over the boundary of a group of 4 KiB pages: 32,512 of them', () => {
    const maps = new KeptMaps();
    const full = new Uint32Array(32_512 / 32);
    maps.maps.set(0, full);
    maps.directories.set(0, new Uint32Array(2 * 508));
    const roots = new Uint32Array(512);
    roots[0] = 1;
    const space = new Space(4096, maps, 32_510, 0, roots);
    expect([space.allocate(), space.allocate()]).to.deep.equal([32_510, 32_511]);
    // Of the new group, pages 2 and 3 hold its map.
    const next = Array.from({ length: 5 }, () => space.allocate() - 32_512);
    expect(next).to.deep.equal([0, 1, 4, 5, 6]);
    expect(space.changedGroups()).to.deep.equal([0, 1]);
    expect(space.freePages).to.equal(0);
    expect(space.groupCount).to.equal(2);
  });

  it('cuts a run where a group ends, and goes on in the next', () => {
    const space = newSpace(4096);
    const runs: Array<[page: number, pages: number]> = [];
    for (let left = 70_000; left > 0; ) {
      const { page, pages } = space.allocateRun(Math.min(left, 5000), left);
      runs.push([page, pages]);
      left -= pages;
    }
    expect(runs).to.deep.equal([
      [6, 32_512 - 6],
      [32_512, 2],
      [32_512 + 4, 32_512 - 4],
      [2 * 32_512, 2],
      [2 * 32_512 + 4, 70_000 - (32_512 - 6) - 2 - (32_512 - 4) - 2],
    ]);
    expect(space.freePages).to.equal(0);
  });

  it('says that it is full at the most pages that its size allows, and never grows past them', () => {
    for (const pageSize of [64, 4096, 8192, 65536]) {
      const geometry = new SpaceGeometry(pageSize);
      const none: SpaceReader = {
        readMap: () => new Uint32Array(geometry.groupPages >>> 5),
        readDirectory: () => new Uint32Array(geometry.runGroups * 2),
      };
      const roots = new Uint32Array(512).fill(1);
      const space = new Space(pageSize, none, geometry.pagesMax - 2, 0, roots);
      for (const page of [geometry.pagesMax - 2, geometry.pagesMax - 1])
        expect(space.allocate(), `${pageSize}`).to.equal(page);
      const error = raised('DISK_FULL', () => space.allocate());
      expect(error.message).to.contain('larger pages');
      raised('DISK_FULL', () => space.allocateRun(1, 10));
      expect(space.pageCount, `${pageSize}`).to.equal(geometry.pagesMax);
      space.release(geometry.pagesMax - 1);
      expect(space.allocate()).to.equal(geometry.pagesMax - 1);
    }
  });

  it('reads no map of a group that has nothing free', () => {
    const maps = new KeptMaps();
    const references = new Uint32Array(2 * 4);
    references[2 * 2 + 1] = 0x8000_0000 | 3;
    references[2 * 1 + 1] = 0x8000_0000;
    maps.directories.set(0, references);
    maps.maps.set(2, new Uint32Array([0, 0, 0b111_0000]));
    const roots = new Uint32Array(512);
    roots[0] = 1;
    const space = new Space(TINY, maps, RUN, 3, roots);
    expect(space.allocate()).to.equal(2 * GROUP + 64 + 4);
    expect(maps.reads).to.equal(2);
  });
});

describe('space group', () => {
  it('finds the first run that is long enough, over words and at the end', () => {
    const available = fc.array(fc.nat(GROUP - 1), { maxLength: 200 });
    const ranges = fc.array(fc.tuple(fc.nat(GROUP - 1), fc.nat(80)), { maxLength: 5 });
    fc.assert(
      fc.property(
        available,
        ranges,
        fc.integer({ min: 1, max: 70 }),
        fc.nat(60),
        (single, long, min, more) => {
          const group = new SpaceGroup(GROUP);
          const set = new Set([
            ...single,
            ...long.flatMap(([at, n]) => Array.from({ length: n }, (_, i) => at + i)),
          ]);
          for (const index of set) if (index < GROUP) group.setAvailable(index);
          let expected = { index: -1, length: 0 };
          for (let start = 0; start < GROUP && expected.length === 0; start++) {
            let length = 0;
            while (start + length < GROUP && set.has(start + length)) length++;
            if (length >= min) expected = { index: start, length: Math.min(length, min + more) };
          }
          expect(group.findRun(min, min + more)).to.deep.equal(expected);
        },
      ),
      seeded(400),
    );
  });

  it('takes its pages in order, and each once', () => {
    const group = new SpaceGroup(GROUP);
    for (const index of [255, 0, 31, 32, 100]) {
      group.setFree(index);
      group.setAvailable(index);
    }
    const taken = Array.from({ length: 6 }, () => group.take());
    expect(taken).to.deep.equal([0, 31, 32, 100, 255, -1]);
    expect([group.freeCount, group.availableCount]).to.deep.equal([0, 0]);
    group.setAvailable(3);
    expect(group.take()).to.equal(3);
  });

  it('counts bits', () => {
    expect(countBits(new Uint32Array([0, 1, 0x8000_0000, 0xffff_ffff, 0x5555_5555]))).to.equal(50);
  });

  it('counts a page once, however often it is freed', () => {
    const group = new SpaceGroup(GROUP);
    for (let i = 0; i < 3; i++) group.setFree(7);
    expect(group.freeCount).to.equal(1);
    for (let i = 0; i < 3; i++) group.clearFree(7);
    expect(group.freeCount).to.equal(0);
  });
});
