// What the compiler makes of typed buckets. Nothing here runs: `npm run lint` fails where a type is another than is
// said, or where what must be refused is not.

import {
  type Database,
  importCsv,
  type KeyCodec,
  keys,
  type Snapshot,
  type ValueCodec,
  type WriteTransaction,
} from 'btree-store';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import * as mini from 'zod/mini';

/** Whether two types are the same, not only assignable to each other. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** For the compiler: the type argument must be true. */
export function holds<_Fact extends true>(): void {}

const user = z.object({
  name: z.string(),
  age: z.number().optional(),
  role: z.enum(['admin', 'guest']).default('guest'),
});
interface User {
  name: string;
  age?: number | undefined;
  role: 'admin' | 'guest';
}

export function schemas(db: Database): void {
  const users = db.bucket('users', { key: keys.number, value: user });
  const got = users.get(1);
  holds<Equal<typeof got, User | undefined>>();
  holds<Equal<Parameters<typeof users.put>, [key: number, value: User]>>();
  void users.put(1, { name: 'Ada', role: 'admin' });
  // @ts-expect-error a key of another type
  void users.put('1', { name: 'Ada', role: 'admin' });
  // @ts-expect-error a value that lacks a member
  void users.put(1, { name: 'Ada' });
  // @ts-expect-error a member of another type
  void users.update(1, { name: 7, role: 'admin' });
  // @ts-expect-error a member that the schema does not have
  void users.put(1, { name: 'Ada', role: 'admin', colour: 'red' });
  // @ts-expect-error
  users.get('1');
  // @ts-expect-error
  users.has(1n);
  // @ts-expect-error
  void users.delete('1');
}

export function codecsOfOwn(db: Database, own: KeyCodec<URL>, value: ValueCodec<Map<string, number>>): void {
  const counts = db.bucket('counts', { key: own, value });
  const got = counts.get(new URL('https://example.org'));
  holds<Equal<typeof got, Map<string, number> | undefined>>();
  // @ts-expect-error
  counts.get('https://example.org');
  // @ts-expect-error a key codec has to encode
  db.bucket('counts', { key: {} });
  // @ts-expect-error an option that there is not
  db.bucket('counts', { values: value });
}

export function defaults(db: Database): void {
  const keyed = db.bucket('keyed', { key: keys.date });
  const bytes = keyed.get(new Date());
  holds<Equal<typeof bytes, Uint8Array | undefined>>();
  const valued = db.bucket('valued', { value: z.string() });
  const text = valued.get('key');
  holds<Equal<typeof text, string | undefined>>();
  // @ts-expect-error keys are strings where nothing is said
  valued.get(7);
  const plain = db.bucket('plain');
  const buffer = plain.get('key');
  holds<Equal<typeof buffer, Buffer | undefined>>();
}

export function codecSchemas(db: Database): void {
  const day = z.codec(z.string(), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString(),
  });
  const days = db.bucket('days', { value: z.object({ day, note: z.coerce.string() }) });
  const got = days.get('a');
  // What is read is what is put: the output on both sides.
  holds<Equal<typeof got, { day: Date; note: string } | undefined>>();
  if (got !== undefined) void days.put('b', { ...got, day: new Date() });
  // @ts-expect-error the input is what the store holds, not what is put
  void days.put('a', { day: '2024-01-01', note: '' });
}

export function ranges(db: Database): void {
  const stays = db.bucket('stays', {
    key: keys.tuple(keys.string, keys.number, keys.date),
    value: z.boolean(),
  });
  type Key = readonly [string, number, Date] | [string, number, Date];
  const range = stays.range({ gte: ['a', 1, new Date()], prefix: ['a'], reverse: true });
  stays.range({ prefix: ['a', 1] });
  for (const [[city, room, from], isPaid] of range) {
    holds<Equal<typeof city, string>>();
    holds<Equal<typeof room, number>>();
    holds<Equal<typeof from, Date>>();
    holds<Equal<typeof isPaid, boolean>>();
  }
  for (const key of range.keys()) key satisfies Key;
  for (const value of range.values()) holds<Equal<typeof value, boolean>>();
  const first = range.first();
  holds<Equal<NonNullable<typeof first>[1], boolean>>();
  // @ts-expect-error a bound is a whole key
  stays.range({ gte: ['a'] });
  // @ts-expect-error the whole key is no prefix
  stays.range({ prefix: ['a', 1, new Date()] });
  // @ts-expect-error a part of another type
  stays.range({ prefix: [7] });
  // @ts-expect-error numbers begin with nothing
  db.bucket('numbers', { key: keys.number }).range({ prefix: 1 });
  db.bucket('texts', { key: keys.string }).range({ prefix: 'a', gt: 'ab' });
}

export function transactionsAndSnapshots(tx: WriteTransaction, snapshot: Snapshot, db: Database): void {
  const types = { key: keys.bigint, value: user };
  const written = tx.bucket('users', types);
  written.put(1n, { name: 'Ada', role: 'guest' });
  const deleted = written.deleteRange({ lt: 5n });
  holds<Equal<typeof deleted, number>>();
  // @ts-expect-error
  written.put(1, { name: 'Ada', role: 'guest' });
  const read = snapshot.bucket('users', types);
  const got = read.get(1n);
  holds<Equal<typeof got, User | undefined>>();
  // @ts-expect-error a snapshot is not written to
  read.put(1n, { name: 'Ada', role: 'guest' });
  // Of a bucket that is there already.
  const again = tx.bucket('users', db.bucket('users', types).types).get(1n);
  holds<Equal<typeof again, User | undefined>>();
}

export function streams(db: Database): void {
  const users = db.bucket('users', { key: keys.number, value: user });
  const writer = users.bulkWriter({ sorted: true });
  const more = writer.add(1, { name: 'Ada', role: 'guest' });
  holds<Equal<typeof more, boolean>>();
  // @ts-expect-error
  writer.add('1', { name: 'Ada', role: 'guest' });
  const entries = users.range().toObservable();
  holds<Equal<typeof entries, Observable<[number, User]>>>();
  users.watch({ gte: 1 }).subscribe((change) => {
    if (change.type === 'put') {
      holds<Equal<typeof change.key, number>>();
      holds<Equal<typeof change.value, User | undefined>>();
    } else if (change.type === 'delete') holds<Equal<typeof change.key, number>>();
    else if (change.type !== 'drop') users.bytes.range(change.bounds);
  });
}

export function miniSchemas(db: Database): void {
  const users = db.bucket('users', { value: mini.object({ name: mini.optional(mini.string()) }) });
  const got = users.get('ada');
  holds<Equal<typeof got, { name?: string | undefined } | undefined>>();
  // @ts-expect-error
  void users.put('ada', { name: 7 });
}

export function imports(db: Database): void {
  void importCsv(db.bucket('users', { key: keys.number, value: user }), 'users.csv', { key: 'id' });
  void importCsv(db.bucket('users'), 'users.csv', { key: ['country', 'id:number'] });
}
