// The checker of examples itself: one that is wrong in any way is found to be, at its line.

import { expect } from 'chai';
import { ExampleFolder } from './example-folder.js';

const PREAMBLE = {
  code: "import { open } from 'btree-store';\nexport const db = await open('shop.db');",
  files: new Map([['note.txt', 'a note\n']]),
};

const WRONG: Record<string, readonly [code: string, message: RegExp]> = {
  'a value that is not the one claimed': ["'a'.length; // 2", /expected 1 to deeply equal 2/],
  'a value that is not the one after the arrow': [
    'const sum = 1 + 1; // => 3',
    /expected 2 to deeply equal 3/,
  ],
  'members that are not those claimed': [
    'const { ok } = await db.check(); // => { ok: false }',
    /deeply equal/,
  ],
  'a line that is printed otherwise': ["console.log('a'); // prints b", /deeply equal/],
  'a line that is not printed': ['// prints b', /deeply equal/],
  'a claim that is never reached': [
    "if (db.path === '') {\n  db.path; // 'b'\n}",
    /line 3 claims was never reached/,
  ],
  'a claim that cannot be checked': ['const sum =\n  1 + 1; // => 2\n} // => 3', /put it in one line/],
  'what raises': ['JSON.parse("{");', /JSON/],
  'what rejects': ['await db.begin({ waitMilliseconds: -1 });', /waitMilliseconds/],
  'a store that is left open': [
    "import { open } from 'btree-store';\nglobalThis.left = await open('left.db');",
    /left\.db open/,
  ],
};

describe('an example that is wrong is found', () => {
  const folder = new ExampleFolder();
  after(() => folder.remove());

  for (const [what, [code, message]] of Object.entries(WRONG)) {
    it(what, async () => {
      const before = process.cwd();
      const outcome = await folder.run({ place: 'here', line: 2, code, preamble: PREAMBLE }).catch(String);
      expect(outcome).to.match(message);
      expect(process.cwd()).to.equal(before);
    });
  }

  it('and one that is right is not', async () => {
    const code = [
      "import { readFileSync } from 'node:fs';",
      "readFileSync('note.txt', 'utf8'); // 'a note\\n'",
      'const { ok, problems } = await db.check(); // => { ok: true, problems: [] }',
      "for (const letter of 'ab') console.log(letter);",
      '// prints a',
      '// prints b',
      'const db2 = ok; // not a claim',
    ].join('\n');
    await folder.run({ place: 'here', line: 2, code, preamble: PREAMBLE });
  });
});
