// Backups: a whole copy of one commit, or no file.

import fs from 'node:fs';
import path from 'node:path';
import type { Database } from 'btree-store';
import { expect } from 'chai';
import { rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

const pad = (n: number): string => String(n).padStart(6, '0');

function contentOf(db: Database): string[][] {
  return [...db.buckets()].flatMap(({ name, entries }) => [
    [name, String(entries)],
    ...db
      .bucket(name)
      .range()
      .toArray()
      .map(([key, value]) => [key.toString('latin1'), value.toString('latin1')]),
  ]);
}

async function fill(db: Database): Promise<void> {
  await db.createBucket('empty');
  await db.write((tx) => {
    for (let i = 0; i < 3000; i++) tx.bucket('rows').put(pad(i), `row ${i}`.padEnd(i % 90));
    for (let i = 0; i < 20; i++) tx.bucket('files').put(pad(i), Buffer.alloc(i * 3001, i));
  });
}

describe('backup', () => {
  const stores = useStores();

  for (const place of ['file', 'memory'] as const) {
    it(`copies every bucket of a store in ${place}`, async () => {
      const db = await stores.openIn(place);
      await fill(db);
      const target = await stores.path('copy.db');
      await db.backup(target);
      expect(contentOf(await stores.openAt(target))).to.deep.equal(contentOf(db));
    });
  }

  it('refuses the names of the files of the store', async () => {
    const db = await stores.open();
    await db.bucket('b').put('a', 'x');
    for (const ending of ['', '.pending', '.sort-0123456789abcdef']) {
      await rejected('CONFLICT', db.backup(`${db.path}${ending}`));
    }
    expect(db.bucket('b').get('a')?.toString()).to.equal('x');
  });

  it('keeps the positions of bulk loads', async () => {
    const db = await stores.open();
    const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
    writer.add('a', 'x');
    await writer.commit({ line: 7 });
    await writer.finish();
    const target = await stores.path('copy.db');
    await db.backup(target);
    expect((await stores.openAt(target)).bucket('b').bulkCheckpoint('import')).to.deep.equal({ line: 7 });
  });

  it('is of one commit, whatever is written meanwhile', async () => {
    const db = await stores.open();
    await fill(db);
    const before = contentOf(db);
    const target = await stores.path('copy.db');
    const copying = db.backup(target);
    for (let i = 0; i < 50; i++) await db.bucket('rows').put(pad(i), 'changed');
    await copying;
    expect(contentOf(await stores.openAt(target))).to.deep.equal(before);
  });

  it('does not overwrite a file', async () => {
    const db = await stores.open();
    const target = await stores.path('taken');
    fs.writeFileSync(target, 'mine');
    await rejected('CONFLICT', db.backup(target));
    expect(fs.readFileSync(target, 'utf8')).to.equal('mine');
    const link = await stores.path('link');
    fs.symlinkSync(path.join(path.dirname(target), 'nowhere'), link);
    await rejected('CONFLICT', db.backup(link));
    expect(fs.lstatSync(link).isSymbolicLink()).to.equal(true);
  });

  it('takes no other file away, and no log for its own', async () => {
    const db = await stores.open();
    await fill(db);
    const target = await stores.path('copy.db');
    const beside = [`${target}.partial`, `${target}.partial.pending`, `${target}.partial-12345678`];
    for (const path of beside) fs.writeFileSync(path, 'mine');
    fs.writeFileSync(`${target}.pending`, 'of a store that is gone');
    const refused = await rejected('CONFLICT', db.backup(target));
    expect(refused.message).to.contain(`${target}.pending already`);
    fs.rmSync(`${target}.pending`);
    const both = await Promise.allSettled([db.backup(target), db.backup(target)]);
    expect(both.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    expect(contentOf(await stores.openAt(target))).to.deep.equal(contentOf(db));
    for (const path of beside) expect(fs.readFileSync(path, 'utf8')).to.equal('mine');
    const names = fs.readdirSync(path.dirname(target)).filter((name) => name.includes('.partial'));
    expect(names).to.have.length(beside.length);
  });

  it('is refused where another got the name meanwhile, also if that is gone again', async () => {
    const db = await stores.open();
    await fill(db);
    const target = await stores.path('copy.db');
    const { linkSync } = fs;
    const table = fs as { linkSync: typeof linkSync };
    table.linkSync = (from, to) => {
      fs.writeFileSync(to, 'another');
      try {
        linkSync(from, to);
      } finally {
        fs.rmSync(to);
      }
    };
    try {
      await rejected('CONFLICT', db.backup(target));
    } finally {
      table.linkSync = linkSync;
    }
    expect(fs.readdirSync(path.dirname(target)).filter((name) => name.startsWith('copy'))).to.deep.equal([]);
  });

  it('leaves no file when it is stopped, or cannot be written', async () => {
    const db = await stores.open();
    await fill(db);
    const target = await stores.path('copy.db');
    await rejected('ABORTED', db.backup(target, { signal: AbortSignal.abort() }));
    const nowhere = path.join(target, 'no');
    const missed = await rejected('STORE_NOT_FOUND', db.backup(path.join(nowhere, 'folder.db')));
    expect(missed.message).to.contain(`there is no folder ${nowhere} `).and.not.contain('partial');
    expect(fs.readdirSync(path.dirname(target)).filter((name) => name.startsWith('copy'))).to.deep.equal([]);
  });
});
