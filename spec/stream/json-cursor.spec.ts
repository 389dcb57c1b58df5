// lib/stream/json-cursor.ts, held against JSON.parse.

import { expect } from 'chai';
import fc from 'fast-check';
import { JsonCursor } from '../../lib/stream/json-cursor.js';

/** Names and values as written; an array's items have no name. */
function walk(json: string): Array<[name: string | null, value: string]> {
  const cursor = new JsonCursor(Buffer.from(json));
  const found: Array<[string | null, string]> = [];
  while (cursor.next()) found.push([cursor.isArray ? null : cursor.name(), cursor.value()]);
  return found;
}

describe('json cursor', () => {
  const tables: Array<[json: string, found: Array<[string | null, string]>]> = [
    ['{}', []],
    [' [ ] ', []],
    [
      '{"b":1.0,"1":{"c":2}}',
      [
        ['b', '1.0'],
        ['1', '{"c":2}'],
      ],
    ],
    [
      '[1,"]",[2,[3]],{"a":"}"}]',
      [
        [null, '1'],
        [null, '"]"'],
        [null, '[2,[3]]'],
        [null, '{"a":"}"}'],
      ],
    ],
    [
      '{"\\u0061\\"":"\\"","é":null}',
      [
        ['a"', '"\\""'],
        ['é', 'null'],
      ],
    ],
    [
      ' {\t"a"\n:\r-0.5e-7 , "a" : true } ',
      [
        ['a', '-0.5e-7'],
        ['a', 'true'],
      ],
    ],
  ];
  for (const [json, found] of tables) {
    it(`walks ${json}`, () => expect(walk(json)).to.deep.equal(found));
  }

  it('tells strings, escapes and null', () => {
    const cursor = new JsonCursor(Buffer.from('{"a":"x","b":"\\n","c":null,"d":"null","e":["\\n"]}'));
    const found: boolean[][] = [];
    while (cursor.next()) found.push([cursor.isString(), cursor.isEscaped, cursor.isNull()]);
    expect(found).to.deep.equal([
      [true, false, false],
      [true, true, false],
      [false, false, true],
      [true, false, false],
      [false, false, false],
    ]);
  });

  it('knows a name that was guessed, and no other', () => {
    const cursor = new JsonCursor(Buffer.from('{"a":1,"ab":2,"\\u0061":3}'));
    const guess = Buffer.from('"a"');
    const found: Array<[boolean, string]> = [];
    while (cursor.next(guess)) found.push([cursor.isUsual, cursor.name()]);
    expect(found).to.deep.equal([
      [true, 'a'],
      [false, 'ab'],
      [false, 'a'],
    ]);
  });

  it('takes what JSON.parse takes and refuses what it refuses', () => {
    const sound = fc.json().map((json) => [...json]);
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '"',
        '\\',
        '\\u00',
        '1',
        '0',
        '-',
        '.',
        'e',
        '+',
        'true',
        'nul',
        'null',
        ' ',
        '\n',
        '\x01',
        'é',
      ),
      { maxLength: 14 },
    );
    // Sound JSON with a piece put in or taken out somewhere is often unsound by a hair.
    const spoilt = fc
      .tuple(sound, fc.nat(), fc.nat(1), fc.constantFrom('', ',', '"', '}', ']', '1', '\\', ' '))
      .map(([json, at, less, more]) => {
        const place = at % (json.length + 1);
        return [...json.slice(0, place), more, ...json.slice(place + less)];
      });
    fc.assert(
      fc.property(fc.oneof(sound, spoilt, pieces), (all) => {
        const json = all.join('');
        const opens = /^[ \n\r\t]*[{[]/.test(json);
        expect(outcome(() => walk(json))).to.equal(opens ? outcome(() => JSON.parse(json)) : 'SyntaxError');
      }),
      { numRuns: 10_000 },
    );
  });

  it('finds the values that JSON.parse finds', () =>
    fc.assert(
      fc.property(
        fc.object({ withNullPrototype: false }),
        fc.constantFrom(undefined, 1, '\t'),
        (object, space) => {
          const json = JSON.stringify(object, null, space);
          fc.pre(Buffer.from(json).toString() === json);
          const found = walk(json).map(([name, value]): [string, unknown] => [name ?? '', JSON.parse(value)]);
          expect(Object.fromEntries(found)).to.deep.equal(JSON.parse(json));
        },
      ),
    ));
});

function outcome(run: () => unknown): string {
  try {
    run();
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
