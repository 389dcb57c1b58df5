// lib/etl/json-line.ts

import { expect } from 'chai';
import fc from 'fast-check';
import { JsonLine } from '../../lib/etl/json-line.js';

const MEMBERS = ['id', 'é', '__proto__'];

/** Whether the text is known to be an object, and the texts of the members. */
function seen(text: string): { isObject: boolean; members: (string | undefined)[] } {
  const line = new JsonLine(MEMBERS);
  // Lines stand anywhere, others before and behind them.
  const before = Buffer.from('}"\\ \n');
  const bytes = Buffer.concat([before, Buffer.from(text), Buffer.from('\n"}]')]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isObject = line.isObject(bytes, view, before.length, bytes.length - 4);
  const members = MEMBERS.map((_, member) =>
    line.ends[member] === 0 ? undefined : bytes.toString('utf8', line.starts[member], line.ends[member]),
  );
  return { isObject, members };
}

/** What a key is made of where a member is a text, a number that nothing is lost of, or a truth value. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe('json line', () => {
  const found: Array<[text: string, id: string | undefined]> = [
    ['{}', undefined],
    ['{"id":"a"}', 'a'],
    ['{ "id" :\t"a"\r}', 'a'],
    ['{"id":"é😀\u2028"}', 'é😀\u2028'],
    ['{"id":""}', undefined],
    ['{"id":"a\\n"}', undefined],
    ['{"id":0}', '0'],
    ['{"id":-12}', '-12'],
    ['{"id":-0}', undefined],
    ['{"id":1.0}', undefined],
    ['{"id":1e3}', undefined],
    ['{"id":123456789012345}', '123456789012345'],
    ['{"id":1234567890123456}', undefined],
    ['{"id":true,"b":false}', 'true'],
    ['{"id":false}', 'false'],
    ['{"id":null}', undefined],
    ['{"id":{"id":1}}', undefined],
    ['{"id":[1,{"id":2},"3"]}', undefined],
    ['{"a":{"id":1},"id":2}', '2'],
    ['{"id":1,"id":2}', '2'],
    ['{"id":1,"id":null}', undefined],
    ['{"id":1,"id":[[]]}', undefined],
    ['{"a":[[],{},[{}],{"b":[]}],"id":7,"c":"\\u00e9\\"\\\\"}', '7'],
    ['{"idd":1,"i":2}', undefined],
    [`{"a":${'['.repeat(29)}${']'.repeat(29)},"id":"x"}`, 'x'],
    ['{"a":1.5e-7,"b":-0.0E+2,"c":0,"id":"x"}', 'x'],
  ];
  for (const [text, id] of found) {
    it(`knows ${text.slice(0, 40)}`, () => {
      expect(parsed(text)).to.be.an('object');
      expect(seen(text)).to.deep.equal({ isObject: true, members: [id, undefined, undefined] });
    });
  }

  it('finds each member', () => {
    expect(seen('{"__proto__":"p","é":3,"id":"i"}').members).to.deep.equal(['i', '3', 'p']);
  });

  const unknown = [
    ...['', '1', '"a"', '[]', 'null', '{', '}', '{}}', '{} {}', '{]', '[}', '{"a"}', '{"a":}', '{"a":1,}'],
    ...['{,}', '{"a":1 "b":2}', '{"a" 1}', '{a:1}', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1}', '{"a":[1]]}'],
    ...['{"a":01}', '{"a":-}', '{"a":1.}', '{"a":.5}', '{"a":1e}', '{"a":1e+}', '{"a":+1}', '{"a":0x1}'],
    ...['{"a":tru}', '{"a":True}', '{"a":nul}', '{"a":falsy}', '{"a":nulll}', '{"a":NaN}', '{"a":1-}'],
    ...[
      '{"a":"\t"}',
      '{"a":"\\x"}',
      '{"a":"\\u00g0"}',
      '{"a":"\\u00"}',
      '{"a":"',
      '{"a',
      '{"a":"\\',
      '{"a":"\\"}',
    ],
    ...['{"a":1}\f', '{\u00a0}', '{"a":\v1}', "{'a':1}", '{"a":1}//', '{"a":1n}'],
    // These are JSON, and left to those who know more.
    ...['{"\\u0069d":1}', `{"a":${'['.repeat(30)}${']'.repeat(30)}}`],
  ];
  for (const text of unknown) {
    it(`does not know ${JSON.stringify(text).slice(0, 40)}`, () => {
      expect(seen(text).isObject).to.equal(false);
    });
  }

  it('takes no name that JSON writes with escapes', () => {
    const names = ['id', 'é', '😀', '__proto__', 'a b', '', 'a"b', 'a\\b', 'a\nb', '\ud83d', '\u007f'];
    expect(names.filter((name) => JsonLine.canFind(name))).to.deep.equal([...names.slice(0, 6), '\u007f']);
  });
});

describe('json line, whatever it is', () => {
  const name = fc.constantFrom(...MEMBERS, 'a', 'id"', '\\', 'i', 'idd', '');
  const { value } = fc.letrec<{ value: unknown; scalar: unknown }>((tie) => ({
    scalar: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 9 }),
      fc.string({ unit: 'grapheme', maxLength: 9 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constantFrom(true, false, null),
    ),
    value: fc.oneof(
      { maxDepth: 4 },
      { weight: 4, arbitrary: tie('scalar') },
      { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
      {
        weight: 2,
        arbitrary: fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map(Object.fromEntries),
      },
    ),
  }));
  const members = fc.array(fc.tuple(name, value), { maxLength: 6 });
  const written = (each: [string, unknown][]): string =>
    `{${each.map(([key, part]) => `${JSON.stringify(key)}:${JSON.stringify(part)}`).join(',')}}`;
  const object = members.map(written);

  const agree = (text: string): void => {
    const { isObject, members } = seen(text);
    if (!isObject) return;
    const known = parsed(text);
    expect(known, text).to.be.an('object');
    for (const [member, text] of members.entries()) {
      const found = Object.entries(known as object).find(([key]) => key === MEMBERS[member])?.[1] as unknown;
      if (text !== undefined) expect(text).to.equal(textOf(found));
    }
  };

  it('is known if it is an object without escapes in its names, with its members', () =>
    fc.assert(
      fc.property(members, (each) => {
        const text = written(each);
        expect(seen(text).isObject, text).to.equal(each.every(([key]) => JSON.stringify(key) === `"${key}"`));
        agree(text);
      }),
      { numRuns: 3000 },
    ));

  it('is JSON wherever it is known, be a byte changed, left out or put in', () =>
    fc.assert(
      fc.property(
        object,
        fc.nat(),
        fc.constantFrom('', ...'{}[]",:\\ \t\u0001-+.eE019truefalsn/u', 'é'),
        fc.nat({ max: 1 }),
        (text, place, put, gone) => {
          const at = place % (text.length + 1);
          agree((text.slice(0, at) + put + text.slice(at + gone)).toWellFormed());
        },
      ),
      { numRuns: 20_000 },
    ));
});
