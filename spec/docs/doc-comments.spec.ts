// The doc comments of the public face: every example runs and says what is so, and every call is shown in one.

import { expect } from 'chai';
import { publicCallables } from './doc-comments.js';
import { ExampleFolder, ROOT } from './example-folder.js';
import { docExamples } from './examples.js';

describe('doc comments', function () {
  this.timeout(60_000);
  const folder = new ExampleFolder();
  after(() => folder.remove());

  describe('their examples do what they say', () => {
    for (const example of docExamples()) it(example.place, () => folder.run(example));
  });

  it('show every public function and method in an example', () => {
    const shown = docExamples().map(({ code }) => code);
    const missing = publicCallables(ROOT).filter(({ owner, name }) => {
      const use =
        owner === undefined ? new RegExp(`\\b${name}\\(`) : new RegExp(`\\.${name.replace('$', '\\$')}`);
      return !shown.some((code) => use.test(code));
    });
    expect(missing.map(({ file, owner, name }) => `${file}: ${owner ?? ''}.${name}`)).to.deep.equal([]);
  });
});
