// The readers of a long story that outlast writes: iterations that go on, and snapshots that are held.

import type { Bucket, Snapshot } from 'btree-store';
import { type Bounds, expectEnd, follow, type Iteration, iterationOf, optionsOf } from './iteration.js';
import type { SortedModel } from './sorted-model.js';

/** Iterations and snapshots that are held at once. */
const HELD_MAX = 8;
const HOW = 'an iteration beside writes';

export interface Held<M> {
  readonly snapshot: Snapshot;
  readonly models: M;
}

/** `M`: what a snapshot must be as. */
export class StoryReaders<M> {
  private readonly snapshots: Held<M>[] = [];
  private iterations: Iteration[] = [];

  get iterationCount(): number {
    return this.iterations.length;
  }

  get snapshotCount(): number {
    return this.snapshots.length;
  }

  /** Begins an iteration that goes on while others write. It is of the commit at its first step, which is taken here. */
  async begin(bucket: Bucket, bounds: Bounds, model: SortedModel): Promise<void> {
    if (this.iterations.length >= HELD_MAX) return;
    const iterator = bucket.range(optionsOf(bounds))[Symbol.asyncIterator]();
    const iteration = iterationOf(bounds, model.clone(), iterator);
    this.iterations.push(iteration);
    await this.step(iteration);
  }

  async goOn(steps: number): Promise<void> {
    for (const iteration of [...this.iterations])
      for (let i = 0; i <= steps && (await this.step(iteration)); i++);
  }

  /** Returns whether the iteration goes on. */
  private async step(iteration: Iteration): Promise<boolean> {
    const next = await iteration.iterator.next();
    if (next.done !== true) {
      follow(iteration, next.value, HOW);
      return true;
    }
    expectEnd(iteration, HOW);
    this.iterations = this.iterations.filter((other) => other !== iteration);
    return false;
  }

  async leave(): Promise<void> {
    await this.iterations.shift()?.iterator.return?.();
  }

  hold(take: () => Held<M>): void {
    if (this.snapshots.length < HELD_MAX) this.snapshots.push(take());
  }

  /** The snapshot that has been held longest, to be compared and released. */
  letGo(): Held<M> | undefined {
    return this.snapshots.shift();
  }
}
