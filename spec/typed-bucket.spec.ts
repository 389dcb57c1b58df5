// lib/typed-*.ts and lib/codec/: buckets by their types, in every face that they have.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { keys, type TypedChange, type ValueCodec } from 'btree-store';
import { expect } from 'chai';
import { firstValueFrom, toArray } from 'rxjs';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { raised, rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

/** Keys and values as a program without types may give them. */
const given = (value: unknown): never => value as never;

const user = z.object({ name: z.string().min(1), age: z.number().int().optional() });
const types = { key: keys.number, value: user };

describe('a typed bucket', () => {
  const stores = useStores();

  it('gives what it was given, and what is written is plain JSON under sorted bytes', async () => {
    const db = await stores.open();
    const users = db.bucket('users', types);
    await users.put(-1.5, { name: 'Ada' });
    await users.put(10, { name: 'Bob', age: 7 });
    await users.put(9, { name: 'Cy' });
    expect(users.name).to.equal('users');
    expect(users.get(-1.5)).to.deep.equal({ name: 'Ada' });
    expect(users.get(0)).to.equal(undefined);
    expect([users.has(9), users.has(0)]).to.deep.equal([true, false]);
    expect(await users.update(9, { name: 'Cyd' })).to.equal(true);
    expect(await users.update(8, { name: 'none' })).to.equal(false);
    expect(await users.delete(8)).to.equal(false);
    expect(users.range().toArray()).to.deep.equal([
      [-1.5, { name: 'Ada' }],
      [9, { name: 'Cyd' }],
      [10, { name: 'Bob', age: 7 }],
    ]);
    expect(users.bytes.get(keys.number.encode(10))?.toString()).to.equal('{"name":"Bob","age":7}');
    expect(await users.delete(10)).to.equal(true);
    const again = (await stores.reopen(db)).bucket('users', types);
    expect(Array.from(again.range().keys())).to.deep.equal([-1.5, 9]);
  });

  it('refuses values that its schema refuses, naming where and why, and writes nothing', async () => {
    const db = await stores.openMemory();
    const users = db.bucket('users', { value: z.object({ tags: z.array(z.object({ id: z.number() })) }) });
    const wrong = given({ tags: [{ id: 1 }, { id: 'x' }] });
    const writer = users.bulkWriter();
    const errors = [
      await rejected('INVALID_VALUE', users.put('a', wrong)),
      await rejected('INVALID_VALUE', users.update('a', wrong)),
      await rejected(
        'INVALID_VALUE',
        db.write((tx) => tx.bucket('users', users.types).put('a', wrong)),
      ),
      raised('INVALID_VALUE', () => writer.add('a', wrong)),
    ];
    for (const error of errors) {
      expect(error.message).to.contain('tags[1].id:');
      expect(error.details.issues).to.have.nested.property('[0].path', 'tags[1].id');
    }
    expect((await writer.finish()).entries).to.equal(0);
    await rejected('INVALID_KEY', users.put(given(7), { tags: [] }));
    expect([...db.buckets()]).to.deep.equal([]);
  });

  it('refuses to read what others wrote and its types do not have: nothing is skipped', async () => {
    const db = await stores.openMemory();
    const users = db.bucket('users', types);
    for (const value of ['{"name":""}', '{"name":"Ada"', Buffer.from([0xff]), '7']) {
      await users.bytes.put(keys.number.encode(1), value);
      raised('INVALID_VALUE', () => users.get(1));
      raised('INVALID_VALUE', () => users.range().toArray());
      raised('INVALID_VALUE', () => users.range().first());
      await rejected('INVALID_VALUE', users.range().toReadable().toArray());
      await rejected('INVALID_VALUE', firstValueFrom(users.range().toObservable()));
      expect(Array.from(users.range().keys())).to.deep.equal([1]);
    }
    await users.put(1, { name: 'Ada' });
    await users.bytes.put('a key', '{"name":"Bob"}');
    raised('INVALID_KEY', () => users.range().toArray());
    raised('INVALID_KEY', () => Array.from(users.range().keys()));
    expect(db.stats().snapshots).to.equal(0);
  });

  it('has ranges by keys, each entry its own', async () => {
    const db = await stores.openMemory();
    const stays = db.bucket('stays', { key: keys.tuple(keys.string, keys.number), value: z.number() });
    const all: Array<[string, number]> = ['a', 'a\0', 'ab', 'b'].flatMap((city) =>
      [-1, 0, 256].map((room) => [city, room] as [string, number]),
    );
    const writer = stays.bulkWriter({ sorted: true });
    for (const [index, key] of all.entries()) writer.add(key, index);
    await writer.finish();
    const keysOf = (options: Parameters<typeof stays.range>[0]) => Array.from(stays.range(options).keys());
    expect(keysOf({})).to.deep.equal(all);
    expect(keysOf({ prefix: ['a'] })).to.deep.equal(all.slice(0, 3));
    expect(keysOf({ prefix: ['a\0'] })).to.deep.equal(all.slice(3, 6));
    expect(keysOf({ gt: ['a', 0], lte: ['ab', -1] })).to.deep.equal(all.slice(2, 7));
    expect(keysOf({ gte: ['a', 0], lt: ['ab', -1] })).to.deep.equal(all.slice(1, 6));
    expect(keysOf({ reverse: true, limit: 2 })).to.deep.equal([all[11], all[10]]);
    const range = stays.range({ prefix: ['b'] });
    expect([range.count(), range.first()]).to.deep.equal([3, [['b', -1], 9]]);
    expect(stays.range({ prefix: ['c'] }).first()).to.equal(undefined);
    const entries: unknown[] = [];
    for await (const entry of range) entries.push(entry);
    const expected = [9, 10, 11].map((index) => [all[index], index]);
    expect(entries).to.deep.equal(expected);
    expect([...range]).to.deep.equal(expected);
    expect(await range.toReadable().toArray()).to.deep.equal(expected);
    expect(await firstValueFrom(range.toObservable().pipe(toArray()))).to.deep.equal(expected);
    const fromWeb: unknown[] = [];
    for await (const entry of range.toWebStream()) fromWeb.push(entry);
    expect(fromWeb).to.deep.equal(expected);
    const asyncValues: number[] = [];
    for await (const value of range.values()) asyncValues.push(value);
    expect(asyncValues)
      .to.deep.equal([...range.values()])
      .and.to.deep.equal([9, 10, 11]);
    raised('INVALID_OPTION', () => db.bucket('n', { key: keys.number }).range({ prefix: given(1) }));
    raised('INVALID_OPTION', () => stays.range(given({ revers: true })));
    for (const _ of range) break;
    for await (const _ of range) break;
    range.toReadable().destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(db.stats().snapshots).to.equal(0);
  });

  it('is in transactions and snapshots what it is outside', async () => {
    const db = await stores.openMemory();
    const users = db.bucket('users', types);
    await users.put(1, { name: 'Ada' });
    const snapshot = db.snapshot();
    const deleted = await db.write((tx) => {
      const inside = tx.bucket('users', types);
      inside.put(2, { name: 'Bob' });
      expect(inside.update(1, { name: 'Ada L.' })).to.equal(true);
      expect(inside.update(7, { name: 'none' })).to.equal(false);
      expect(inside.get(2)).to.deep.equal({ name: 'Bob' });
      expect(inside.delete(7)).to.equal(false);
      for (let id = 10; id < 20; id++) inside.put(id, { name: `user ${id}` });
      return inside.deleteRange({ gte: 10, lt: 19 });
    });
    expect(deleted).to.equal(9);
    expect(snapshot.bucket('users', types).range().toArray()).to.deep.equal([[1, { name: 'Ada' }]]);
    snapshot.release();
    expect(users.range().toArray()).to.deep.equal([
      [1, { name: 'Ada L.' }],
      [2, { name: 'Bob' }],
      [19, { name: 'user 19' }],
    ]);
  });

  it('tells changes by keys and values, from a watch within bounds', async () => {
    const db = await stores.openMemory();
    const users = db.bucket('users', types);
    const changes: TypedChange<number, z.output<typeof user>>[] = [];
    const watching = users.watch({ gte: 0 }).subscribe((change) => changes.push(change));
    await users.put(-1, { name: 'unseen' });
    await users.put(3, { name: 'Ada' });
    await users.delete(3);
    await db.write((tx) => tx.bucket('users', types).deleteRange({ lt: 0 }));
    await db.dropBucket('users');
    watching.unsubscribe();
    expect(changes.map(({ type }) => type)).to.deep.equal(['put', 'delete', 'drop']);
    expect(changes[0]).to.deep.include({ type: 'put', key: 3, value: { name: 'Ada' }, bucket: 'users' });
    expect(changes[1]).to.deep.include({ type: 'delete', key: 3 });
  });

  describe('bulk writer', () => {
    it('is a Writable for pipelines, whose failure ends them', async () => {
      const db = await stores.open();
      const numbers = db.bucket('numbers', { key: keys.number, value: z.number().max(5000) });
      const entries = (count: number) =>
        Readable.from(Array.from({ length: count }, (_, index): [number, number] => [index - 2000, index]));
      await pipeline(entries(5000), numbers.bulkWriter({ sorted: true }));
      expect(numbers.range().count()).to.equal(5000);
      expect(numbers.get(-2000)).to.equal(0);
      const tooLarge = pipeline(entries(6000), numbers.bulkWriter({ atomic: true }));
      expect((await rejected('INVALID_VALUE', tooLarge)).message).to.contain('5000');
      const unsorted = pipeline(
        Readable.from([
          [2, 1],
          [1, 1],
        ]),
        numbers.bulkWriter({ sorted: true }),
      );
      await rejected('KEY_OUT_OF_ORDER', unsorted);
      await rejected('INVALID_OPTION', pipeline(Readable.from([7]), numbers.bulkWriter()));
      const stop = new AbortController();
      const endless = Readable.from(
        (function* () {
          for (let id = 0; ; id++) {
            if (id === 20_000) stop.abort();
            yield [id, 1];
          }
        })(),
      );
      const stopped = pipeline(endless, numbers.bulkWriter({ signal: stop.signal })).catch(
        (error: unknown) => error,
      );
      expect(await stopped).to.have.property('code', 'ABORTED');
      // The turn is free again after each of them.
      await numbers.put(1, 1);
    });

    it('leaves nothing behind where it is destroyed', async () => {
      const db = await stores.openMemory();
      const numbers = db.bucket('numbers', { key: keys.number, value: z.number() });
      const writer = numbers.bulkWriter({ atomic: true });
      for (let id = 0; id < 50_000; id++) if (!writer.add(id, id)) await writer.drained();
      writer.destroy();
      await new Promise((resolve) => writer.once('close', resolve));
      expect(numbers.range().count()).to.equal(0);
      await numbers.put(1, 1);
    });
  });

  it('writes the input of a schema and gives its output', async () => {
    const db = await stores.openMemory();
    const day = z.codec(z.iso.datetime(), z.date(), {
      decode: (text) => new Date(text),
      encode: (date) => date.toISOString(),
    });
    const days = db.bucket('days', {
      key: keys.date,
      value: z.object({ day, note: z.string().default('none') }),
    });
    const date = new Date('2024-03-01T00:00:00Z');
    await days.put(date, { day: date, note: 'rain' });
    expect(days.get(date)).to.deep.equal({ day: date, note: 'rain' });
    expect(String(days.bytes.range().first()?.[1])).to.equal(
      '{"day":"2024-03-01T00:00:00.000Z","note":"rain"}',
    );
    // What lacks a member that has a default was written before the schema had it.
    await days.bytes.put(keys.date.encode(date), '{"day":"2024-03-01T00:00:00.000Z"}');
    expect(days.get(date)?.note).to.equal('none');
  });

  it('writes the input also where only a part within goes two ways', async () => {
    const db = await stores.openMemory();
    const cents = z.codec(z.number().int(), z.number(), {
      decode: (n) => n / 100,
      encode: (n) => Math.round(n * 100),
    });
    const inside: Array<[what: string, schema: z.ZodType<unknown>, value: unknown, json: string]> = [
      ['array', z.array(cents), [1.5], '[150]'],
      ['record', z.record(z.string(), cents), { a: 2 }, '{"a":200}'],
      ['union', z.union([z.string(), cents]), 1.25, '125'],
      ['nullable', z.object({ a: cents.nullable() }), { a: 3 }, '{"a":300}'],
      ['lazy', z.lazy(() => z.tuple([cents])), [4], '[400]'],
      ['trimmed', z.string().trim(), ' a ', '"a"'],
      ['coerced', z.object({ a: z.coerce.number() }), { a: 1 }, '{"a":1}'],
      ['piped', z.string().pipe(z.string().min(1)), 'a', '"a"'],
    ];
    for (const [what, value, given, json] of inside) {
      const bucket = db.bucket(what, { value });
      await bucket.put('k', given);
      expect(String(bucket.bytes.get('k')), what).to.equal(json);
      expect(bucket.get('k'), what).to.deep.equal(what === 'trimmed' ? 'a' : given);
    }
  });

  it('holds in MessagePack what JSON cannot', async () => {
    const db = await stores.openMemory();
    const value = z.object({ at: z.date(), raw: z.instanceof(Uint8Array), text: z.string().optional() });
    const files = db.bucket('files', { value, format: 'msgpack' });
    const file = { at: new Date(12_345), raw: new Uint8Array([0, 255]) };
    await files.put('a', { ...file, text: undefined });
    const got = files.get('a');
    expect(got?.at).to.deep.equal(file.at);
    expect(Array.from(got?.raw ?? [])).to.deep.equal([0, 255]);
    expect(got).to.not.have.property('text');
    await files.bytes.put('a', Buffer.from([0xc1]));
    raised('INVALID_VALUE', () => files.get('a'));
  });

  it('takes codecs of one’s own, and bytes where there is none', async () => {
    const db = await stores.openMemory();
    const upper: ValueCodec<string> = {
      encode: (text) => Buffer.from(text.toLowerCase()),
      decode: (bytes) => Buffer.from(bytes).toString().toUpperCase(),
    };
    const own = db.bucket('own', { value: upper });
    await own.put('k', 'Text');
    expect(own.get('k')).to.equal('TEXT');
    const plain = db.bucket('plain', { key: keys.boolean });
    await plain.put(true, Buffer.from('yes'));
    expect(plain.range().toArray()).to.deep.equal([[true, Buffer.from('yes')]]);
    await rejected('INVALID_VALUE', plain.put(true, given('text')));
    // A bucket of strings is the same bucket with types and without.
    await db.bucket('plain', { key: keys.string }).put('é', Buffer.from('1'));
    expect(db.bucket('plain').get('é')?.toString()).to.equal('1');
  });

  const wrongTypes: Array<[what: string, types: unknown, message: RegExp]> = [
    ['no object', 'number', /types of a bucket must be an object/],
    ['a key that is a name', { key: 'number' }, /key: it must be one of keys/],
    ['a value that is no schema', { value: {} }, /value: it must be a schema of zod 4/],
    ['a format without a schema', { format: 'json' }, /format: it goes with/],
    [
      'a format that there is not',
      { value: z.string(), format: 'xml' },
      /format: must be 'json' or 'msgpack', and is xml/,
    ],
    [
      'a date in JSON',
      { value: z.object({ a: z.array(z.date()) }) },
      /a date, which json cannot hold.*msgpack/,
    ],
    ['a bigint', { value: z.bigint().optional(), format: 'msgpack' }, /a bigint, which msgpack cannot hold/],
    ['a Map', { value: z.map(z.string(), z.string()) }, /a map, which json cannot hold/],
    ['a Set', { value: z.record(z.string(), z.set(z.string())), format: 'msgpack' }, /a set/],
  ];
  for (const [what, wrong, message] of wrongTypes) {
    it(`refuses types that are ${what}`, async () => {
      const db = await stores.openMemory();
      expect(raised('INVALID_OPTION', () => db.bucket('b', given(wrong))).message).to.match(message);
    });
  }

  it('looks through schemas that refer to themselves, or share an id, without harm', async () => {
    const db = await stores.openMemory();
    interface Tree {
      name: string;
      below: Tree[];
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), below: z.array(tree) }));
    const trees = db.bucket('trees', { value: tree });
    const value = { name: 'a', below: [{ name: 'b', below: [] }] };
    await trees.put('a', value);
    expect(trees.get('a')).to.deep.equal(value);
    const twin = (name: string) => z.object({ [name]: z.string() }).meta({ id: 'twin' });
    const twins = db.bucket('twins', { value: z.object({ a: twin('a'), b: twin('b') }) });
    await twins.put('a', { a: { a: '1' }, b: { b: '2' } });
    expect(twins.get('a')).to.deep.equal({ a: { a: '1' }, b: { b: '2' } });
  });

  it('takes schemas of zod/mini too', async () => {
    const db = await stores.openMemory();
    const users = db.bucket('users', {
      value: mini.object({ name: mini.string(), age: mini.optional(mini.number()) }),
    });
    await users.put('ada', { name: 'Ada' });
    expect(users.get('ada')).to.deep.equal({ name: 'Ada' });
    await rejected('INVALID_VALUE', users.put('bob', given({})));
  });

  it('says of a transform that values must go both ways', async () => {
    const db = await stores.openMemory();
    const lengths = db.bucket('b', { value: z.string().transform((text) => text.length) });
    expect((await rejected('INVALID_OPTION', lengths.put('a', 7))).message).to.contain('z.codec');
    const later = db.bucket('b', { value: z.string().refine(async () => true) });
    await rejected('INVALID_OPTION', later.put('a', 'b'));
  });
});
