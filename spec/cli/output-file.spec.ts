// lib/cli/output-file.ts: what is left of a file that could not be written.

import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { expect } from 'chai';
import { writeTo } from '../../lib/cli/output.js';
import { withOutput } from '../../lib/cli/output-file.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

function failing(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error('no rows'));
    },
  });
}

describe('withOutput', () => {
  const sources: Array<[what: string, write: (target: Writable, name: string) => Promise<void>]> = [
    ['a source that fails at once', (target, name) => writeTo(target, name, failing())],
    ['a source that cannot be made', async () => Promise.reject(new Error('no rows'))],
    [
      'rows that end in the middle',
      (target) => new Promise((_, reject) => target.write('a', () => reject(new Error('no rows')))),
    ],
  ];
  for (const [what, write] of sources)
    it(`leaves no file of ${what}, nor one that the system is still opening`, async () => {
      const output = await stores.path('out.csv');
      let target = new Writable();
      const failure = await withOutput({ output }, new AbortController().signal, (given, name) => {
        target = given;
        return write(given, name);
      }).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(Error).with.property('message', 'no rows');
      expect(target.closed).to.equal(true);
      expect(await readdir(dirname(output))).to.deep.equal([]);
    });
});
