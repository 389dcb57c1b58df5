/**
 * The steps that make the state in memory durable: pages first, then the maps of free space, a sync,
 * and only then the meta page that reaches them, and a sync. Until the last one resolves, the previous
 * checkpoint stands untouched in the file.
 */
import { StoreError } from '../errors.js';
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

/** A checkpoint laid out: later changes of the space do not reach it. */
export interface CheckpointPlan {
  readonly meta: Meta;
  readonly memory: PageMemory;
  /** Bases of the maps and directories in `memory`, ascending by page. */
  readonly bases: readonly number[];
  /** Gives the maps back to the next checkpoint, where this one failed. */
  undo(): void;
  /** Makes what was written the state that the next checkpoint starts from. */
  install(): void;
}

interface SpaceLayout {
  readonly memory: PageMemory;
  readonly pages: { page: number; base: number }[];
  readonly roots: Uint32Array;
  readonly directories: Map<number, Uint32Array>;
}

/** Lays out the maps and directories that changed, each for the copy that the last meta page does not reach. */
function layOutSpace(space: Space, state: CheckpointState, groups: readonly number[]): SpaceLayout {
  const { geometry } = space;
  const { pageSize } = geometry;
  const runs = new Set(groups.map((group) => geometry.runOf(group)));
  const memory = new PageMemory((groups.length + runs.size) * pageSize);
  const roots = space.rootReferences.slice();
  const directories = new Map<number, Uint32Array>();
  const pages: { page: number; base: number }[] = [];
  const begin = (kind: number, page: number, words: Uint32Array): number => {
    const base = pages.length * pageSize;
    initPage(memory, base, kind, page, state.stamp, state.sequence);
    memory.u32.set(words, (base + PAGE_HEADER_BYTES) >>> 2);
    pages.push({ page, base });
    return sealPage(memory, base, pageSize);
  };
  for (const group of groups) {
    const run = geometry.runOf(group);
    const references = directories.get(run) ?? space.references(run).slice();
    directories.set(run, references);
    const at = (group % geometry.runGroups) * 2;
    const copy = 1 - (references[at + 1] >>> 31);
    references[at] = begin(KIND_SPACE_MAP, geometry.mapPage(group, copy), space.mapBits(group));
    references[at + 1] = reference(copy, space.freeInGroup(group));
  }
  for (const [run, references] of directories) {
    // Groups past the end were given up: what a reference says of them is no longer so.
    const end = (space.groupCount - run * geometry.runGroups) * 2;
    if (end < references.length) references.fill(0, end);
    const copy = 1 - (roots[run * 2 + 1] >>> 31);
    roots[run * 2] = begin(KIND_SPACE_DIRECTORY, geometry.directoryPage(run, copy), references);
    roots[run * 2 + 1] = reference(copy, freeInRun(references));
  }
  pages.sort((a, b) => a.page - b.page);
  return { memory, pages, roots, directories };
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

/** A damaged map tells of other free pages than were counted: what is written of them would be believed later. */
function assertCounts({ freePages, pageCount }: Space): void {
  if (freePages >= 0 && freePages <= pageCount) return;
  const message = `the maps of free pages do not agree with their count (${freePages} of ${pageCount} pages are free by now): run check(), and restore a backup`;
  throw new StoreError('PAGE_CORRUPT', message);
}

/** Settles what the checkpoint of `state` writes beside the pages. */
export function planCheckpoint(space: Space, state: CheckpointState, previous: Meta): CheckpointPlan {
  assertCounts(space);
  const groups = space.changedGroups();
  const layout = layOutSpace(space, state, groups);
  space.setChanged(groups, false);
  const meta: Meta = {
    ...previous,
    ...state,
    generation: previous.generation + 1,
    pageCount: space.pageCount,
    freePages: space.freePages,
    directories: layout.roots,
  };
  return {
    meta,
    memory: layout.memory,
    bases: layout.pages.map((entry) => entry.base),
    undo: () => space.setChanged(groups, true),
    install: () => space.install(layout.roots, layout.directories),
  };
}

/** The parts of a store that a checkpoint works with. */
export interface CheckpointParts {
  readonly file: StoreFile;
  readonly space: Space;
  readonly writer: PageWriter;
}

const LAST_BYTE = Buffer.alloc(1);

/**
 * Makes the file span all pages of the plan: those that were allocated and given back were never
 * written. Together with the plan, and by a write: from then on others may write past its end, and a
 * change of the file's size that arrived after theirs would cut it off.
 */
export function spanPages(parts: CheckpointParts, plan: CheckpointPlan): void {
  const size = plan.meta.pageCount * plan.meta.pageSize;
  if (parts.file.size() < size) parts.file.writeSync(LAST_BYTE, 0, 1, size - 1);
}

/** Writes the maps of free space. If it raises, nothing has changed for a reader of the file. */
export async function writeCheckpointPlan(parts: CheckpointParts, plan: CheckpointPlan): Promise<void> {
  await parts.writer.writeLaidOut(plan.memory, plan.bases);
}

/** Writes the meta page, to be synced. If it raises, nobody can tell how much of it is there. */
export async function writeMeta({ file, writer }: CheckpointParts, { meta }: CheckpointPlan): Promise<void> {
  const page = meta.generation % 2;
  const memory = new PageMemory(meta.pageSize);
  encodeMeta(memory, 0, page, meta);
  await file.write(memory.bytes, 0, meta.pageSize, page * meta.pageSize);
  writer.count(1);
}

/** Takes a meta page back that was written and may not be on the disk: zeros in its place, to be synced. */
export async function eraseMeta({ file }: CheckpointParts, { meta }: CheckpointPlan): Promise<void> {
  const page = meta.generation % 2;
  await file.write(Buffer.alloc(meta.pageSize), 0, meta.pageSize, page * meta.pageSize);
}
