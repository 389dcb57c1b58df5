// One page between two others that must stay as they are: what a function of a node may not touch.

import { expect } from 'chai';
import { PageMemory } from '../../lib/format/page-memory.js';

const FILL = 0xa5;

export class GuardedPage {
  readonly memory: PageMemory;
  readonly pageSize: number;
  /** Where the page begins in the memory. */
  readonly base: number;

  constructor(pageSize: number) {
    this.pageSize = pageSize;
    this.base = pageSize;
    this.memory = new PageMemory(3 * pageSize);
    this.memory.bytes.fill(FILL);
  }

  get bytes(): Buffer {
    return this.memory.bytes.subarray(this.base, this.base + this.pageSize);
  }

  expectNeighboursUntouched(): void {
    const { bytes } = this.memory;
    const before = bytes.subarray(0, this.base);
    const after = bytes.subarray(this.base + this.pageSize);
    for (const side of [before, after])
      expect(side.equals(Buffer.alloc(this.pageSize, FILL)), 'a neighbouring page').to.equal(true);
  }
}
