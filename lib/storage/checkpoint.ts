/**
 * Makes the state in memory durable: pages first, then the maps of free space, a sync, and only then
 * the meta page that reaches them, and a sync. Until the last one resolves, the previous checkpoint
 * stands untouched in the file.
 */
import { encodeMeta, type Meta } from '../format/meta-page.js';
import {
  initPage,
  KIND_SPACE_DIRECTORY,
  KIND_SPACE_MAP,
  PAGE_HEADER_BYTES,
  sealPage,
} from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { REFERENCE_COPY, REFERENCE_FREE } from '../format/space-page.js';
import type { PageWriter } from './page-writer.js';
import type { Space } from './space.js';
import type { StoreFile } from './store-file.js';

/** What changes from one meta page to the next, beside the maps of free space. */
export interface CheckpointState {
  readonly sequence: number;
  readonly stamp: number;
  readonly catalogPage: number;
  readonly catalogStamp: number;
  readonly buckets: number;
}

interface SpacePlan {
  readonly memory: PageMemory;
  readonly bases: number[];
  readonly roots: Uint32Array;
  readonly directories: Map<number, Uint32Array>;
  readonly groups: number[];
}

/** Lays out the maps and directories that changed, each for the copy that the last meta page does not reach. */
function planSpace(space: Space, state: CheckpointState): SpacePlan {
  const { geometry } = space;
  const { pageSize } = geometry;
  const groups = space.changedGroups();
  const runs = new Set(groups.map((group) => geometry.runOf(group)));
  const memory = new PageMemory((groups.length + runs.size) * pageSize);
  const roots = space.rootReferences.slice();
  const directories = new Map<number, Uint32Array>();
  const pages: { page: number; base: number }[] = [];
  let base = 0;
  for (const group of groups) {
    const run = geometry.runOf(group);
    const references = directories.get(run) ?? space.references(run).slice();
    directories.set(run, references);
    const at = (group % geometry.runGroups) * 2;
    const copy = 1 - (references[at + 1] >>> 31);
    const page = geometry.mapPage(group, copy);
    initPage(memory, base, KIND_SPACE_MAP, page, state.stamp, state.sequence);
    memory.u32.set(space.mapBits(group), (base + PAGE_HEADER_BYTES) >>> 2);
    references[at] = sealPage(memory, base, pageSize);
    references[at + 1] = reference(copy, space.freeInGroup(group));
    pages.push({ page, base });
    base += pageSize;
  }
  for (const [run, references] of directories) {
    const copy = 1 - (roots[run * 2 + 1] >>> 31);
    const page = geometry.directoryPage(run, copy);
    initPage(memory, base, KIND_SPACE_DIRECTORY, page, state.stamp, state.sequence);
    memory.u32.set(references, (base + PAGE_HEADER_BYTES) >>> 2);
    roots[run * 2] = sealPage(memory, base, pageSize);
    roots[run * 2 + 1] = reference(copy, freeInRun(references));
    pages.push({ page, base });
    base += pageSize;
  }
  pages.sort((a, b) => a.page - b.page);
  return { memory, bases: pages.map((entry) => entry.base), roots, directories, groups };
}

function reference(copy: number, freePages: number): number {
  // The pages of a run of the largest pages may be more than the bits hold.
  const free = Math.min(freePages, REFERENCE_FREE);
  return (copy === 1 ? REFERENCE_COPY | free : free) >>> 0;
}

function freeInRun(references: Uint32Array): number {
  let free = 0;
  for (let i = 1; i < references.length; i += 2) free += references[i] & ~REFERENCE_COPY;
  return free;
}

/** The parts of a store that a checkpoint works with. */
export interface CheckpointParts {
  readonly file: StoreFile;
  readonly space: Space;
  readonly writer: PageWriter;
}

/**
 * Writes the maps of free space and syncs them together with all that was written before. Returns
 * what `finishCheckpoint` needs. If it raises, nothing has changed for a reader of the file.
 */
export async function prepareCheckpoint(parts: CheckpointParts, state: CheckpointState): Promise<SpacePlan> {
  const plan = planSpace(parts.space, state);
  await parts.writer.write(plan.memory, plan.bases);
  const size = parts.space.pageCount * parts.space.geometry.pageSize;
  // Pages that were allocated and given back were never written: the file must still span them.
  if (parts.file.size() < size) await parts.file.truncate(size);
  return plan;
}

/** Writes the meta page and syncs it. If it raises, no one can tell which checkpoint the file has. */
export async function finishCheckpoint(
  parts: CheckpointParts,
  state: CheckpointState,
  plan: SpacePlan,
  previous: Meta,
): Promise<Meta> {
  const { space, writer, file } = parts;
  const meta: Meta = {
    ...previous,
    ...state,
    generation: previous.generation + 1,
    pageCount: space.pageCount,
    freePages: space.freePages,
    directories: plan.roots,
  };
  const page = meta.generation % 2;
  const memory = new PageMemory(meta.pageSize);
  encodeMeta(memory, 0, page, meta);
  await file.write(memory.bytes, 0, meta.pageSize, page * meta.pageSize);
  writer.count(1);
  await writer.sync();
  space.install(plan.roots, plan.directories, plan.groups);
  return meta;
}
