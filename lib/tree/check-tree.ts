/**
 * Walks one tree as the file has it, past the cache: checksums, structure, order within and across
 * pages, separators, counts, and that each page is reached once.
 */
import {
  childEntries,
  childHasLarge,
  childPage,
  childStamp,
  nodeLevel,
  readSeparator,
} from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { compareKeys } from '../format/key.js';
import { leafRecord, readLeafKey, recordIsLarge } from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import { KIND_BRANCH, KIND_LEAF, pageCorrupt, pageKind, pageStamp, verifyPage } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { checkNodeStructure } from '../format/structure.js';
import type { PageReader, Pager } from '../storage/pager.js';
import { ValueReader } from '../storage/value-reader.js';
import type { BucketReport, CheckCollector } from './check-report.js';
import { largeValueExtents } from './large-value.js';
import { nodeFill } from './node-fill.js';

/** What a walk found below a node. */
interface Below {
  entries: number;
  large: boolean;
}

/** Levels that a tree of the greatest possible file can have, generously. */
const LEVELS_MAX = 40;

interface Bounds {
  readonly lower: Uint8Array | undefined;
  readonly upper: Uint8Array | undefined;
}

export class TreeCheck implements PageReader {
  readonly memory: PageMemory;
  readonly pageSize: number;
  private readonly pager: Pager;
  private readonly collector: CheckCollector;
  private readonly name: string;
  private depth = 0;
  private readonly found = {
    depth: 0,
    branchPages: 0,
    leafPages: 0,
    valuePages: 0,
    leafFill: 0,
    branchFill: 0,
  };
  private previous: Buffer | undefined;
  private readonly key = Buffer.alloc(65536);
  /** Called between pages; lets other work of the event loop through. */
  private readonly pause: () => Promise<void>;

  constructor(pager: Pager, collector: CheckCollector, name: string, pause: () => Promise<void>) {
    this.pager = pager;
    this.pageSize = pager.pageSize;
    this.memory = new PageMemory(LEVELS_MAX * pager.pageSize);
    this.collector = collector;
    this.name = name;
    this.pause = pause;
  }

  async run(root: TreeRoot): Promise<void> {
    if (root.page === 0) {
      if (root.entries !== 0)
        this.collector.problem(`${this.name} has no pages but counts ${root.entries} entries`);
      return;
    }
    const below = await this.node(root.page, root.stamp, -1, { lower: undefined, upper: undefined });
    if (below === undefined) return;
    if (below.entries !== root.entries)
      this.collector.problem(`${this.name} counts ${root.entries} entries and holds ${below.entries}`);
    if (below.large && !root.large)
      this.collector.problem(`${this.name} holds a large value that its root does not tell of`);
  }

  /** What the walk saw of the tree. */
  get shape(): Omit<BucketReport, 'name' | 'entries'> {
    const { depth, branchPages, leafPages, valuePages, leafFill, branchFill } = this.found;
    return {
      depth,
      branchPages,
      leafPages,
      valuePages,
      averageLeafFill: leafPages === 0 ? 0 : leafFill / leafPages,
      averageBranchFill: branchPages === 0 ? 0 : branchFill / branchPages,
    };
  }

  /** Reads a page as the file has it, or from memory where only memory has it, into this level's place. */
  load(page: number, stamp: number): number {
    const base = this.depth * this.pageSize;
    const cached = this.pager.cache.find(page);
    if (cached >= 0 && this.pager.cache.isDirty(cached)) {
      this.memory.bytes.set(this.pager.cache.view(cached), base);
      if (pageStamp(this.memory, base) !== stamp)
        throw pageCorrupt(page, 'it is not the version that its parent refers to');
    } else {
      const read = this.pager.file.readSync(this.memory.bytes, base, this.pageSize, page * this.pageSize);
      if (read < this.pageSize) throw pageCorrupt(page, 'the file ends before it');
      verifyPage(this.memory, base, this.pageSize, page, stamp);
    }
    const kind = pageKind(this.memory, base);
    if (kind !== KIND_LEAF && kind !== KIND_BRANCH)
      throw pageCorrupt(page, `a node was expected, it is of kind ${kind}`);
    checkNodeStructure(this.memory, base, this.pageSize, page);
    return base;
  }

  private async node(page: number, stamp: number, level: number, bounds: Bounds): Promise<Below | undefined> {
    await this.pause();
    if (!this.collector.reach(page, this.name)) return undefined;
    if (this.depth >= LEVELS_MAX) {
      this.collector.problem('the tree is deeper than any can be', page);
      return undefined;
    }
    try {
      const base = this.load(page, stamp);
      const found = nodeLevel(this.memory, base);
      if (level >= 0 && found !== level)
        throw pageCorrupt(page, `it is at level ${found}, its parent expects ${level}`);
      return found === 0 ? this.leaf(page, base, bounds) : await this.branch(page, base, bounds);
    } catch (error) {
      this.collector.raised(error, page);
      return undefined;
    }
  }

  private async branch(page: number, base: number, bounds: Bounds): Promise<Below> {
    this.collector.pages.branch++;
    const { memory } = this;
    this.found.branchPages++;
    this.found.branchFill += nodeFill(memory, base, this.pageSize);
    const count = nodeCount(memory, base);
    const level = nodeLevel(memory, base);
    const below: Below = { entries: 0, large: false };
    let lower = bounds.lower;
    for (let i = 0; i < count; i++) {
      const upper = i + 1 < count ? this.separator(base, i + 1) : bounds.upper;
      if (
        lower !== undefined &&
        upper !== undefined &&
        compareKeys(lower, lower.length, upper, upper.length) >= 0
      ) {
        this.collector.problem(`the separators around slot ${i} are out of order`, page);
      }
      this.depth++;
      const child = await this.node(childPage(memory, base, i), childStamp(memory, base, i), level - 1, {
        lower,
        upper,
      });
      this.depth--;
      lower = upper;
      if (child === undefined) continue;
      if (child.entries !== childEntries(memory, base, i)) {
        this.collector.problem(
          `slot ${i} counts ${childEntries(memory, base, i)} entries, there are ${child.entries}`,
          page,
        );
      }
      if (child.large && !childHasLarge(memory, base, i))
        this.collector.problem(`slot ${i} does not tell of a large value below`, page);
      below.entries += childEntries(memory, base, i);
      below.large ||= childHasLarge(memory, base, i);
    }
    return below;
  }

  private separator(base: number, index: number): Uint8Array {
    const length = readSeparator(this.memory, base, this.pageSize, index, this.key, 0);
    return new Uint8Array(this.key.subarray(0, length));
  }

  private leaf(page: number, base: number, bounds: Bounds): Below {
    this.collector.pages.leaf++;
    const { memory } = this;
    this.found.depth = Math.max(this.found.depth, this.depth + 1);
    this.found.leafPages++;
    this.found.leafFill += nodeFill(memory, base, this.pageSize);
    const count = nodeCount(memory, base);
    let large = false;
    for (let i = 0; i < count; i++) {
      const length = readLeafKey(memory, base, this.pageSize, i, this.key, 0);
      this.order(page, i, length, bounds);
      const record = leafRecord(memory, base, i);
      if (!recordIsLarge(memory, record)) continue;
      large = true;
      try {
        this.largeValue(page, i, base, record);
      } catch (error) {
        this.collector.raised(error, page);
      }
    }
    return { entries: count, large };
  }

  private order(page: number, index: number, length: number, bounds: Bounds): void {
    const { key, previous, collector } = this;
    const { lower, upper } = bounds;
    if (previous !== undefined && compareKeys(previous, previous.length, key, length) >= 0) {
      collector.problem(`the key in slot ${index} does not sort after the one before it`, page);
    }
    if (lower !== undefined && compareKeys(key, length, lower, lower.length) < 0)
      collector.problem(`the key in slot ${index} sorts before its separator`, page);
    if (upper !== undefined && compareKeys(key, length, upper, upper.length) >= 0) {
      collector.problem(`the key in slot ${index} does not sort before the next separator`, page);
    }
    this.previous = Buffer.from(key.subarray(0, length));
  }

  private largeValue(page: number, index: number, base: number, record: number): void {
    const value = largeValueExtents(this, base, record);
    for (const extent of value.extents) {
      this.collector.reachRun(extent.page, extent.pages, `the value in slot ${index} of page ${page}`);
      this.collector.pages.value += extent.pages;
      this.found.valuePages += extent.pages;
    }
    const reader = new ValueReader(this.pager.file, this.pageSize, value);
    while (reader.readSome(() => undefined));
  }
}
