/** Checks a whole store: both meta pages, the maps of free space, the catalog, every bucket, every page. */
import { StoreError } from '../errors.js';
import { META_PAGES } from '../format/meta-page.js';
import { SpacePages } from '../storage/space-pages.js';
import type { Store } from '../storage/store.js';
import { readMetas } from '../storage/store-metas.js';
import { catalogEntries, catalogRoot } from './catalog.js';
import { CheckCollector, type CheckReport } from './check-report.js';
import { TreeCheck } from './check-tree.js';

/** How long a check works at a stretch before it lets the event loop go on. */
const STRETCH_MILLISECONDS = 4;

/** How a check is made. */
export interface CheckOptions {
  /** Stops it, with ABORTED. */
  readonly signal?: AbortSignal;
}

/** Ends the walk. No StoreError, which would be taken for what is wrong with a page. */
class CheckStopped extends Error {}

/**
 * Walks the file as of the latest commit. The caller holds the writer's lock, so that what is free
 * does not change meanwhile; readers go on.
 */
export async function checkStore(store: Store, options: CheckOptions = {}): Promise<CheckReport> {
  try {
    return await walkStore(store, pacer(options.signal));
  } catch (error) {
    if (!(error instanceof CheckStopped)) throw error;
    throw new StoreError('ABORTED', 'the check was stopped by its signal: it tells nothing of the store', {
      cause: options.signal?.reason,
    });
  }
}

async function walkStore(store: Store, pause: () => Promise<void>): Promise<CheckReport> {
  const collector = new CheckCollector(store.space.pageCount);
  checkMetas(store, collector);
  checkFixed(store, collector);
  const catalog = catalogRoot(store.committed);
  await new TreeCheck(store.pager, collector, 'the catalog', pause).run(catalog);
  await checkBuckets(store, collector, pause);
  await checkFree(store, collector, pause);
  return collector.report();
}

function pacer(signal: AbortSignal | undefined): () => Promise<void> {
  let started = performance.now();
  return async () => {
    if (signal?.aborted === true) throw new CheckStopped();
    if (performance.now() - started < STRETCH_MILLISECONDS) return;
    await new Promise((resolve) => setImmediate(resolve));
    started = performance.now();
  };
}

function checkMetas(store: Store, collector: CheckCollector): void {
  const { metas, damaged } = readMetas(store.file);
  if (damaged) collector.problem(`only ${metas.length} of ${META_PAGES} meta pages hold`);
}

/** Pages of fixed use, and that the maps in the file are the ones their references name. */
function checkFixed(store: Store, collector: CheckCollector): void {
  const { space, checkpoint } = store;
  const { geometry } = space;
  for (let group = 0; group < space.groupCount; group++) {
    const first = group * geometry.groupPages;
    for (let page = first; page < geometry.fixedEnd(group); page++) {
      if (!geometry.isFixed(page)) continue;
      collector.reach(page, 'the map of free space');
      collector.pages.fixed++;
    }
  }
  const pages = new SpacePages(store.file, geometry);
  const groups = Math.ceil(checkpoint.pageCount / geometry.groupPages);
  for (let group = 0; group < groups; group++) {
    attempt(collector, () => {
      const references = space.references(geometry.runOf(group));
      const at = (group % geometry.runGroups) * 2;
      pages.readMap(group, references[at], references[at + 1]);
    });
  }
  for (let run = 0; run <= geometry.runOf(groups - 1); run++) {
    const { rootReferences } = space;
    attempt(collector, () =>
      pages.readDirectory(run, rootReferences[run * 2], rootReferences[run * 2 + 1] >>> 31),
    );
  }
}

async function checkBuckets(
  store: Store,
  collector: CheckCollector,
  pause: () => Promise<void>,
): Promise<void> {
  const catalog = catalogRoot(store.committed);
  try {
    for (const { name, record } of catalogEntries(store.pager, catalog)) {
      const tree = new TreeCheck(store.pager, collector, `bucket ${JSON.stringify(name)}`, pause);
      await tree.run(record.root);
      collector.bucketReports.push({ name, entries: record.root.entries, ...tree.shape });
    }
  } catch (error) {
    // The walk over the catalog has told of it already, unless it is something else.
    collector.raised(error);
  }
}

/** Each page is reached or free, and not both. */
async function checkFree(store: Store, collector: CheckCollector, pause: () => Promise<void>): Promise<void> {
  const { space } = store;
  let free = 0;
  try {
    for (let page = 0; page < space.pageCount; page++) {
      if ((page & 0xfff) === 0) await pause();
      const isFree = space.isFree(page);
      if (isFree) free++;
      if (isFree && collector.isReached(page)) collector.problem('the page is in use and marked free', page);
      if (!isFree && !collector.isReached(page))
        collector.problem('the page is leaked: nothing reaches it and it is not free', page);
    }
  } catch (error) {
    collector.raised(error);
  }
  collector.pages.free = free;
  if (free !== space.freePages)
    collector.problem(`${space.freePages} pages are counted free, ${free} are marked`);
}

function attempt(collector: CheckCollector, work: () => void): void {
  try {
    work();
  } catch (error) {
    collector.raised(error);
  }
}
