// What may happen to a store, as plain data that prints short and shrinks well: a story is an array of steps.

import fc from 'fast-check';
import { type KeyShape, keyShapes, type ValueShape, values } from './bytes.js';

export const BUCKETS = ['a', 'b', 'c'] as const;
type Name = (typeof BUCKETS)[number];

/** A bound: the key of a shape, or an existing key by its place in order. */
export type Place = { readonly shape: KeyShape } | { readonly at: number };

/** As RangeOptions, with places for bytes. */
export interface RangeShape {
  readonly gt?: Place;
  readonly gte?: Place;
  readonly lt?: Place;
  readonly lte?: Place;
  readonly prefix?: KeyShape;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** A write of one entry. */
export type SingleStep =
  | { readonly do: 'put' | 'update'; readonly name: Name; readonly key: Place; readonly value: ValueShape }
  | { readonly do: 'delete'; readonly name: Name; readonly key: Place };

/** Many entries whose keys count up. */
export interface Many {
  readonly name: Name;
  readonly first: number;
  readonly count: number;
  /** Bytes that all keys begin with. */
  readonly prefix: number;
  readonly length: number;
  readonly salt: number;
  readonly shuffled: boolean;
}

export type ReadStep =
  | { readonly do: 'get'; readonly name: Name; readonly key: Place }
  | { readonly do: 'range'; readonly name: Name; readonly range: RangeShape; readonly face: number }
  /** Begins an iteration that goes on through later steps. */
  | {
      readonly do: 'iterate';
      readonly name: Name;
      readonly range: RangeShape;
      readonly how: 'sync' | 'async' | 'batches' | 'stream';
    };

export type TransactionStep =
  | SingleStep
  | ReadStep
  | { readonly do: 'deleteRange'; readonly name: Name; readonly range: RangeShape }
  | { readonly do: 'create' | 'drop'; readonly name: Name }
  | ({ readonly do: 'putMany' } & Many)
  | { readonly do: 'go on'; readonly count: number };

export type Step =
  | SingleStep
  | ReadStep
  | { readonly do: 'together'; readonly steps: readonly SingleStep[] }
  | {
      readonly do: 'transaction';
      readonly steps: readonly TransactionStep[];
      readonly end: 'commit' | 'rollback' | 'throw';
    }
  | ({
      readonly do: 'load';
      readonly sorted: boolean | 'auto';
      readonly onDuplicate: 'replace' | 'keep';
      readonly commitEntries: number | undefined;
      readonly atomic: boolean;
      readonly fillFactor: number;
      readonly end: 'finish' | 'destroy';
    } & Many)
  | { readonly do: 'create' | 'drop'; readonly name: Name }
  | { readonly do: 'hold' }
  | { readonly do: 'let go'; readonly at: number }
  /** Takes some steps in every iteration that is under way. */
  | { readonly do: 'go on'; readonly count: number }
  | { readonly do: 'leave'; readonly at: number }
  | { readonly do: 'reopen' | 'check' | 'compact' };

/** Mostly the first, so that steps meet. */
const name = fc.constantFrom<Name>('a', 'a', 'a', 'b', 'c');

function place(max: number): fc.Arbitrary<Place> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.record({ shape: keyShapes(max) }) },
    { weight: 3, arbitrary: fc.record({ at: fc.nat(5000) }) },
  );
}

/** Beginnings that many keys have, few, or none. */
function prefixes(max: number): fc.Arbitrary<KeyShape> {
  const end = fc.constantFrom(
    '',
    '\x00',
    'a',
    'ab',
    'k',
    'k0000',
    'k00000',
    'k000001',
    'p',
    '\xff',
    '\xff\xff',
  );
  const times = fc.constantFrom(0, 0, 0, 8, 500, max - 24, max - 9);
  return fc.record({ fill: fc.constantFrom(0x70, 0xff), times, end });
}

function range(max: number): fc.Arbitrary<RangeShape> {
  const bound = place(max);
  const prefix = prefixes(max);
  const options = {
    gt: bound,
    gte: bound,
    lt: bound,
    lte: bound,
    prefix,
    reverse: fc.boolean(),
    limit: fc.oneof(fc.nat(3), fc.nat(300)),
  };
  // Most ranges have a bound or two: with all of them at once hardly any would have an entry.
  const few = fc.subarray(Object.keys(options) as (keyof typeof options)[], { maxLength: 3 });
  return fc.tuple(fc.record(options), few).map(([all, chosen]) => {
    const some: Record<string, unknown> = {};
    for (const option of chosen) some[option] = all[option];
    return some as RangeShape;
  });
}

function single(max: number, pageSize: number): fc.Arbitrary<SingleStep> {
  const value = values(pageSize);
  const key = place(max);
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), name, key, value }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), name, key, value }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), name, key }) },
  );
}

function many(max: number, pageSize: number): fc.Arbitrary<Many> {
  const count = fc.oneof(
    { weight: 2, arbitrary: fc.nat(20) },
    { weight: 2, arbitrary: fc.nat(300) },
    { weight: 1, arbitrary: fc.nat(2500) },
  );
  return (
    fc
      .record({
        name,
        first: fc.oneof(fc.constant(0), fc.nat(3000)),
        count,
        prefix: fc.constantFrom(1, 1, 1, 20, max - 9),
        length: fc.oneof(fc.nat(40), fc.nat(300), fc.constantFrom(pageSize >>> 2, (pageSize >>> 2) + 1)),
        salt: fc.nat(255),
        shuffled: fc.boolean(),
      })
      // Large values by the thousand would take long and show nothing more.
      .map((entries) =>
        entries.length > 300 || entries.prefix > 300
          ? { ...entries, count: Math.min(entries.count, pageSize > 4096 ? 60 : 300) }
          : entries,
      )
  );
}

function read(max: number): fc.Arbitrary<ReadStep> {
  const how = fc.constantFrom('sync' as const, 'async' as const, 'batches' as const, 'stream' as const);
  return fc.oneof(
    fc.record({ do: fc.constant('get' as const), name, key: place(max) }),
    fc.record({ do: fc.constant('range' as const), name, range: range(max), face: fc.nat(9) }),
    fc.record({ do: fc.constant('iterate' as const), name, range: range(max), how }),
  );
}

const goOn = fc.record({
  do: fc.constant('go on' as const),
  count: fc.oneof(fc.nat(5), fc.nat(400)),
});

function transactionStep(max: number, pageSize: number): fc.Arbitrary<TransactionStep> {
  return fc.oneof(
    { weight: 6, arbitrary: single(max, pageSize) },
    { weight: 5, arbitrary: read(max) },
    { weight: 2, arbitrary: many(max, pageSize).map((entries) => ({ do: 'putMany' as const, ...entries })) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('deleteRange' as const), name, range: range(max) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('create' as const, 'drop' as const), name }),
    },
    { weight: 1, arbitrary: goOn },
  );
}

function load(max: number, pageSize: number): fc.Arbitrary<Step> {
  return fc
    .tuple(
      many(max, pageSize),
      fc.record({
        sorted: fc.constantFrom(true, false, 'auto' as const, 'auto' as const),
        onDuplicate: fc.constantFrom('replace' as const, 'keep' as const),
        commitEntries: fc.constantFrom(undefined, undefined, 1, 7, 100, 1000),
        atomic: fc.boolean(),
        fillFactor: fc.constantFrom(1, 1, 0.5, 0.3),
        end: fc.constantFrom('finish' as const, 'finish' as const, 'finish' as const, 'destroy' as const),
      }),
    )
    .map(([entries, options]) => ({
      do: 'load' as const,
      ...entries,
      ...options,
      // What is declared sorted is. A commit for each of very many entries would only take long.
      shuffled: options.sorted !== true && entries.shuffled,
      commitEntries: entries.count > 300 && options.commitEntries === 1 ? 100 : options.commitEntries,
    }));
}

/** Stories of up to `steps` steps, for a store of such pages and keys of at most a quarter of one. */
export function stories(pageSize: number, steps: number): fc.Arbitrary<Step[]> {
  const max = pageSize >>> 2;
  const one = single(max, pageSize);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: one },
    { weight: 5, arbitrary: read(max) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('together' as const),
        steps: fc.array(one, { minLength: 2, maxLength: 20 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('transaction' as const),
        steps: fc.array(transactionStep(max, pageSize), { maxLength: 15 }),
        end: fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const, 'throw' as const),
      }),
    },
    { weight: 3, arbitrary: load(max, pageSize) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('create' as const, 'drop' as const), name }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'hold' as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('let go' as const), at: fc.nat(9) }) },
    { weight: 3, arbitrary: goOn },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), at: fc.nat(9) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'check' as const, 'compact' as const) }),
    },
  );
  return fc.array(step, { minLength: 1, maxLength: steps, size: 'max' });
}
