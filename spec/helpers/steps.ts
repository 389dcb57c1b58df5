// Steps of work that are told by their number alone, so that one process can take them and another can say
// what the store must hold after the first so many.

import type { Database } from 'btree-store';
import { numbered, patterned } from './bytes.js';
import { ModelBucket } from './model.js';

export const STEP_KINDS = ['puts', 'transactions', 'large values', 'bulk loads'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** The kinds take turns; each has a bucket of its own, named after it. */
export function kindOf(step: number): StepKind {
  return STEP_KINDS[step % STEP_KINDS.length];
}

/** Changes of a step, in order; a value of undefined deletes. All of them are in one commit. */
function changesOf(kind: StepKind, step: number): Array<[key: string, value: Buffer | undefined]> {
  switch (kind) {
    case 'puts':
      return [[numbered(step % 1000), patterned(10 + (step % 90), step)]];
    case 'transactions': {
      const changes: Array<[string, Buffer | undefined]> = [['step', Buffer.from(String(step))]];
      for (let i = 0; i < 300; i++)
        changes.push([numbered((step * 61 + i * 17) % 5000), patterned(200, step + i)]);
      for (let i = 0; i < 100; i++) changes.push([numbered((step * 89 + i * 29) % 5000), undefined]);
      return changes;
    }
    case 'large values':
      return [
        [numbered(step % 20), patterned(4000 + ((step * 7919) % 200_000), step)],
        [numbered((step * 3) % 20), undefined],
      ];
    case 'bulk loads': {
      const changes: Array<[string, Buffer | undefined]> = [];
      for (let i = 0; i < 500; i++) changes.push([numbered(step * 500 + i), patterned(100, step + i)]);
      return changes;
    }
  }
}

/** Takes a step in a store, and resolves once it is committed. */
export async function takeStep(db: Database, step: number): Promise<void> {
  const kind = kindOf(step);
  const changes = changesOf(kind, step);
  const bucket = db.bucket(kind);
  if (kind === 'puts') {
    for (const [key, value] of changes) await bucket.put(key, value ?? '');
    return;
  }
  if (kind === 'bulk loads') {
    const writer = bucket.bulkWriter({ checkpoint: 'steps', atomic: false });
    for (const [key, value] of changes) if (!writer.add(key, value ?? '')) await writer.drained();
    await writer.commit(step);
    await writer.finish();
    return;
  }
  await db.write((tx) => {
    for (const [key, value] of changes) {
      if (value === undefined) tx.bucket(kind).delete(key);
      else tx.bucket(kind).put(key, value);
    }
  });
}

/** What the bucket of a kind holds after the first `steps` steps of all kinds. */
export function modelAfter(kind: StepKind, steps: number): ModelBucket {
  const model = new ModelBucket();
  for (let step = STEP_KINDS.indexOf(kind); step < steps; step += STEP_KINDS.length) {
    for (const [key, value] of changesOf(kind, step)) {
      if (value === undefined) model.delete(key);
      else model.put(key, value);
    }
  }
  return model;
}
