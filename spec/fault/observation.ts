// Everything that can be read of a damaged store, in each of the ways that there are: what is right, what raised,
// and nothing else.

import { expect } from 'chai';
import type { Database } from '../../lib/database-face.js';
import { StoreError } from '../../lib/errors.js';
import type { CheckReport } from '../../lib/tree/check-report.js';
import { type Contents, contentsOf } from '../format/independent-log-reader.js';
import { type ReadStore, readStore } from '../format/independent-reader.js';

export type { Contents };

/** Of buckets with many entries only every so manieth is looked up alone. */
const LOOKUPS_MAX = 40;

/** What a store's file holds, and what it falls back on without its newest meta page. */
export class KnownStore {
  readonly bytes: Buffer;
  readonly read: ReadStore;
  readonly newest: Contents;
  readonly previous: Contents;
  readonly newerMeta: number;
  /** The file as it is read by way of its older meta page. */
  private readonly fallback: ReadStore;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.read = readStore(bytes);
    this.newest = contentsOf(this.read);
    this.newerMeta = this.read.generation % 2;
    const older = Buffer.from(bytes);
    older.fill(0, this.newerMeta * this.read.pageSize, (this.newerMeta + 1) * this.read.pageSize);
    this.fallback = readStore(older);
    this.previous = contentsOf(this.fallback);
  }

  get pages(): number {
    return this.read.pageCount;
  }

  /** Whether the page belongs to a tree of the newest commit or, without its meta page, of the one before. */
  isInTree(page: number, isFallback = false): boolean {
    const use = (isFallback ? this.fallback : this.read).uses.get(page);
    return use === 'leaf' || use === 'branch' || use === 'value';
  }

  /** Whether damage to the page must be found by a check: all that is reached, and both meta pages. */
  isReached(page: number): boolean {
    return page < 2 || this.read.uses.has(page);
  }
}

export interface Failure {
  readonly what: string;
  readonly error: StoreError;
}

/** The reads of one opening. Raises what is neither a right answer nor a StoreError. */
export class Observation {
  readonly failures: Failure[] = [];
  /** What was read and is not in the contents, where that is to be gathered rather than raised. */
  readonly wrong: string[] = [];
  private readonly db: Database;
  private readonly expected: Contents;

  constructor(db: Database, expected: Contents) {
    this.db = db;
    this.expected = expected;
  }

  private compare(what: string, isRight: boolean): void {
    if (!isRight) this.wrong.push(what);
  }

  private attempt(what: string, work: () => boolean): void {
    try {
      this.compare(what, work());
    } catch (error) {
      this.note(what, error);
    }
  }

  private async attemptAsync(what: string, work: () => Promise<boolean>): Promise<void> {
    try {
      this.compare(what, await work());
    } catch (error) {
      this.note(what, error);
    }
  }

  private note(what: string, error: unknown): void {
    if (!(error instanceof StoreError)) throw new Error(`${what} raised no StoreError`, { cause: error });
    this.failures.push({ what, error });
  }

  async readAll(): Promise<this> {
    this.readNames();
    for (const [name, entries] of this.expected) await this.readBucket(name, entries);
    return this;
  }

  /** The names of buckets, and the first entry of each. */
  readSome(): this {
    this.readNames();
    for (const [name, entries] of this.expected) {
      for (const [key, value] of [...entries].slice(0, 1)) {
        const bytes = Buffer.from(key, 'latin1');
        this.attempt(`get 0 of ${name}`, () => this.db.bucket(name).get(bytes)?.equals(value) === true);
      }
    }
    return this;
  }

  private readNames(): void {
    const { db, expected } = this;
    this.attempt('the names of buckets', () => {
      const found = [...db.buckets()].map(({ name, entries }) => `${name} ${entries}`);
      return same(
        found,
        [...expected].map(([name, entries]) => `${name} ${entries.size}`),
      );
    });
  }

  private async readBucket(name: string, entries: Map<string, Buffer>): Promise<void> {
    const bucket = this.db.bucket(name);
    const label = `bucket ${name.slice(0, 10)}`;
    const all = [...entries];
    const isSame = (found: Iterable<readonly [Buffer, Buffer]>, wanted: Array<[string, Buffer]>): boolean => {
      const list = [...found];
      return (
        list.length === wanted.length &&
        wanted.every(([key, value], i) => list[i][0].toString('latin1') === key && list[i][1].equals(value))
      );
    };
    this.attempt(`${label} forwards`, () => isSame(bucket.range().toArray(), all));
    this.attempt(`${label} backwards`, () =>
      isSame(bucket.range({ reverse: true }).toArray(), [...all].reverse()),
    );
    this.attempt(`the count of ${label}`, () => bucket.range().count() === all.length);
    await this.attemptAsync(`${label} for await`, async () => {
      const found: Array<[Buffer, Buffer]> = [];
      for await (const [key, value] of bucket.range()) found.push([Buffer.from(key), Buffer.from(value)]);
      return isSame(found, all);
    });
    const step = Math.ceil(all.length / LOOKUPS_MAX);
    for (let i = 0; i < all.length; i += step) {
      const [key, value] = all[i];
      const bytes = Buffer.from(key, 'latin1');
      this.attempt(`get ${i} of ${label}`, () => bucket.get(bytes)?.equals(value) === true);
      this.attempt(`has ${i} of ${label}`, () => bucket.has(bytes));
      this.attempt(
        `none after ${i} of ${label}`,
        () => bucket.get(Buffer.concat([bytes.subarray(0, 900), Buffer.from('\0\0')])) === undefined,
      );
      if (value.length > 1000)
        await this.attemptAsync(`stream ${i} of ${label}`, async () => {
          const chunks: Buffer[] = [];
          for await (const chunk of bucket.createValueReadStream(bytes)) chunks.push(chunk as Buffer);
          return Buffer.concat(chunks).equals(value);
        });
    }
  }

  check(): Promise<CheckReport> {
    return this.db.check();
  }

  expectNothingWrong(where: string): void {
    expect(this.wrong, where).to.deep.equal([]);
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}
