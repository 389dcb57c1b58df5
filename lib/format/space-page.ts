/**
 * The pages that say which pages of the file are free, and where they stand. The file is cut into
 * groups of as many pages as a space map has bits; a run of groups shares a space directory.
 *
 *      page of its group      0        1        2        3        4           5           6 ...
 *                             +--------+--------+--------+--------+-----------+-----------+----
 *      first of a run         | (meta  | pages) | map    | map    | directory | directory |
 *      every other group      | any    | any    | copy 0 | copy 1 | any       | any       | any
 *                             +--------+--------+--------+--------+-----------+-----------+----
 *
 *      space map              header | one bit a page of the group, 1 = free
 *      space directory        header | one reference a group of the run
 *      reference              u32 checksum of the page | u32 free pages below, bit 31: which copy
 *
 * Each has two fixed places. A checkpoint writes a changed one to the copy that the last durable
 * meta page does not reach, and changes the reference above it, up to the meta page: so no space
 * need be allocated in order to say what is free, and a checkpoint's cost depends on the groups that
 * changed, not on how much is free. The reference holds the checksum, so a lost write is found.
 */
import { META_REFERENCES } from './meta-page.js';
import { PAGE_COUNT_MAX, PAGE_HEADER_BYTES } from './page.js';

export const MAP_IN_GROUP = 2;
export const DIRECTORY_IN_GROUP = 4;
export const REFERENCE_BYTES = 8;
export const REFERENCE_COPY = 0x8000_0000;
export const REFERENCE_FREE = 0x7fff_ffff;

/** How a file with pages of one size is cut into groups, and groups into runs. */
export class SpaceGeometry {
  readonly pageSize: number;
  /** Pages of a group: the bits of a map page. */
  readonly groupPages: number;
  /** Groups of a run: the references of a directory page. */
  readonly runGroups: number;
  /** The most pages that a file can have. */
  readonly pagesMax: number;

  constructor(pageSize: number) {
    this.pageSize = pageSize;
    this.groupPages = (pageSize - PAGE_HEADER_BYTES) * 8;
    this.runGroups = (pageSize - PAGE_HEADER_BYTES) / REFERENCE_BYTES;
    this.pagesMax = Math.min(PAGE_COUNT_MAX, this.groupPages * this.runGroups * META_REFERENCES);
  }

  groupOf(page: number): number {
    return Math.floor(page / this.groupPages);
  }

  /** The page of a group's map, in one of its two places. */
  mapPage(group: number, copy: number): number {
    return group * this.groupPages + MAP_IN_GROUP + copy;
  }

  runOf(group: number): number {
    return Math.floor(group / this.runGroups);
  }

  /** The page of a run's directory, in one of its two places. */
  directoryPage(run: number, copy: number): number {
    return run * this.runGroups * this.groupPages + DIRECTORY_IN_GROUP + copy;
  }

  /** Whether the page has a fixed use: meta page, map or directory. These are never allocated. */
  isFixed(page: number): boolean {
    const inGroup = page % this.groupPages;
    if (inGroup === MAP_IN_GROUP || inGroup === MAP_IN_GROUP + 1) return true;
    if (page < MAP_IN_GROUP) return true;
    if (inGroup !== DIRECTORY_IN_GROUP && inGroup !== DIRECTORY_IN_GROUP + 1) return false;
    return this.groupOf(page) % this.runGroups === 0;
  }

  /** Pages that a file of groups [0, group) plus a beginning of `group` must at least have. */
  fixedEnd(group: number): number {
    const last = group % this.runGroups === 0 ? DIRECTORY_IN_GROUP : MAP_IN_GROUP;
    return group * this.groupPages + last + 2;
  }
}
