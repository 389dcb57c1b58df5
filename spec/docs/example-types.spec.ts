// The examples of README.md and of doc comments, as the compiler sees them: all at once, which takes as long as one.

import { expect } from 'chai';
import { type Example, ExampleFolder } from './example-folder.js';
import { docExamples, readmeExamples } from './examples.js';

/** Shows that errors are found. */
const wrong: Example = {
  place: 'a wrong example',
  line: 2,
  code: "import { open } from 'btree-store';\nopen(7);",
  preamble: { code: 'export {};', files: new Map() },
};

describe('the examples of the documents', function () {
  this.timeout(60_000);

  it('have sound types', async () => {
    const folder = new ExampleFolder();
    try {
      const errors = await folder.typeErrors([...readmeExamples(), ...docExamples(), wrong]);
      expect(errors.at(-1)).to.match(/^a wrong example .*\(3,6\): error/);
      expect(errors.slice(0, -1)).to.deep.equal([]);
    } finally {
      folder.remove();
    }
  });
});
