// lib/storage/own-files.ts: the names that are a store's own, however they are written.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { isOwnFile } from '../../lib/storage/own-files.js';

describe('isOwnFile', () => {
  let folder: string;
  let store: string;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'own-files-'));
    store = path.join(folder, 'shop.db');
    fs.writeFileSync(store, '');
    fs.symlinkSync(folder, path.join(folder, 'link'));
    fs.symlinkSync(store, path.join(folder, 'other.db'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const cases: readonly [name: string, own: boolean][] = [
    ['shop.db', true],
    ['shop.db.pending', true],
    ['shop.db.sort-0123456789abcdef', true],
    ['link/shop.db', true],
    ['link/shop.db.pending', true],
    ['other.db', true],
    ['shop.db.partial', false],
    ['shop.db.csv', false],
    ['shop.db.pending.csv', false],
    ['shop', false],
    ['nowhere/shop.db.pending', false],
  ];
  for (const [name, own] of cases)
    it(`says ${own ? 'yes' : 'no'} to ${name}`, () =>
      expect(isOwnFile(store, path.join(folder, name))).to.equal(own));
});
