// Steps of work that are told by their number alone, so that one process can take them and another can say
// what the store must hold after the first so many.

import type { Database } from 'btree-store';
import { numbered, patterned } from './bytes.js';
import { ModelBucket } from './model.js';

export const STEP_KINDS = ['puts', 'transactions', 'large values', 'bulk loads'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export function isStepKind(kind: string): kind is StepKind {
  return (STEP_KINDS as readonly string[]).includes(kind);
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
export async function takeStep(db: Database, kind: StepKind, step: number): Promise<void> {
  const changes = changesOf(kind, step);
  const bucket = db.bucket('b');
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
      if (value === undefined) tx.bucket('b').delete(key);
      else tx.bucket('b').put(key, value);
    }
  });
}

/** What the bucket holds after the first `steps` steps. */
export function modelAfter(kind: StepKind, steps: number): ModelBucket {
  const model = new ModelBucket();
  for (let step = 0; step < steps; step++) {
    for (const [key, value] of changesOf(kind, step)) {
      if (value === undefined) model.delete(key);
      else model.put(key, value);
    }
  }
  return model;
}
