// What a store must behave like: sorted maps, as plain as can be, and copied whole for every snapshot.

import type { Bytes, Entry, RangeOptions } from 'btree-store';
import { fromLatin1, latin1 } from './bytes.js';

/** One bucket. Keys are kept as text of which each character is a byte, which sorts as the bytes do. */
export class ModelBucket {
  private readonly entries: Map<string, Buffer>;
  private sorted: readonly string[] | undefined;

  constructor(entries: Iterable<[string, Buffer]> = []) {
    this.entries = new Map(entries);
  }

  get size(): number {
    return this.entries.size;
  }

  clone(): ModelBucket {
    return new ModelBucket(this.entries);
  }

  get(key: Bytes): Buffer | undefined {
    return this.entries.get(text(key));
  }

  has(key: Bytes): boolean {
    return this.entries.has(text(key));
  }

  put(key: Bytes, value: Uint8Array): void {
    const name = text(key);
    if (!this.entries.has(name)) this.sorted = undefined;
    this.entries.set(name, Buffer.from(value));
  }

  delete(key: Bytes): boolean {
    const was = this.entries.delete(text(key));
    if (was) this.sorted = undefined;
    return was;
  }

  update(key: Bytes, value: Uint8Array): boolean {
    if (!this.has(key)) return false;
    this.put(key, value);
    return true;
  }

  /** The keys in order. */
  keys(): readonly string[] {
    this.sorted ??= [...this.entries.keys()].sort();
    return this.sorted;
  }

  /** The entries of a range, by nothing but a look at every key. */
  range(options: RangeOptions = {}): Entry[] {
    const { reverse = false, limit = Number.POSITIVE_INFINITY } = options;
    const inside = this.keys().filter((key) => isInside(key, options));
    if (reverse) inside.reverse();
    return inside.slice(0, limit).map((key) => [fromLatin1(key), this.entries.get(key) as Buffer]);
  }
}

function isInside(key: string, options: RangeOptions): boolean {
  const { gt, gte, lt, lte, prefix } = options;
  return (
    (gt === undefined || key > text(gt)) &&
    (gte === undefined || key >= text(gte)) &&
    (lt === undefined || key < text(lt)) &&
    (lte === undefined || key <= text(lte)) &&
    (prefix === undefined || key.startsWith(text(prefix)))
  );
}

function text(bytes: Bytes): string {
  return latin1(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
}

/** All buckets. */
export class ModelStore {
  private readonly buckets: Map<string, ModelBucket>;

  constructor(buckets: Iterable<[string, ModelBucket]> = []) {
    this.buckets = new Map(buckets);
  }

  clone(): ModelStore {
    return new ModelStore([...this.buckets].map(([name, bucket]) => [name, bucket.clone()]));
  }

  /** A bucket as a reader sees it: empty where there is none. */
  read(name: string): ModelBucket {
    return this.buckets.get(name) ?? new ModelBucket();
  }

  /** A bucket as a writer has it: made where there is none. */
  write(name: string): ModelBucket {
    let bucket = this.buckets.get(name);
    if (bucket === undefined) {
      bucket = new ModelBucket();
      this.buckets.set(name, bucket);
    }
    return bucket;
  }

  has(name: string): boolean {
    return this.buckets.has(name);
  }

  drop(name: string): boolean {
    return this.buckets.delete(name);
  }

  infos(): Array<{ name: string; entries: number }> {
    const names = [...this.buckets.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return names.map((name) => ({ name, entries: this.read(name).size }));
  }
}
