// What a workload wrote, step by step, and how much of it was acknowledged: after a crash the store must be as
// one of the steps from the last acknowledged to the last attempted left it.

import { fromLatin1, latin1 } from '../helpers/bytes.js';
import { bucketHash, type EntryHash, entryHash, StateDigest } from './state-digest.js';

export type Change =
  | { readonly kind: 'put'; readonly bucket: string; readonly key: string; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'delete range'; readonly bucket: string; readonly from: string; readonly to: string }
  | { readonly kind: 'create'; readonly bucket: string }
  | { readonly kind: 'drop'; readonly bucket: string };

interface ModelEntry {
  readonly value: Buffer;
  readonly hash: EntryHash;
}

/** The content after the steps so far. */
export class Model {
  private readonly buckets = new Map<string, Map<string, ModelEntry>>();
  private readonly sums = new StateDigest();

  get digest(): string {
    return this.sums.toString();
  }

  has(bucket: string, key?: string): boolean {
    const entries = this.buckets.get(bucket);
    return key === undefined ? entries !== undefined : (entries?.has(latin1(Buffer.from(key))) ?? false);
  }

  keys(bucket: string): string[] {
    return [...(this.buckets.get(bucket)?.keys() ?? [])].map((key) => fromLatin1(key).toString()).sort();
  }

  names(): string[] {
    return [...this.buckets.keys()];
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'put':
        this.create(change.bucket);
        this.put(change.bucket, Buffer.from(change.key), change.value);
        break;
      case 'delete':
        this.delete(change.bucket, latin1(Buffer.from(change.key)));
        break;
      case 'delete range': {
        const keys = [...(this.buckets.get(change.bucket)?.keys() ?? [])];
        const from = latin1(Buffer.from(change.from));
        const to = latin1(Buffer.from(change.to));
        for (const key of keys) if (key >= from && key < to) this.delete(change.bucket, key);
        break;
      }
      case 'create':
        this.create(change.bucket);
        break;
      case 'drop':
        this.drop(change.bucket);
        break;
    }
  }

  private create(name: string): void {
    if (this.buckets.has(name)) return;
    this.buckets.set(name, new Map());
    this.sums.add(bucketHash(name));
  }

  private drop(name: string): void {
    const entries = this.buckets.get(name);
    if (entries === undefined) return;
    for (const { hash } of entries.values()) this.sums.remove(hash);
    this.sums.remove(bucketHash(name));
    this.buckets.delete(name);
  }

  private put(bucket: string, key: Buffer, value: Buffer): void {
    const name = latin1(key);
    this.delete(bucket, name);
    const hash = entryHash(bucket, key, value);
    this.buckets.get(bucket)?.set(name, { value, hash });
    this.sums.add(hash);
  }

  private delete(bucket: string, key: string): void {
    const entries = this.buckets.get(bucket);
    const entry = entries?.get(key);
    if (entries === undefined || entry === undefined) return;
    this.sums.remove(entry.hash);
    entries.delete(key);
  }
}

/** Told of each step, in line with what the disk does. */
export type OnMark = (kind: 'attempt' | 'acknowledge', step: number) => void;

interface Step {
  readonly digest: string;
  /** The step whose content it began from. */
  readonly parent: number;
  readonly changes: readonly Change[];
}

export class History {
  /** Content after the last step. */
  model = new Model();
  private readonly steps: Step[] = [];
  private readonly onMark: OnMark;
  private acknowledged = -1;

  constructor(onMark: OnMark) {
    this.onMark = onMark;
    this.add(-1, []);
  }

  get last(): number {
    return this.steps.length - 1;
  }

  /** Content after each step. */
  get digests(): string[] {
    return this.steps.map(({ digest }) => digest);
  }

  /** Applies the changes to the model, as one step; returns its number. */
  attempt(changes: readonly Change[]): number {
    for (const change of changes) this.model.apply(change);
    return this.add(this.last, changes);
  }

  acknowledge(step: number): void {
    this.acknowledged = Math.max(this.acknowledged, step);
    this.onMark('acknowledge', step);
  }

  /**
   * The steps after `parent` failed, all but these changes of them: what comes goes on from there, though
   * what failed may yet be found on the disk. Returns the number of the new step.
   */
  branch(parent: number, changes: readonly Change[]): number {
    const path: Step[] = [];
    for (let at = parent; at >= 0; at = this.steps[at].parent) path.push(this.steps[at]);
    this.model = new Model();
    for (const step of path.reverse()) for (const change of step.changes) this.model.apply(change);
    for (const change of changes) this.model.apply(change);
    return this.add(parent, changes);
  }

  /**
   * Goes on from the step that has this content, the last acknowledged or a later one. Returns its number;
   * undefined if there is none.
   */
  settleAt(digest: string): number | undefined {
    const { steps } = this;
    const first = Math.max(0, this.acknowledged);
    for (let step = this.last; step >= first; step--) {
      if (steps[step].digest !== digest) continue;
      if (this.model.digest !== digest) this.branch(step, []);
      return step;
    }
    return undefined;
  }

  private add(parent: number, changes: readonly Change[]): number {
    this.steps.push({ digest: this.model.digest, parent, changes });
    this.onMark('attempt', this.last);
    return this.last;
  }
}
