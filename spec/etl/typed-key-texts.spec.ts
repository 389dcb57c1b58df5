// Texts that are no keys of their type, on every way of an import and a sort: none becomes the key of another row.

import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ImportReport, importCsv, importNdjson, keys, sortCsv, sortNdjson } from 'btree-store';
import { expect } from 'chai';
import { z } from 'zod';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();
const bytes = (...lines: string[]) => Readable.from([Buffer.from(`${lines.join('\n')}\n`)]);
const messages = ({ rejects }: ImportReport) => rejects.map(({ line, message }) => [line, message]);

describe('dates of rows', () => {
  const cells = ['2024-02-30', '2024-03-01', '2024-07-01T12:00:00', '2024-07-01T25:00:00'];
  const taken = ['2024-03-01T00:00:00.000Z', '2024-07-01T12:00:00.000Z'];
  const refused = [
    [2, 'day of the key must be a date, not "2024-02-30": there is no such day or time'],
    [5, 'day of the key must be a date, not "2024-07-01T25:00:00": there is no such day or time'],
  ];
  const lines = cells.map((day) => JSON.stringify({ day }));
  const days = { key: keys.date, value: z.object({ day: z.string() }) };

  it('are rejects where there is no such day, and overwrite none', async () => {
    const db = await stores.openMemory();
    const csv = await importCsv(db.bucket('csv'), bytes('day', ...cells), { key: 'day:date' });
    const json = await importNdjson(db.bucket('json'), bytes('', ...lines), { key: 'day:date' });
    const typed = await importCsv(db.bucket('typed', days), bytes('day', ...cells), { key: 'day' });
    for (const report of [csv, json, typed]) expect(messages(report)).to.deep.equal(refused);
    for (const name of ['csv', 'json', 'typed'])
      expect(Array.from(db.bucket(name, days).range().keys(), (day) => day.toISOString())).to.deep.equal(
        taken,
      );
  });

  it('are rejects also where a schema makes another day of them', async () => {
    const db = await stores.openMemory();
    const lenient = { key: keys.date, value: z.object({ day: z.coerce.date() }), format: 'msgpack' } as const;
    const report = await importCsv(db.bucket('b', lenient), bytes('day', ...cells.slice(0, 2)), {
      key: 'day',
    });
    expect(messages(report)).to.deep.equal(refused.slice(0, 1));
  });

  it('end a sort', async () => {
    const csv = sortCsv(bytes('day', ...cells), { key: 'day:date' });
    expect((await rejected('ROW_REJECTED', text(csv))).message)
      .to.contain('line 2')
      .and.contain('no such day');
    const json = sortNdjson(bytes(...lines), { key: 'day:date' });
    expect((await rejected('ROW_REJECTED', text(json))).message).to.contain('no such day');
  });
});
