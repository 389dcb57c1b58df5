// A workload at work: each call changes the store and the model alike, and notes when the store acknowledged it.

import type { Database, WriteTransaction } from 'btree-store';
import type { Random } from '../helpers/random.js';
import type { SessionOptions } from './disk-session.js';
import { type Change, History } from './history.js';
import { Violation } from './oracle.js';
import { digestOf } from './state-digest.js';

/** What is under a workload: opens its store, and can kill whoever uses it. */
export interface Ground {
  open(readOnly: boolean): Promise<Database>;
  /** As if the process were killed: what it had written stays. */
  kill(): void;
  mark(kind: 'attempt' | 'acknowledge', step: number): void;
  /** Where backups are made, if it is to be told. */
  readonly copyPath?: string;
  /** A backup of this content was begun, or is done. */
  markCopy?(digest: string, done: boolean): void;
}

/** Told of every error that a workload which goes on all the same has met. */
export type OnError = (error: unknown, during: string) => void;

/** Raised by a workload that cannot go on: its store could not be opened again. */
export class Stopped extends Error {}

export class WorkloadRun {
  readonly ground: Ground;
  readonly random: Random;
  readonly history: History;
  private readonly options: SessionOptions;
  private readonly onError: OnError | undefined;
  private opened: Database | undefined;
  private values = 0;
  /** Met since the store was opened. */
  private errors = 0;

  /** With `onError` the workload goes on after errors, and the model as what was acknowledged. */
  constructor(ground: Ground, random: Random, options: SessionOptions, onError?: OnError) {
    this.ground = ground;
    this.random = random;
    this.options = options;
    this.onError = onError;
    this.history = new History((kind, step) => ground.mark(kind, step));
  }

  get db(): Database {
    if (this.opened === undefined) throw new Error('the workload has not opened its store');
    return this.opened;
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  /** A value of so many bytes that no other call returns. */
  value(bytes: number): Buffer {
    this.values++;
    return Buffer.alloc(bytes, `${this.values}.`);
  }

  putOf(bucket: string, key: string, bytes: number): Change {
    return { kind: 'put', bucket, key, value: this.value(bytes) };
  }

  async open(): Promise<void> {
    // A fault that comes once is gone the second time.
    const db = await this.tried('opening', () => this.ground.open(false));
    this.opened = db ?? (await this.tried('opening again', () => this.ground.open(false)));
    if (this.opened === undefined) throw new Stopped('the store cannot be opened');
    this.errors = 0;
    this.settle();
    this.history.acknowledge(this.history.last);
  }

  /** After errors the store may be at any step since the last acknowledged: the model takes what it shows. */
  private settle(): void {
    if (this.onError === undefined) {
      this.expectModel('after opening');
      return;
    }
    const found = this.tellDigest();
    if (found !== undefined && this.history.settleAt(found) === undefined)
      throw new Violation(`after opening it has ${found}, which no step has that it may be at`);
  }

  private tellDigest(): string | undefined {
    try {
      return digestOf(this.db);
    } catch (error) {
      if (this.onError === undefined) throw error;
      this.errors++;
      this.onError(error, 'reading all');
      return undefined;
    }
  }

  async close(): Promise<boolean> {
    const { db } = this;
    this.opened = undefined;
    const closed = await this.tried('closing', async () => {
      await db.close();
      return true;
    });
    // Also what was not promised to be durable is, once the store was closed; after a failed sync, who knows.
    if (closed === true && this.errors === 0) this.history.acknowledge(this.history.last);
    return closed === true;
  }

  /** The process that had the store open is gone. */
  forgetStore(): void {
    this.opened = undefined;
  }

  /** The end of a workload: what it left is there, and is closed. */
  async finish(): Promise<void> {
    this.expectModel('at the end');
    await this.close();
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  /** The process is killed, which takes nothing from what it had written, and another one opens the store. */
  async abandonAndReopen(): Promise<void> {
    // What was not promised to be durable would be gone.
    if (this.options.durable === false) return this.reopen();
    this.opened = undefined;
    this.ground.kill();
    await this.open();
  }

  /** Opens the store read-only and looks at all of it. */
  async look(): Promise<void> {
    await this.close();
    await this.tried('looking at it read-only', async () => {
      const db = await this.ground.open(true);
      let found: string;
      try {
        found = digestOf(db);
      } finally {
        await db.close();
      }
      if (this.onError === undefined && found !== this.history.model.digest)
        throw new Violation(`read-only it has ${found}`);
    });
    await this.open();
  }

  private async tried<T>(during: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (this.onError === undefined || error instanceof Violation || error instanceof Stopped) throw error;
      this.errors++;
      this.onError(error, during);
      return undefined;
    }
  }

  async put(bucket: string, key: string, bytes: number): Promise<boolean> {
    return this.single(this.putOf(bucket, key, bytes));
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.single({ kind: 'delete', bucket, key });
  }

  private single(change: Change): Promise<boolean> {
    return this.attempt([change], () => this.issue(change));
  }

  /** Writes that arrive together, so that they share commits. */
  async together(changes: readonly Change[]): Promise<void> {
    await this.attemptEach(
      changes.map((change) => ({ changes: [change], action: () => this.issue(change) })),
    );
  }

  private async issue(change: Change): Promise<void> {
    const bucket = this.db.bucket(change.bucket);
    if (change.kind === 'put') await bucket.put(change.key, change.value);
    else if (change.kind === 'delete') await bucket.delete(change.key);
    else await this.db.write((tx) => applyChange(tx, change));
  }

  /** All changes in one transaction. */
  async write(changes: readonly Change[]): Promise<void> {
    await this.attempt(changes, () =>
      this.db.write((tx) => {
        for (const change of changes) applyChange(tx, change);
      }),
    );
  }

  /** A transaction that is rolled back in the end. */
  async rollBack(changes: readonly Change[]): Promise<void> {
    await this.tried('a transaction to be rolled back', async () => {
      const tx = await this.db.begin();
      try {
        for (const change of changes) applyChange(tx, change);
      } finally {
        await tx.rollback();
      }
    });
    this.expectModel('after a rollback');
  }

  async compact(): Promise<void> {
    await this.tried('compaction', () => this.db.compact());
    this.expectModel('after compaction');
  }

  async backup(): Promise<void> {
    const { ground, history } = this;
    const { digest } = history.model;
    ground.markCopy?.(digest, false);
    const done = await this.tried('a backup', async () => {
      await this.db.backup(ground.copyPath ?? 'copy');
      return true;
    });
    if (done === true) ground.markCopy?.(digest, true);
  }

  /** A sorted load, committed after each of the groups of puts. */
  async bulk(bucket: string, groups: readonly (readonly PutChange[])[]): Promise<void> {
    await this.tried('a load', async () => {
      const writer = this.db.bucket(bucket).bulkWriter();
      for (const group of groups) {
        const done = await this.attempt(group, async () => {
          for (const { key, value } of group) if (!writer.add(key, value)) await writer.drained();
          await writer.commit();
        });
        if (!done) return;
      }
      await writer.finish();
    });
  }

  /** A load that is to be seen as a whole or not at all. */
  async bulkAtomic(bucket: string, puts: readonly PutChange[]): Promise<void> {
    await this.attempt(puts, async () => {
      const writer = this.db.bucket(bucket).bulkWriter({ atomic: true });
      for (const { key, value } of puts) if (!writer.add(key, value)) await writer.drained();
      await writer.finish();
    });
  }

  /** As `bulkAtomic`, with `beside` done after each quarter of it. */
  async bulkAtomicBeside(
    bucket: string,
    puts: readonly PutChange[],
    beside: () => Promise<unknown>,
  ): Promise<void> {
    // A store that has failed refuses to begin one.
    const writer = await this.tried('a load', async () =>
      this.db.bucket(bucket).bulkWriter({ atomic: true }),
    );
    if (writer === undefined) return;
    const taken = await this.tried('a load', async () => {
      for (const [i, { key, value }] of puts.entries()) {
        if (!writer.add(key, value)) await writer.drained();
        if (i % (puts.length >>> 2) === 1) await beside();
      }
      return true;
    });
    if (taken === true) await this.attempt(puts, () => writer.finish());
  }

  /** A load that commits on its own, at places that only it knows. */
  async bulkPeriodic(bucket: string, puts: readonly PutChange[]): Promise<void> {
    const before = this.history.last;
    let last = before;
    const finished = await this.tried('a load', async () => {
      const writer = this.db.bucket(bucket).bulkWriter({ commitEvery: { entries: 1 } });
      for (const put of puts) {
        last = this.history.attempt([put]);
        if (!writer.add(put.key, put.value)) await writer.drained();
      }
      await writer.finish();
      return true;
    });
    if (finished === true) this.acknowledge(last);
    else this.afterPart(before, puts);
  }

  /** Some of the puts, the first so many, were committed before an error: as many as the store shows. */
  private afterPart(before: number, puts: readonly PutChange[]): void {
    const found = this.tellDigest();
    if (found === undefined) return;
    const step = this.history.settleAt(found);
    if (step === undefined)
      throw new Violation(
        `after a load of ${puts.length} that failed it has ${found}, which is no part of it`,
      );
    // What came after it failed, and may yet be found.
    if (step > before) this.acknowledge(step);
  }

  /** A value that comes as a stream, in pieces, with other work done before the last of them. */
  async stream(bucket: string, key: string, bytes: number, beside?: () => Promise<void>): Promise<void> {
    await this.tried('a value as a stream', () => this.streamValue(bucket, key, bytes, beside));
  }

  private async streamValue(
    bucket: string,
    key: string,
    bytes: number,
    beside: (() => Promise<void>) | undefined,
  ): Promise<void> {
    const stream = this.db.bucket(bucket).createValueWriteStream(key);
    const done = new Promise<void>((resolve, reject) => {
      stream.once('error', reject);
      stream.once('close', resolve);
    });
    // It may fail before its end is waited for.
    done.catch(() => undefined);
    const value = this.value(bytes);
    const last = Math.floor(bytes / 2);
    for (let at = 0; at < last; at += 30_000) stream.write(value.subarray(at, Math.min(last, at + 30_000)));
    await beside?.();
    await this.attempt([{ kind: 'put', bucket, key, value }], async () => {
      stream.end(value.subarray(last));
      await done;
    });
  }

  /** Runs `work` while a snapshot is held, which must not change. */
  async whileHeld(work: () => Promise<void>): Promise<void> {
    const snapshot = this.db.snapshot();
    const tell = (): Promise<string | undefined> =>
      this.tried('reading a snapshot', async () => digestOf(snapshot));
    const expected = await tell();
    await work();
    const found = await tell();
    snapshot.release();
    if (expected !== undefined && found !== undefined && found !== expected)
      throw new Violation(`a snapshot had ${expected} and has ${found}`);
  }

  private attempt(changes: readonly Change[], action: () => Promise<unknown>): Promise<boolean> {
    return this.attemptEach([{ changes, action }]);
  }

  /**
   * Attempts that are under way at the same time, in this order. Returns whether all were acknowledged;
   * where one was not, nothing of it may be seen, and all of the others must be.
   */
  private async attemptEach(attempts: readonly Attempt[]): Promise<boolean> {
    const before = this.history.last;
    const steps = attempts.map(({ changes }) => this.history.attempt(changes));
    const acknowledged = new Set<Attempt>();
    const run = async (attempt: Attempt, step: number): Promise<void> => {
      await attempt.action();
      acknowledged.add(attempt);
      // Where one before it may fail, this step's content is not what the store has.
      if (this.onError === undefined) this.acknowledge(step);
    };
    await Promise.all(
      attempts.map((attempt, i) => this.tried('a write', () => run(attempt, steps[i])).then(() => undefined)),
    );
    if (this.onError === undefined) return true;
    const all = acknowledged.size === attempts.length;
    if (all) this.acknowledge(this.history.last);
    else {
      const kept = attempts.filter((attempt) => acknowledged.has(attempt));
      const step = this.history.branch(
        before,
        kept.flatMap(({ changes }) => changes),
      );
      if (kept.length > 0) this.acknowledge(step);
      this.expectModel('after a write that failed');
    }
    return all;
  }

  private acknowledge(step: number): void {
    if (this.options.durable !== false) this.history.acknowledge(step);
  }

  expectModel(when: string): void {
    const found = this.tellDigest();
    const { digest } = this.history.model;
    if (found !== undefined && found !== digest)
      throw new Violation(`${when} the store has ${found}, the model ${digest}`);
  }
}

interface Attempt {
  readonly changes: readonly Change[];
  readonly action: () => Promise<unknown>;
}

export type PutChange = Extract<Change, { kind: 'put' }>;

export function applyChange(tx: WriteTransaction, change: Change): void {
  switch (change.kind) {
    case 'put':
      tx.bucket(change.bucket).put(change.key, change.value);
      break;
    case 'delete':
      tx.bucket(change.bucket).delete(change.key);
      break;
    case 'delete range':
      tx.bucket(change.bucket).deleteRange({ gte: change.from, lt: change.to });
      break;
    case 'create':
      tx.createBucket(change.bucket);
      break;
    case 'drop':
      tx.dropBucket(change.bucket);
      break;
  }
}
