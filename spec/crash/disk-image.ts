// What a power cut leaves: of each unsynced operation all, nothing, some of its sectors, or garbage in its
// place, in any order, one file without regard to the other. What was synced is always there.

import type { Random } from '../helpers/random.js';
import type { DiskContent } from './disk-content.js';
import { applyTo, bindName, type ContentOperation, DiskState, type WriteOperation } from './disk-state.js';

const SECTOR_BYTES = 512;
const BLOCK_BYTES = 4096;

/** What became of one unsynced operation. */
export type Fate =
  | 'kept'
  | 'lost'
  | 'lost, file grown'
  | 'torn 512'
  | 'torn 4096'
  | 'garbage'
  | 'part garbage';

const HARD_FATES: readonly Fate[] = [
  'kept',
  'lost',
  'lost, file grown',
  'torn 512',
  'torn 4096',
  'garbage',
  'part garbage',
];

/** How the fates of all operations of a file are chosen together. */
type Pattern = (count: number, random: Random) => Fate[];

const all =
  (fate: Fate): Pattern =>
  (count) =>
    Array.from({ length: count }, () => fate);

/** All but the last few, as a disk that writes in order leaves it; the first of the others may be torn. */
const prefix: Pattern = (count, random) => {
  const end = random.below(count + 1);
  return Array.from({ length: count }, (_, i) =>
    i < end ? 'kept' : i === end ? random.pick(HARD_FATES) : 'lost',
  );
};
const oneLost: Pattern = (count, random) => {
  const lost = random.below(count);
  return Array.from({ length: count }, (_, i) => (i === lost ? random.pick(HARD_FATES) : 'kept'));
};
const oneKept: Pattern = (count, random) => {
  const kept = random.below(count);
  return Array.from({ length: count }, (_, i) => (i === kept ? random.pick(HARD_FATES) : 'lost'));
};
const lastKept: Pattern = (count) =>
  Array.from({ length: count }, (_, i) => (i === count - 1 ? 'kept' : 'lost'));
const coins: Pattern = (count, random) =>
  Array.from({ length: count }, () => (random.chance(0.5) ? 'kept' : 'lost'));
const any: Pattern = (count, random) => Array.from({ length: count }, () => random.pick(HARD_FATES));

const PATTERNS: readonly Pattern[] = [prefix, oneLost, oneKept, lastKept, coins, coins, any, any];

/** The images that every cut gets; those after them are drawn. */
const FIXED: readonly { readonly store: Pattern; readonly log: Pattern }[] = [
  { store: all('kept'), log: all('kept') },
  { store: all('lost'), log: all('lost') },
  { store: all('kept'), log: all('lost') },
  { store: all('lost'), log: all('kept') },
  { store: all('torn 512'), log: all('torn 512') },
  { store: all('torn 4096'), log: all('torn 4096') },
  { store: all('garbage'), log: all('garbage') },
  { store: lastKept, log: lastKept },
  { store: all('lost, file grown'), log: all('lost, file grown') },
];

/** An image, and in words what was done to make it. */
export interface DiskImage {
  readonly state: DiskState;
  readonly story: readonly string[];
  /** The same for images that were made the same way. */
  readonly signature: string;
}

/** The image number `variant` of a power cut in this state. */
export function cutPower(state: DiskState, variant: number, random: Random): DiskImage {
  const image = new DiskState();
  const story: string[] = [];
  const fixed = FIXED[variant];
  for (const [index, { durable, pending }] of state.files.entries()) {
    const content = durable.clone();
    image.files.push({ durable: content, pending: [] });
    if (pending.length === 0) continue;
    const pattern = fixed === undefined ? random.pick(PATTERNS) : index === 0 ? fixed.store : fixed.log;
    const fates = pattern(pending.length, random);
    const order = pending.map((_, at) => at);
    if (fixed === undefined && random.chance(0.4)) random.shuffle(order);
    for (const at of order) {
      land(content, pending[at], fates[at], random);
      story.push(`file ${index}: ${describe(pending[at])}: ${fates[at]}`);
    }
  }
  const names = state.pendingNames.length;
  cutNames(
    state,
    image,
    story,
    fixed === undefined ? random.below(names + 1) : variant % 2 === 0 ? names : 0,
  );
  return { state: image, story, signature: story.join('\n') };
}

/** The image that has exactly the operations whose bits are set, counted over all files. */
export function keepSubset(state: DiskState, kept: number, namesKept: boolean): DiskImage {
  const image = new DiskState();
  const story: string[] = [];
  let bit = 0;
  for (const [index, { durable, pending }] of state.files.entries()) {
    const content = durable.clone();
    image.files.push({ durable: content, pending: [] });
    for (const operation of pending) {
      const isKept = (kept & (1 << bit++)) !== 0;
      if (isKept) applyTo(content, operation);
      story.push(`file ${index}: ${describe(operation)}: ${isKept ? 'kept' : 'lost'}`);
    }
  }
  cutNames(state, image, story, namesKept ? state.pendingNames.length : 0);
  return { state: image, story, signature: story.join('\n') };
}

export function pendingCount(state: DiskState): number {
  return state.files.reduce((count, { pending }) => count + pending.length, 0);
}

/** Names change in order, as a journal has them: the first few changes are kept, the others lost. */
function cutNames(state: DiskState, image: DiskState, story: string[], kept: number): void {
  for (const [name, file] of state.names) image.names.set(name, file);
  for (const [at, bind] of state.pendingNames.entries()) {
    const isKept = at < kept;
    if (isKept) bindName(image.names, bind);
    story.push(
      `${bind.file === undefined ? 'removal' : 'making'} of the ${bind.name}: ${isKept ? 'kept' : 'lost'}`,
    );
  }
}

export function describe(operation: ContentOperation): string {
  return operation.kind === 'truncate'
    ? `truncation to ${operation.size}`
    : `write of ${operation.bytes.length} bytes at ${operation.position}`;
}

function land(content: DiskContent, operation: ContentOperation, fate: Fate, random: Random): void {
  if (operation.kind === 'truncate') {
    if (fate !== 'lost' && fate !== 'lost, file grown') content.truncate(operation.size);
    return;
  }
  const end = operation.position + operation.bytes.length;
  switch (fate) {
    case 'kept':
      content.write(operation.position, operation.bytes);
      break;
    case 'lost':
      break;
    case 'lost, file grown':
      if (content.length < end) content.truncate(end);
      break;
    case 'torn 512':
      tear(content, operation, SECTOR_BYTES, random);
      break;
    case 'torn 4096':
      tear(content, operation, BLOCK_BYTES, random);
      break;
    case 'garbage':
      content.write(operation.position, random.bytes(operation.bytes.length));
      break;
    case 'part garbage': {
      const from = random.below(operation.bytes.length);
      const bytes = Uint8Array.prototype.slice.call(operation.bytes);
      bytes.set(random.bytes(random.between(1, bytes.length - from)), from);
      content.write(operation.position, bytes);
      break;
    }
  }
}

/** Keeps some sectors: those up to one, those from one on, or any. */
function tear(content: DiskContent, { position, bytes }: WriteOperation, unit: number, random: Random): void {
  const first = Math.floor(position / unit);
  const last = Math.floor((position + bytes.length - 1) / unit);
  const mode = random.below(3);
  const edge = random.between(first, last);
  for (let sector = first; sector <= last; sector++) {
    const isKept = mode === 0 ? sector < edge : mode === 1 ? sector > edge : random.chance(0.5);
    if (!isKept) continue;
    const from = Math.max(0, sector * unit - position);
    const to = Math.min(bytes.length, (sector + 1) * unit - position);
    content.write(position + from, bytes.subarray(from, to));
  }
}
