/**
 * What building a tree needs of the pages under it: a transaction's, or those of work beside transactions that
 * one of them takes over in the end.
 */
import type { ValueExtents } from '../format/value-extents.js';
import type { PageReader, Pager } from './pager.js';
import type { ValueSpace } from './value-writer.js';

export interface BuildPages extends PageReader, ValueSpace {
  readonly pager: Pager;
  /** Gives up a node that the tree will no longer refer to. */
  freeNode(page: number, stamp: number): void;
  /** Gives up the pages of a large value. */
  freeValue(value: ValueExtents): void;
}
