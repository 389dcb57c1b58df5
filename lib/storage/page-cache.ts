/**
 * Pages in memory: frames in one shared memory, and a table from page number to frame. No I/O here.
 *
 * A frame is free, clean (the file has the same bytes), dirty (only memory has them) or loading.
 * Clean frames may be taken for another page by any call of `take`: a `base` that `find` returned is
 * good only until then, and whoever keeps one longer asks `holds` before each use. Dirty frames stay.
 *
 * Once the cache is full, a scan takes its frames from those that scans filled last (`PassingFrames`): what is in the
 * cache stays, for others and for the same scan when it comes again.
 */
import { StoreError } from '../errors.js';
import { PageMemory } from '../format/page-memory.js';
import { PassingFrames } from './passing-frames.js';

const FREE = 0;
const CLEAN = 1;
const DIRTY = 2;
const LOADING = 3;

/** What `referenced` says of a page that was read ahead and not asked for yet; 1: it was used, 0: not lately. */
const UNREAD = 2;

/** Frames beyond both bounds, for what one operation touches before dirty pages are spilled. */
const SLACK_FRAMES = 256;
const CLEAN_FRAMES_MIN = 64;
/** Frames that reads ahead may hold at once: the rest of the slack is for those who must have theirs. */
const LOADING_FRAMES_MAX = SLACK_FRAMES / 2;
/** The part of the cache that pages of scans go through. */
const PASSING_PART = 1 / 16;
/** Byte offsets into the memory are unsigned 32-bit numbers. */
const MEMORY_BYTES_MAX = 0xfff0_0000;

export class PageCache {
  readonly memory: PageMemory;
  readonly pageSize: number;
  /** Past this many dirty frames the writer must spill before it goes on. */
  readonly dirtyFramesMax: number;
  /** Clean pages that it keeps. */
  readonly cleanFramesMax: number;
  private readonly frameCount: number;
  private readonly pageShift: number;
  private readonly framePage: Uint32Array;
  private readonly frameState: Uint8Array;
  private readonly referenced: Uint8Array;
  /** Open addressing with linear probing; an element is a frame + 1, 0 is empty. */
  private readonly table: Int32Array;
  private readonly tableMask: number;
  private readonly tableShift: number;
  private readonly freeFrames: Int32Array;
  private readonly views: (Buffer | undefined)[] = [];
  private readonly passing: PassingFrames;
  private freeCount = 0;
  private untouched = 0;
  private hand = 0;
  private cleanCount = 0;
  private dirtyCount = 0;
  private loadingCount = 0;

  constructor(pageSize: number, cleanBytesMax: number, dirtyBytesMax: number) {
    const room = Math.floor(MEMORY_BYTES_MAX / pageSize) - SLACK_FRAMES;
    this.pageSize = pageSize;
    this.pageShift = Math.log2(pageSize);
    this.dirtyFramesMax = Math.min(
      Math.max(CLEAN_FRAMES_MIN, Math.floor(dirtyBytesMax / pageSize)),
      room >>> 1,
    );
    this.cleanFramesMax = Math.min(
      Math.max(CLEAN_FRAMES_MIN, Math.floor(cleanBytesMax / pageSize)),
      room - this.dirtyFramesMax,
    );
    this.frameCount = this.cleanFramesMax + this.dirtyFramesMax + SLACK_FRAMES;
    this.memory = PageMemory.shared(this.frameCount * pageSize);
    this.framePage = shared(Uint32Array, this.frameCount);
    this.frameState = shared(Uint8Array, this.frameCount);
    this.referenced = shared(Uint8Array, this.frameCount);
    this.freeFrames = new Int32Array(this.frameCount);
    this.passing = new PassingFrames(
      this.frameCount,
      Math.max(LOADING_FRAMES_MAX, Math.floor(this.cleanFramesMax * PASSING_PART)),
      LOADING_FRAMES_MAX,
    );
    const tableBits = Math.ceil(Math.log2(this.frameCount * 2));
    this.table = shared(Int32Array, 2 ** tableBits);
    this.tableMask = 2 ** tableBits - 1;
    this.tableShift = 32 - tableBits;
  }

  get dirtyFrames(): number {
    return this.dirtyCount;
  }

  /** Whether a frame can be had for a page that may be wanted later. */
  get canReadAhead(): boolean {
    return this.loadingCount < LOADING_FRAMES_MAX;
  }

  get cleanFrames(): number {
    return this.cleanCount;
  }

  /** The base of the page's frame, or -1. */
  find(page: number): number {
    const table = this.table;
    const framePage = this.framePage;
    let at = Math.imul(page, 0x9e37_79b1) >>> this.tableShift;
    for (;;) {
      const frame = table[at] - 1;
      if (frame < 0) return -1;
      if (framePage[frame] === page) {
        this.referenced[frame] = 1;
        return frame * this.pageSize;
      }
      at = (at + 1) & this.tableMask;
    }
  }

  /** Whether the page is here. Unlike `find` this is no use of it. */
  has(page: number): boolean {
    return this.frameOf(page) >= 0;
  }

  /** As `has`; a page that is here stays as if it had been used lately, since it is about to be. */
  keepIfHere(page: number): boolean {
    const frame = this.frameOf(page);
    if (frame >= 0 && this.referenced[frame] === 0) this.referenced[frame] = 1;
    return frame >= 0;
  }

  /** The page's frame, or -1. `find` is too hot for a call of this. */
  private frameOf(page: number): number {
    const { table, framePage, tableMask } = this;
    let at = Math.imul(page, 0x9e37_79b1) >>> this.tableShift;
    for (; table[at] !== 0; at = (at + 1) & tableMask)
      if (framePage[table[at] - 1] === page) return table[at] - 1;
    return -1;
  }

  /** Whether the frame at `base` still holds `page`, for those who kept a base across other calls. */
  holds(base: number, page: number): boolean {
    const frame = base >>> this.pageShift;
    const state = this.frameState[frame];
    // A frame that is being loaded still carries the number of the page it held before.
    return this.framePage[frame] === page && (state === CLEAN || state === DIRTY);
  }

  isDirty(base: number): boolean {
    return this.frameState[base >>> this.pageShift] === DIRTY;
  }

  /** The page's bytes as a Buffer of their own; one is kept for each frame. */
  view(base: number): Buffer {
    const frame = base >>> this.pageShift;
    let view = this.views[frame];
    if (view === undefined) {
      view = this.memory.bytes.subarray(base, base + this.pageSize);
      this.views[frame] = view;
    }
    return view;
  }

  /** A frame for a page that is about to be made; the page must not be in the cache. */
  takeDirty(page: number): number {
    const frame = this.freeFrame(false);
    this.frameState[frame] = DIRTY;
    this.dirtyCount++;
    this.enter(frame, page);
    this.referenced[frame] = 1;
    return frame * this.pageSize;
  }

  /**
   * A frame for a page that is about to be read. It cannot be found until `loaded`; else `dropLoading`.
   * `isPassing`: for a scan, see above.
   */
  takeLoading(isPassing = false): number {
    const frame = (isPassing ? this.passedFrame() : undefined) ?? this.freeFrame(true);
    this.frameState[frame] = LOADING;
    this.loadingCount++;
    return frame * this.pageSize;
  }

  /** Makes a read page findable. */
  loaded(base: number, page: number, isPassing = false): void {
    const frame = base >>> this.pageShift;
    this.frameState[frame] = CLEAN;
    this.loadingCount--;
    this.cleanCount++;
    this.enter(frame, page);
    this.referenced[frame] = isPassing ? UNREAD : 1;
    if (isPassing && this.cleanCount >= this.cleanFramesMax) this.passing.add(frame, page);
    else this.passing.forget(frame);
  }

  /**
   * The frame that a scan is done with, of a full cache; undefined where there are not enough of them, or where the
   * oldest was not used yet: of several scans at once, one is behind the others.
   */
  private passedFrame(): number | undefined {
    if (this.cleanCount < this.cleanFramesMax) return undefined;
    const frame = this.passing.take(this.framePage);
    if (frame === undefined) return undefined;
    if (this.frameState[frame] !== CLEAN || this.referenced[frame] === UNREAD) {
      this.passing.forget(frame);
      return undefined;
    }
    this.cleanCount--;
    this.leave(frame);
    return frame;
  }

  dropLoading(base: number): void {
    const frame = base >>> this.pageShift;
    this.loadingCount--;
    this.passing.forget(frame);
    this.giveBack(frame);
  }

  /** After the page was written to the file. */
  markClean(base: number): void {
    this.frameState[base >>> this.pageShift] = CLEAN;
    this.dirtyCount--;
    this.cleanCount++;
    if (this.cleanCount > this.cleanFramesMax) this.giveBack(this.evict());
  }

  /** Forgets the page if it is here, changed or not. */
  discard(page: number): void {
    const base = this.find(page);
    if (base < 0) return;
    const frame = base >>> this.pageShift;
    if (this.frameState[frame] === DIRTY) this.dirtyCount--;
    else this.cleanCount--;
    this.passing.forget(frame);
    this.leave(frame);
    this.giveBack(frame);
  }

  /** The bases of all dirty frames, in the order of their page numbers. */
  dirtyBases(): number[] {
    const frames: number[] = [];
    for (let frame = 0; frame < this.untouched; frame++)
      if (this.frameState[frame] === DIRTY) frames.push(frame);
    frames.sort((a, b) => this.framePage[a] - this.framePage[b]);
    return frames.map((frame) => frame * this.pageSize);
  }

  private freeFrame(clean: boolean): number {
    if (clean && this.cleanCount >= this.cleanFramesMax) return this.evict();
    if (this.freeCount > 0) return this.freeFrames[--this.freeCount];
    if (this.untouched < this.frameCount) return this.untouched++;
    return this.evict();
  }

  private giveBack(frame: number): void {
    this.frameState[frame] = FREE;
    this.freeFrames[this.freeCount++] = frame;
  }

  /** Clock: the first clean frame that was not used since the hand last passed it. */
  private evict(): number {
    for (let steps = 2 * this.untouched; steps > 0; steps--) {
      const frame = this.hand;
      this.hand = frame + 1 < this.untouched ? frame + 1 : 0;
      if (this.frameState[frame] !== CLEAN) continue;
      if (this.referenced[frame] !== 0) {
        this.referenced[frame] = 0;
        continue;
      }
      this.cleanCount--;
      this.passing.forget(frame);
      this.leave(frame);
      return frame;
    }
    throw new StoreError(
      'INTERNAL',
      'every page in memory is in use at once: open the store with a larger cacheBytes',
    );
  }

  private enter(frame: number, page: number): void {
    this.framePage[frame] = page;
    let at = Math.imul(page, 0x9e37_79b1) >>> this.tableShift;
    while (this.table[at] !== 0) at = (at + 1) & this.tableMask;
    this.table[at] = frame + 1;
  }

  /** Takes a frame out of the table and closes the gap, so that probing needs no tombstones. */
  private leave(frame: number): void {
    const table = this.table;
    const mask = this.tableMask;
    let gap = Math.imul(this.framePage[frame], 0x9e37_79b1) >>> this.tableShift;
    while (table[gap] !== frame + 1) gap = (gap + 1) & mask;
    for (let at = (gap + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const home = Math.imul(this.framePage[table[at] - 1], 0x9e37_79b1) >>> this.tableShift;
      // Move back only what would still be found from its home: home must not lie within (gap, at].
      if (((at - home) & mask) >= ((at - gap) & mask)) {
        table[gap] = table[at];
        gap = at;
      }
    }
    table[gap] = 0;
  }
}

type SharedArray = Uint8Array | Uint32Array | Int32Array;

function shared<T extends SharedArray>(
  type: { new (buffer: SharedArrayBuffer): T; BYTES_PER_ELEMENT: number },
  length: number,
): T {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT));
}
