// lib/range-options-check.ts: what is taken at a glance is what the schema takes, and no more.

import { expect } from 'chai';
import fc from 'fast-check';
import { rangeSchema } from '../lib/options.js';
import { areRangeOptions } from '../lib/range-options-check.js';
import { seeded } from './helpers/seed.js';

const anything = fc.oneof(
  fc.string(),
  fc.uint8Array({ maxLength: 4 }),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.constantFrom(undefined, null, -0, 2 ** 53, Number.NaN, [], {}, 1n, Buffer.from('a')),
);
const names = fc.constantFrom(
  'gt',
  'gte',
  'lt',
  'lte',
  'prefix',
  'reverse',
  'limit',
  'signal',
  'Limit',
  'constructor',
);
const asked = (options: unknown): boolean => areRangeOptions(options as never);

describe('areRangeOptions', () => {
  it('takes nothing that the schema refuses', () => {
    fc.assert(
      fc.property(fc.dictionary(names, anything, { maxKeys: 4 }), (options) => {
        if (asked(options)) expect(rangeSchema.safeParse(options).success).to.equal(true);
      }),
      seeded(2000),
    );
  });

  const right: Record<string, unknown> = {
    'no bounds': {},
    'texts and bytes': { gte: 'a', lt: Buffer.from('b') },
    'what is undefined': { gt: undefined, reverse: undefined },
    'a prefix, backwards, a few': { prefix: 'a', reverse: true, limit: 0 },
  };
  for (const [what, options] of Object.entries(right))
    it(`takes ${what}`, () => {
      expect(asked(options)).to.equal(true);
      expect(rangeSchema.safeParse(options).success).to.equal(true);
    });

  const doubtful: Record<string, unknown> = {
    null: null,
    'a text': 'a',
    'a list': [],
    'a number as a bound': { gte: 5 },
    'a limit that is no whole number': { limit: 1.5 },
    'a limit below zero': { limit: -1 },
    'a limit without end': { limit: Number.POSITIVE_INFINITY },
    'an option that there is not': { limt: 5 },
    'one that there is not, inherited': Object.create({ limt: 5 }),
    'a signal': { signal: new AbortController().signal },
  };
  for (const [what, options] of Object.entries(doubtful))
    it(`leaves ${what} to the schema`, () => expect(asked(options)).to.equal(false));
});
