/** Finds the meta pages of a file, whatever its page size. */
import { claimedPageSize, decodeMeta, META_PAGES, type Meta } from '../format/meta-page.js';
import { PAGE_SIZES, type PageSize } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import type { StoreFile } from './store-file.js';

export interface FoundMetas {
  readonly metas: readonly Meta[];
  /** Whether one of the two is torn, damaged or missing. */
  readonly damaged: boolean;
}

/**
 * Reads both meta pages. Where page 0 is torn, nothing tells the page size, so page 1 is looked for
 * at each place where it can begin.
 */
export function readMetas(file: StoreFile): FoundMetas {
  const largest = PAGE_SIZES[PAGE_SIZES.length - 1];
  const memory = new PageMemory(largest * META_PAGES);
  file.readSync(memory.bytes, 0, memory.bytes.length, 0);
  const claimed = claimedPageSize(memory.bytes, 0);
  const first = claimed === undefined ? undefined : decodeMeta(memory, 0, 0, claimed);
  const sizes: readonly PageSize[] = first === undefined ? PAGE_SIZES : [first.pageSize];
  let second: Meta | undefined;
  for (const pageSize of sizes) second ??= decodeMeta(memory, pageSize, 1, pageSize);
  const metas = [first, second].filter((meta) => meta !== undefined);
  return { metas, damaged: metas.length < META_PAGES };
}

export function newestMeta(metas: readonly Meta[]): Meta | undefined {
  let newest: Meta | undefined;
  for (const meta of metas) if (newest === undefined || meta.generation > newest.generation) newest = meta;
  return newest;
}
