// Tells a story to a store and to its model at once, and compares what both say.

import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type {
  Bucket,
  Database,
  Entry,
  RangeOptions,
  ReadableBucket,
  Snapshot,
  WriteTransaction,
} from 'btree-store';
import { expect } from 'chai';
import { expectEntries, fromLatin1, keyOf, numbered, patterned, type ValueShape } from './bytes.js';
import { type ModelBucket, ModelStore } from './model.js';
import { copies, FACES } from './ranges.js';
import type { Stores } from './store.js';
import {
  BUCKETS,
  type Many,
  type Place,
  type RangeShape,
  type ReadStep,
  type SingleStep,
  type Step,
  type TransactionStep,
} from './story-steps.js';

const FACE_NAMES = Object.keys(FACES);
/** Iterations under way at once, and snapshots held. */
const HELD_MAX = 12;

/** An iteration that goes on through later steps, and what it must see. */
interface Iteration {
  next(): Promise<readonly Entry[] | undefined>;
  leave(): Promise<void>;
  readonly expected: readonly Entry[];
  seen: number;
}

interface Held {
  readonly snapshot: Snapshot;
  readonly model: ModelStore;
}

export class Story {
  private readonly stores: Stores;
  private readonly openAgain: (file: string) => Promise<Database>;
  private readonly keyBytesMax: number;
  private db: Database;
  private model = new ModelStore();
  private held: Held[] = [];
  private iterations: Iteration[] = [];

  /** `openAgain` opens the store's file after it was closed. */
  constructor(stores: Stores, db: Database, openAgain: (file: string) => Promise<Database>) {
    this.stores = stores;
    this.db = db;
    this.openAgain = openAgain;
    this.keyBytesMax = db.stats().pageSize >>> 2;
  }

  /** Takes every step, compares everything at the end, and closes the store, checked. */
  async tell(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.take(step);
    await this.end();
  }

  private async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
      case 'update':
      case 'delete':
        return this.takeSingle(step);
      case 'get':
      case 'range':
      case 'iterate':
        return this.read(this.db.bucket(step.name), this.model.read(step.name), step);
      case 'together':
        // Each is settled by the model as it is made: they are applied in the order of the calls.
        await Promise.all(step.steps.map((one) => this.takeSingle(one)));
        return;
      case 'transaction':
        return this.transact(step.steps, step.end);
      case 'load':
        return this.load(step);
      case 'create':
      case 'drop':
        return this.createOrDrop(step.do, step.name);
      case 'hold':
        if (this.held.length < HELD_MAX)
          this.held.push({ snapshot: this.db.snapshot(), model: this.model.clone() });
        return;
      case 'let go':
        return this.letGo(step.at);
      case 'go on':
        return this.goOn(step.count);
      case 'leave':
        return this.leave(step.at);
      case 'reopen':
        return this.reopen();
      case 'check':
        expect((await this.db.check()).problems).to.deep.equal([]);
        return;
      case 'compact':
        await this.db.compact();
        return;
    }
  }

  private async takeSingle(step: SingleStep): Promise<void> {
    const bucket = this.db.bucket(step.name);
    const key = this.keyAt(step.key, this.model.read(step.name));
    if (step.do === 'put') {
      this.model.write(step.name).put(key, bytesOf(step.value));
      await bucket.put(key, bytesOf(step.value));
    } else if (step.do === 'update') {
      const expected = this.model.read(step.name).update(key, bytesOf(step.value));
      expect(await bucket.update(key, bytesOf(step.value))).to.equal(expected);
    } else {
      const expected = this.model.read(step.name).delete(key);
      expect(await bucket.delete(key)).to.equal(expected);
    }
  }

  private async read(bucket: ReadableBucket, model: ModelBucket, step: ReadStep): Promise<void> {
    if (step.do === 'get') {
      const key = this.keyAt(step.key, model);
      const expected = model.get(key);
      const found = bucket.get(key);
      expect(found === undefined ? undefined : found.equals(expected ?? Buffer.from('none'))).to.equal(
        expected === undefined ? undefined : true,
      );
      expect(bucket.has(key)).to.equal(expected !== undefined);
      if (expected !== undefined) {
        const streamed = Buffer.concat(await bucket.createValueReadStream(key).toArray());
        expect(streamed.equals(expected)).to.equal(true);
      }
      return;
    }
    const options = this.rangeOf(step.range, model);
    const expected = model.range(options);
    if (step.do === 'iterate') {
      if (this.iterations.length >= HELD_MAX) return;
      const begun = iteration(bucket, options, step.how, expected);
      this.iterations.push(begun);
      // An asynchronous one is of the commit at its first step.
      if (step.how === 'async') await this.step(begun);
      return;
    }
    expect(bucket.range(options).count()).to.equal(expected.length);
    const face = FACE_NAMES[step.face % FACE_NAMES.length];
    expectEntries(await FACES[face](bucket.range(options)), expected, face);
  }

  private async transact(
    steps: readonly TransactionStep[],
    end: 'commit' | 'rollback' | 'throw',
  ): Promise<void> {
    const before = this.model.clone();
    const stop = new Error('stop');
    const run = async (tx: WriteTransaction): Promise<void> => {
      for (const step of steps) await this.takeInside(tx, step);
      // Nobody else sees it yet.
      for (const name of BUCKETS) {
        expect(this.db.bucket(name).range().count()).to.equal(before.read(name).size);
        expect(tx.bucket(name).range().count()).to.equal(this.model.read(name).size);
      }
      if (end === 'throw') throw stop;
      if (end === 'rollback') await tx.rollback();
    };
    let thrown: unknown;
    await this.db.write(run).catch((error: unknown) => {
      thrown = error;
    });
    if (thrown !== undefined && thrown !== stop) throw thrown;
    if (end !== 'commit') this.model = before;
    this.compareCounts();
  }

  private async takeInside(tx: WriteTransaction, step: TransactionStep): Promise<void> {
    switch (step.do) {
      case 'put': {
        const key = this.keyAt(step.key, this.model.read(step.name));
        tx.bucket(step.name).put(key, bytesOf(step.value));
        this.model.write(step.name).put(key, bytesOf(step.value));
        return;
      }
      case 'update': {
        const key = this.keyAt(step.key, this.model.read(step.name));
        const expected = this.model.read(step.name).update(key, bytesOf(step.value));
        expect(tx.bucket(step.name).update(key, bytesOf(step.value))).to.equal(expected);
        return;
      }
      case 'delete': {
        const key = this.keyAt(step.key, this.model.read(step.name));
        expect(tx.bucket(step.name).delete(key)).to.equal(this.model.read(step.name).delete(key));
        return;
      }
      case 'deleteRange': {
        const options = this.rangeOf(step.range, this.model.read(step.name));
        const gone = this.model.read(step.name).range(options);
        for (const [key] of gone) this.model.read(step.name).delete(key);
        expect(tx.bucket(step.name).deleteRange(options)).to.equal(gone.length);
        return;
      }
      case 'create':
        if (!this.model.has(step.name)) tx.createBucket(step.name);
        this.model.write(step.name);
        return;
      case 'drop':
        expect(tx.dropBucket(step.name)).to.equal(this.model.drop(step.name));
        return;
      case 'putMany':
        for (const [key, value] of this.entriesOf(step)) {
          tx.bucket(step.name).put(key, value);
          this.model.write(step.name).put(key, value);
        }
        return;
      case 'go on':
        return this.goOn(step.count);
      default:
        return this.read(tx.bucket(step.name), this.model.read(step.name), step);
    }
  }

  private async load(step: Extract<Step, { do: 'load' }>): Promise<void> {
    const { sorted, onDuplicate, commitEntries, atomic, fillFactor } = step;
    const commitEvery = commitEntries === undefined ? {} : { commitEvery: { entries: commitEntries } };
    const bucket: Bucket = this.db.bucket(step.name);
    const writer = bucket.bulkWriter({ sorted, onDuplicate, atomic, fillFactor, ...commitEvery });
    const entries = this.entriesOf(step);
    for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
    let committed = entries.length;
    if (step.end === 'finish') {
      const report = await writer.finish();
      expect(report.entries).to.equal(entries.length);
      expect(report.entriesCommitted).to.equal(entries.length);
    } else {
      writer.destroy();
      await new Promise((resolve) => writer.once('close', resolve));
      committed = writer.report().entriesCommitted;
      if (atomic) expect(committed).to.equal(0);
    }
    for (const [key, value] of entries.slice(0, committed)) {
      const model = this.model.write(step.name);
      if (onDuplicate === 'replace' || !model.has(key)) model.put(key, value);
    }
    this.compareCounts();
  }

  private entriesOf({
    first,
    count,
    prefix,
    length,
    salt,
    shuffled,
  }: Many): Array<[key: string, value: Buffer]> {
    const step = shuffled ? 7919 : 1;
    return Array.from({ length: count }, (_, i) => {
      const index = first + ((i * step) % count);
      return [numbered(index, 'p'.repeat(prefix)), patterned(length + (index % 7), index + salt)];
    });
  }

  private async createOrDrop(what: 'create' | 'drop', name: string): Promise<void> {
    if (what === 'drop') {
      expect(await this.db.dropBucket(name)).to.equal(this.model.drop(name));
      return;
    }
    if (this.model.has(name)) return;
    await this.db.createBucket(name);
    this.model.write(name);
  }

  private async letGo(at: number): Promise<void> {
    if (this.held.length === 0) return;
    const [{ snapshot, model }] = this.held.splice(at % this.held.length, 1);
    expect([...snapshot.buckets()]).to.deep.equal(model.infos());
    for (const name of BUCKETS)
      expectEntries(snapshot.bucket(name).range().toArray(), model.read(name).range(), `snapshot of ${name}`);
    snapshot.release();
  }

  private async goOn(count: number): Promise<void> {
    for (const iteration of [...this.iterations]) {
      const until = iteration.seen + count;
      while (iteration.seen < until) if (!(await this.step(iteration))) break;
    }
  }

  /** Takes a step in an iteration; false at its end, where all must have been seen. */
  private async step(iteration: Iteration): Promise<boolean> {
    const entries = await iteration.next();
    if (entries === undefined) {
      expect(iteration.seen).to.equal(iteration.expected.length);
      this.iterations = this.iterations.filter((other) => other !== iteration);
      return false;
    }
    const expected = iteration.expected.slice(iteration.seen, iteration.seen + entries.length);
    expectEntries(entries, expected, `iteration at ${iteration.seen}`);
    iteration.seen += entries.length;
    return true;
  }

  private async leave(at: number): Promise<void> {
    if (this.iterations.length === 0) return;
    const [iteration] = this.iterations.splice(at % this.iterations.length, 1);
    await iteration.leave();
  }

  private async reopen(): Promise<void> {
    if (this.db.path === ':memory:') return;
    await this.finishReaders();
    const { path } = this.db;
    await this.stores.close(this.db);
    this.db = await this.openAgain(path);
    expect(this.db.recovery.clean).to.equal(true);
    this.compareCounts();
  }

  private async finishReaders(): Promise<void> {
    while (this.iterations.length > 0) await this.goOn(1000);
    while (this.held.length > 0) await this.letGo(0);
  }

  private compareCounts(): void {
    expect([...this.db.buckets()]).to.deep.equal(this.model.infos());
  }

  private async end(): Promise<void> {
    await this.finishReaders();
    this.compareCounts();
    for (const name of BUCKETS) {
      expectEntries(this.db.bucket(name).range().toArray(), this.model.read(name).range(), name);
      const backwards = this.db.bucket(name).range({ reverse: true });
      expectEntries(backwards.toArray(), this.model.read(name).range({ reverse: true }), `${name} reversed`);
    }
    await this.stores.close(this.db);
  }

  private keyAt(place: Place, model: ModelBucket): Buffer {
    if ('shape' in place) return keyOf(place.shape, this.keyBytesMax);
    const existing = model.keys();
    return existing.length === 0 ? Buffer.from('none') : fromLatin1(existing[place.at % existing.length]);
  }

  private rangeOf(range: RangeShape, model: ModelBucket): RangeOptions {
    const { gt, gte, lt, lte, prefix, ...rest } = range;
    const options: Record<string, unknown> = { ...rest };
    for (const [option, place] of Object.entries({ gt, gte, lt, lte }))
      if (place !== undefined) options[option] = this.keyAt(place, model);
    if (prefix !== undefined) options.prefix = keyOf(prefix, this.keyBytesMax);
    return options;
  }
}

function bytesOf({ length, salt }: ValueShape): Buffer {
  return patterned(length, salt);
}

function iteration(
  bucket: ReadableBucket,
  options: RangeOptions,
  how: 'sync' | 'async' | 'batches' | 'stream',
  expected: readonly Entry[],
): Iteration {
  const range = bucket.range(options);
  if (how === 'stream') {
    const stream: Readable = range.toReadable();
    // A stream takes its snapshot with its first read.
    stream.read(0);
    const iterator = stream[Symbol.asyncIterator]();
    const steps = iterationOf(expected, iterator, (entry: Entry) => [entry]);
    // The stream's iterator does not end the stream where it was never asked for an entry.
    const leave = async () => {
      if (stream.closed) return;
      const closed = once(stream, 'close');
      stream.destroy();
      await closed;
    };
    return { ...steps, leave };
  }
  if (how === 'batches') return iterationOf(expected, range.batches()[Symbol.iterator](), copies);
  const iterator = how === 'sync' ? range[Symbol.iterator]() : range[Symbol.asyncIterator]();
  return iterationOf(expected, iterator, (entry: Entry) => copies([entry]));
}

function iterationOf<T>(
  expected: readonly Entry[],
  iterator: Iterator<T> | AsyncIterator<T>,
  entriesOf: (item: T) => Entry[],
): Iteration {
  return {
    expected,
    seen: 0,
    next: async () => {
      const next = await iterator.next();
      return next.done === true ? undefined : entriesOf(next.value);
    },
    leave: async () => {
      await iterator.return?.();
    },
  };
}
