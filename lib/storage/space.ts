/**
 * Which pages of the file are free: allocates them, takes them back, and says what a checkpoint has
 * to write. Maps are read when first needed and kept; see `format/space-page.ts` for their places.
 */
import { StoreError } from '../errors.js';
import { pageCorrupt } from '../format/page.js';
import { MAP_IN_GROUP, REFERENCE_FREE, SpaceGeometry } from '../format/space-page.js';
import type { Extent } from '../format/value-extents.js';
import { SpaceGroup } from './space-group.js';

/** Reads a map or directory page that the file holds; raises PAGE_CORRUPT if it does not hold. */
export interface SpaceReader {
  /** `reference` says which copy it is, and how many pages are free in it. */
  readMap(group: number, checksum: number, reference: number): Uint32Array;
  readDirectory(run: number, checksum: number, copy: number): Uint32Array;
}

export class Space {
  readonly geometry: SpaceGeometry;
  private readonly reader: SpaceReader;
  private readonly groups: (SpaceGroup | undefined)[] = [];
  /** References of each run, two numbers a group, as the last checkpoint left them. */
  private readonly directories: (Uint32Array | undefined)[] = [];
  private roots: Uint32Array;
  private pages: number;
  private freeTotal: number;
  private reservedTotal = 0;
  private searchGroup = 0;
  /** Groups from here up were searched since a page last became available in them, in vain. */
  private exhausted = false;

  constructor(
    pageSize: number,
    reader: SpaceReader,
    pageCount: number,
    freePages: number,
    roots: Uint32Array,
  ) {
    this.geometry = new SpaceGeometry(pageSize);
    this.reader = reader;
    this.pages = pageCount;
    this.freeTotal = freePages;
    this.roots = roots.slice();
    if (pageCount === 0) this.startGroup(0);
  }

  /** Pages of the file, used or free. */
  get pageCount(): number {
    return this.pages;
  }

  /** Pages that nothing in the file uses: free, or reserved by work that has not come to a commit. */
  get freePages(): number {
    return this.freeTotal + this.reservedTotal;
  }

  get groupCount(): number {
    return Math.ceil(this.pages / this.geometry.groupPages);
  }

  /** A free page, or a new one at the end of the file. */
  allocate(): number {
    if (!this.exhausted) {
      const groups = this.groupCount;
      for (let tried = 0; tried < groups; tried++) {
        const index = this.searchGroup;
        const group = this.mayHaveAvailable(index) ? this.group(index) : undefined;
        if (group !== undefined && group.availableCount > 0) this.countTaken(1, index);
        const inGroup = group === undefined || group.availableCount === 0 ? -1 : group.take();
        if (inGroup >= 0) {
          return index * this.geometry.groupPages + inGroup;
        }
        this.searchGroup = index + 1 < groups ? index + 1 : 0;
      }
      this.exhausted = true;
    }
    return this.grow(1).page;
  }

  /** Makes `allocate` begin again with the lowest page that is available; returns that, or the page count. */
  searchFromStart(): number {
    this.searchGroup = 0;
    for (let index = 0; index < this.groupCount; index++) {
      const first = this.mayHaveAvailable(index) ? this.group(index).firstAvailable() : -1;
      if (first >= 0) return index * this.geometry.groupPages + first;
    }
    return this.pages;
  }

  /** Gives up available pages at the end of the file; returns how many, those of fixed use counted. */
  trimTail(): number {
    const before = this.pages;
    while (this.trimPage() || this.trimGroup());
    this.searchGroup = 0;
    return before - this.pages;
  }

  private trimPage(): boolean {
    const index = this.groupCount - 1;
    const page = this.pages - 1;
    if (page < this.geometry.fixedEnd(index)) return false;
    const group = this.group(index);
    if (!group.isAvailable(page % this.geometry.groupPages)) return false;
    this.countTaken(1, index);
    group.use(page % this.geometry.groupPages);
    this.pages--;
    return true;
  }

  /** A meta page that tells of fewer free pages than its maps have cannot be true, nor be written again. */
  private countTaken(pages: number, group: number): void {
    if (this.freeTotal < pages)
      throw pageCorrupt(
        this.geometry.mapPage(group, 0),
        'it has more free pages than its meta page tells of',
      );
    this.freeTotal -= pages;
  }

  /** Gives up the last group if only its fixed pages, and available ones between them, are left. */
  private trimGroup(): boolean {
    const index = this.groupCount - 1;
    const first = index * this.geometry.groupPages;
    if (index === 0 || this.pages > this.geometry.fixedEnd(index)) return false;
    const group = this.group(index);
    for (let page = first; page < this.pages; page++) {
      if (!this.geometry.isFixed(page) && !group.isAvailable(page - first)) return false;
    }
    this.countTaken(group.freeCount, index);
    this.groups.length = index;
    this.pages = first;
    return true;
  }

  /**
   * Consecutive pages: `pagesMax` of them if free space has such a run, else one of at least `pagesMin`,
   * else new ones at the end of the file. Never more than `pagesMax`; fewer than `pagesMin` only where a
   * group ends.
   */
  allocateRun(pagesMin: number, pagesMax: number): Extent {
    // The whole first: to fill each gap on the way would leave a value in as many pieces as it has pages.
    return this.takeRun(pagesMax, pagesMax) ?? this.takeRun(pagesMin, pagesMax) ?? this.grow(pagesMax);
  }

  private takeRun(pagesMin: number, pagesMax: number): Extent | undefined {
    // The last pages of a value may be fewer than its other extents have at least.
    const least = Math.min(pagesMin, pagesMax);
    const groups = this.exhausted ? 0 : this.groupCount;
    for (let index = 0; index < groups; index++) {
      if (!this.mayHaveAvailable(index, least)) continue;
      const group = this.group(index);
      const run = group.findRun(least, pagesMax);
      if (run.length === 0) continue;
      this.countTaken(run.length, index);
      for (let i = 0; i < run.length; i++) group.use(run.index + i);
      return { page: index * this.geometry.groupPages + run.index, pages: run.length };
    }
    return undefined;
  }

  /** Marks a page that the tree no longer reaches. It can be used once `makeAvailable` was called. */
  free(page: number): void {
    const group = this.group(this.geometry.groupOf(page));
    const before = group.freeCount;
    group.setFree(page % this.geometry.groupPages);
    this.freeTotal += group.freeCount - before;
  }

  /** Takes back a `free` of a commit that failed. */
  unfree(page: number): void {
    const group = this.group(this.geometry.groupOf(page));
    const before = group.freeCount;
    group.clearFree(page % this.geometry.groupPages);
    this.freeTotal += group.freeCount - before;
  }

  makeAvailable(page: number): void {
    const group = this.group(this.geometry.groupOf(page));
    group.setAvailable(page % this.geometry.groupPages);
    this.exhausted = false;
  }

  /** Gives back a page that no commit ever reached: free and available at once. */
  release(page: number): void {
    this.free(page);
    this.makeAvailable(page);
  }

  /** Whether the page is free, as the file will say: reserved pages are. */
  isFree(page: number): boolean {
    const group = this.group(this.geometry.groupOf(page));
    const index = page % this.geometry.groupPages;
    return group.isFree(index) || group.isReserved(index);
  }

  /** Keeps an allocated page for work that outlasts transactions, so that a checkpoint meanwhile leaks nothing. */
  reserve(page: number): void {
    const group = this.group(this.geometry.groupOf(page));
    const before = group.reservedCount;
    group.reserve(page % this.geometry.groupPages);
    this.reservedTotal += group.reservedCount - before;
  }

  isReserved(page: number): boolean {
    return this.group(this.geometry.groupOf(page)).isReserved(page % this.geometry.groupPages);
  }

  /** Ends a reservation: the page is a transaction's from here on. */
  unreserve(page: number): void {
    const group = this.group(this.geometry.groupOf(page));
    const before = group.reservedCount;
    group.unreserve(page % this.geometry.groupPages);
    this.reservedTotal += group.reservedCount - before;
  }

  /** Groups whose map must be written, with the references as they stand in the file. */
  changedGroups(): number[] {
    const changed: number[] = [];
    for (let index = 0; index < this.groups.length; index++)
      if (this.groups[index]?.changed === true) changed.push(index);
    return changed;
  }

  /** The bits of a group's map, to be written. */
  mapBits(group: number): Uint32Array {
    return this.group(group).bitsToWrite();
  }

  freeInGroup(group: number): number {
    return this.group(group).freeCount + this.group(group).reservedCount;
  }

  references(run: number): Uint32Array {
    let references = this.directories[run];
    if (references === undefined) {
      const root = run * 2;
      const isNew = this.roots[root] === 0 && this.roots[root + 1] === 0;
      references = isNew
        ? new Uint32Array(this.geometry.runGroups * 2)
        : this.reader.readDirectory(run, this.roots[root], this.roots[root + 1] >>> 31);
      this.directories[run] = references;
    }
    return references;
  }

  get rootReferences(): Uint32Array {
    return this.roots;
  }

  /** Notes that maps are, or are not, as the file has them. */
  setChanged(groups: readonly number[], changed: boolean): void {
    for (const index of groups) this.group(index).changed = changed;
  }

  /** After a checkpoint became durable: what it wrote is now what the file has. */
  install(roots: Uint32Array, directories: ReadonlyMap<number, Uint32Array>): void {
    this.roots = roots;
    for (const [run, references] of directories) this.directories[run] = references;
  }

  /** Whether the group may have so many available pages; its map is not read for that. */
  private mayHaveAvailable(index: number, pages = 1): boolean {
    const group = this.groups[index];
    if (group !== undefined) return group.availableCount >= pages;
    const references = this.references(this.geometry.runOf(index));
    return (references[(index % this.geometry.runGroups) * 2 + 1] & REFERENCE_FREE) >= pages;
  }

  private group(index: number): SpaceGroup {
    const known = this.groups[index];
    if (known !== undefined) return known;
    const references = this.references(this.geometry.runOf(index));
    const at = (index % this.geometry.runGroups) * 2;
    const group = new SpaceGroup(this.geometry.groupPages);
    group.load(this.reader.readMap(index, references[at], references[at + 1]));
    this.groups[index] = group;
    return group;
  }

  /** Adds up to `pagesMax` pages at the end of the file, as many as stay within one group. */
  private grow(pagesMax: number): Extent {
    const { groupPages, pagesMax: most } = this.geometry;
    if (this.pages % groupPages === 0) {
      const group = this.pages / groupPages;
      if (this.geometry.fixedEnd(group) > most) throw this.full();
      this.startGroup(group);
      return this.takeFirst(group, Math.min(pagesMax, MAP_IN_GROUP));
    }
    const left = groupPages - (this.pages % groupPages);
    const pages = Math.min(pagesMax, left, most - this.pages);
    if (pages <= 0) throw this.full();
    const page = this.pages;
    // The map knows only free pages; growing changes none of its bits, but its group must be written.
    this.group(this.geometry.groupOf(page)).changed = true;
    this.pages += pages;
    return { page, pages };
  }

  /**
   * The pages of a new group before its fixed ones. They go on where the group before ended: a value that
   * is longer than a group is cut in two by each boundary, not in three.
   */
  private takeFirst(index: number, pages: number): Extent {
    for (let inGroup = 0; inGroup < pages; inGroup++) this.group(index).use(inGroup);
    this.freeTotal -= pages;
    return { page: index * this.geometry.groupPages, pages };
  }

  private full(): StoreError {
    return new StoreError(
      'DISK_FULL',
      `the store has ${this.pages} pages, the most its page size allows: use larger pages for a larger store`,
    );
  }

  /** Begins a group at the end of the file: reserves its fixed pages and frees those between. */
  private startGroup(index: number): void {
    const group = new SpaceGroup(this.geometry.groupPages);
    const first = index * this.geometry.groupPages;
    const end = this.geometry.fixedEnd(index);
    const { runGroups } = this.geometry;
    // The file may have been longer once: what was said of this run then is no longer in it.
    if (index > 0 && index % runGroups === 0)
      this.directories[this.geometry.runOf(index)] = new Uint32Array(runGroups * 2);
    this.groups[index] = group;
    this.pages = end;
    for (let page = first; page < end; page++) {
      if (this.geometry.isFixed(page)) continue;
      group.setFree(page - first);
      group.setAvailable(page - first);
      this.freeTotal++;
      this.exhausted = false;
    }
    group.changed = true;
  }
}
