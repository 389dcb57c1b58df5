// A story without end, told to a store and to sorted maps: single writes, groups, transactions, deleted ranges, loads,
// streamed values, ranges by every face, iterations and snapshots that outlast writes, compaction, reopening.

import { pipeline } from 'node:stream/promises';
import { type Bucket, type Database, open, type ReadableBucket, type WriteTransaction } from 'btree-store';
import { Violation } from '../crash/oracle.js';
import type { Random } from '../helpers/random.js';
import { FACES } from '../helpers/ranges.js';
import { type Bounds, expectEnd, follow, iterationOf, optionsOf } from './iteration.js';
import { KEYS, keyOf, SortedModel, seededValue } from './sorted-model.js';
import { StoryReaders } from './story-readers.js';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
type Models = Record<Name, SortedModel>;
const FACE_LIST = Object.entries(FACES);

export class LongStory {
  operations = 0;
  reopenings = 0;
  commits = 0;
  private readonly path: string;
  private readonly random: Random;
  private opened: Database | undefined;
  private models: Models = { a: new SortedModel(), b: new SortedModel(), c: new SortedModel() };
  private readonly readers = new StoryReaders<Models>();
  private seed = 0;

  constructor(path: string, random: Random) {
    this.path = path;
    this.random = random;
  }

  private get db(): Database {
    if (this.opened === undefined) throw new Error('the story was not begun');
    return this.opened;
  }

  /** Goes on for so many operations at least. Raises a Violation where store and model differ. */
  async tell(operations: number): Promise<void> {
    this.opened ??= await this.openAgain();
    const end = this.operations + operations;
    while (this.operations < end) await this.step();
  }

  /** Lets all readers go, compares everything, checks the file and closes it. */
  async rest(): Promise<void> {
    while (this.readers.iterationCount > 0) await this.readers.goOn(KEYS);
    while (this.readers.snapshotCount > 0) this.letGo();
    for (const name of NAMES) this.compare(this.db.bucket(name), this.models[name]);
    const report = await this.db.check();
    if (!report.ok) throw new Violation(`its check: ${JSON.stringify(report.problems.slice(0, 5))}`);
    const { snapshots } = this.db.stats();
    if (snapshots > 0) throw new Violation(`${snapshots} readers were never let go`);
    await this.db.close();
    this.opened = undefined;
  }

  private async openAgain(): Promise<Database> {
    this.reopenings++;
    const { random } = this;
    const db = await open(this.path, {
      cacheBytes: random.pick([1, 1 << 20, 16 << 20]),
      durability: random.chance(0.3) ? 'commit' : 'none',
    });
    let last = 0;
    db.commits$.subscribe(({ sequence }) => {
      if (sequence <= last) throw new Violation(`commit ${sequence} was told after ${last}`);
      last = sequence;
      this.commits++;
    });
    return db;
  }

  private async step(): Promise<void> {
    const { random } = this;
    const draw = random.below(1000);
    if (draw < 250) return this.single();
    if (draw < 400) return this.read();
    if (draw < 500) return this.range();
    if (draw < 560) return this.group();
    if (draw < 720) return this.transact();
    if (draw < 740) return this.load();
    if (draw < 750) return this.stream();
    if (draw < 960) return this.goOn(draw);
    if (draw < 990) return this.letGo();
    if (draw < 994) return this.comeAndGo();
    this.operations++;
    if (draw < 997) await this.readers.leave();
    else if (draw < 998) await this.db.compact();
    else if (random.chance(0.1)) {
      await this.rest();
      this.opened = await this.openAgain();
    }
  }

  private name(): Name {
    return this.random.pick(NAMES);
  }

  private key(): number {
    return this.random.below(KEYS);
  }

  private put(
    bucket: { put(key: string, value: Uint8Array): unknown },
    model: SortedModel,
    index: number,
  ): unknown {
    this.operations++;
    model.set(index, ++this.seed);
    return bucket.put(keyOf(index), seededValue(this.seed));
  }

  private async single(): Promise<void> {
    const name = this.name();
    const index = this.key();
    const bucket = this.db.bucket(name);
    if (this.random.chance(0.6)) await this.put(bucket, this.models[name], index);
    else await this.delete(bucket, this.models[name], index);
  }

  private async delete(bucket: Bucket, model: SortedModel, index: number): Promise<void> {
    this.operations++;
    const expected = model.delete(index);
    if ((await bucket.delete(keyOf(index))) !== expected)
      throw new Violation(`key ${index} was there or was not`);
  }

  /** Writes that arrive together. */
  private async group(): Promise<void> {
    const name = this.name();
    const bucket = this.db.bucket(name);
    await Promise.all(
      Array.from({ length: this.random.between(2, 25) }, () =>
        this.random.chance(0.6)
          ? this.put(bucket, this.models[name], this.key())
          : this.delete(bucket, this.models[name], this.key()),
      ),
    );
  }

  private read(): void {
    for (let i = 0; i < 10; i++) {
      const name = this.name();
      this.compareOne(this.db.bucket(name), this.models[name], this.key());
    }
  }

  private compareOne(bucket: ReadableBucket, model: SortedModel, index: number): void {
    this.operations++;
    const seed = model.get(index);
    const found = bucket.get(keyOf(index));
    const isSame = seed === 0 ? found === undefined : found?.equals(seededValue(seed)) === true;
    if (!isSame) throw new Violation(`the value of key ${index} is not the one of seed ${seed}`);
  }

  private bounds(): Bounds {
    const first = this.key();
    const wide = this.random.chance(0.05);
    const last = Math.min(KEYS - 1, first + this.random.below(wide ? KEYS : 120));
    const limit = this.random.chance(0.3) ? this.random.below(30) : KEYS;
    return { first, last, reverse: this.random.chance(0.4), limit };
  }

  private async range(): Promise<void> {
    this.operations++;
    const name = this.name();
    const bounds = this.bounds();
    const [face, entriesOf] = this.random.pick(FACE_LIST);
    const range = this.db.bucket(name).range(optionsOf(bounds));
    const iteration = iterationOf(bounds, this.models[name]);
    for (const entry of await entriesOf(range)) follow(iteration, entry, face);
    expectEnd(iteration, face);
  }

  /** Readers come, or go on beside the writes since. */
  private async goOn(draw: number): Promise<void> {
    const { readers, models } = this;
    this.operations++;
    if (draw < 810) {
      const name = this.name();
      await readers.begin(this.db.bucket(name), this.bounds(), models[name]);
    } else if (draw < 930) {
      this.operations += readers.iterationCount;
      await readers.goOn(this.random.below(60));
    } else readers.hold(() => ({ snapshot: this.db.snapshot(), models: cloneAll(models) }));
  }

  private letGo(): void {
    this.operations++;
    const held = this.readers.letGo();
    if (held === undefined) return;
    const name = this.name();
    const [bucket, model] = [held.snapshot.bucket(name), held.models[name]];
    if (this.random.chance(0.1)) this.compare(bucket, model);
    else for (let i = 0; i < 20; i++) this.compareOne(bucket, model, this.key());
    held.snapshot.release();
  }

  private compare(bucket: ReadableBucket, model: SortedModel): void {
    this.operations++;
    if (bucket.range().count() !== model.size)
      throw new Violation(`it counts ${bucket.range().count()}, not ${model.size}`);
    const iteration = iterationOf({ first: 0, last: KEYS - 1, reverse: false, limit: KEYS }, model);
    for (const entry of bucket.range()) follow(iteration, entry, 'all of a bucket');
    expectEnd(iteration, 'all of a bucket');
  }

  private async transact(): Promise<void> {
    const { random } = this;
    const before = cloneAll(this.models);
    const tx = await this.db.begin();
    for (let i = random.below(random.chance(0.05) ? 600 : 40); i > 0; i--) {
      const name = this.name();
      const index = this.key();
      const model = this.models[name];
      const draw = random.below(100);
      if (draw < 60) this.put(tx.bucket(name), model, index);
      else if (draw < 85) {
        this.operations++;
        if (tx.bucket(name).delete(keyOf(index)) !== model.delete(index))
          throw new Violation(`key ${index} in a transaction`);
      } else if (draw < 98) this.compareOne(tx.bucket(name), model, index);
      else this.deleteRange(tx, name, index);
    }
    const name = this.name();
    if (this.db.bucket(name).range().count() !== before[name].size)
      throw new Violation('a transaction was seen before it was committed');
    if (random.chance(0.75)) await tx.commit();
    else {
      await tx.rollback();
      this.models = before;
    }
  }

  private deleteRange(tx: WriteTransaction, name: Name, first: number): void {
    this.operations++;
    const last = Math.min(KEYS - 1, first + this.random.below(100));
    let expected = 0;
    for (let index = first; index <= last; index++) if (this.models[name].delete(index)) expected++;
    const deleted = tx.bucket(name).deleteRange({ gte: keyOf(first), lte: keyOf(last) });
    if (deleted !== expected) throw new Violation(`${deleted} were deleted, not ${expected}`);
  }

  private async load(): Promise<void> {
    const { random } = this;
    const name = this.name();
    const model = this.models[name];
    const first = this.key();
    const last = Math.min(KEYS - 1, first + random.below(200));
    const atomic = random.chance(0.5);
    const writer = this.db
      .bucket(name)
      .bulkWriter({ atomic, commitEvery: { entries: random.between(20, 300) } });
    for (let index = first; index <= last; index++) {
      this.operations++;
      model.set(index, ++this.seed);
      if (!writer.add(keyOf(index), seededValue(this.seed))) await writer.drained();
    }
    await writer.finish();
  }

  private async stream(): Promise<void> {
    this.operations += 2;
    const name = this.name();
    const index = this.key();
    const value = seededValue(++this.seed);
    this.models[name].set(index, this.seed);
    const half = value.length >>> 1;
    await pipeline(
      [value.subarray(0, half), value.subarray(half)],
      this.db.bucket(name).createValueWriteStream(keyOf(index)),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of this.db.bucket(name).createValueReadStream(keyOf(index)))
      chunks.push(chunk as Buffer);
    if (!Buffer.concat(chunks).equals(value)) throw new Violation(`the value of key ${index}, as a stream`);
  }

  /** A bucket of its own that is made, filled and dropped. */
  private async comeAndGo(): Promise<void> {
    this.operations += 3;
    const brief = await this.db.createBucket('brief');
    await this.db.write((tx) => {
      for (let index = 0; index < 50; index++) tx.bucket('brief').put(keyOf(index), seededValue(index + 1));
    });
    if (brief.range().count() !== 50) throw new Violation('a new bucket has not what was put into it');
    if (!(await this.db.dropBucket('brief'))) throw new Violation('a bucket that was made is not there');
  }
}

function cloneAll({ a, b, c }: Models): Models {
  return { a: a.clone(), b: b.clone(), c: c.clone() };
}
