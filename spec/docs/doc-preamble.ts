// What the examples of doc comments start from. Each runs beside a copy of this file, in a folder of its own, and
// takes from it the names that it uses: nothing else may load it, as it makes a store in the working directory.

import { open } from 'btree-store';

export { createReadStream, createWriteStream } from 'node:fs';
export { pipeline } from 'node:stream/promises';
export { importCsv, importNdjson, keys, open, StoreError, values } from 'btree-store';
export { z } from 'zod';

export const db = await open('example.db');
export const users = db.bucket('users');
export const orders = db.bucket('orders');
export const readings = db.bucket('readings');
export const files = db.bucket('files');

await db.write((tx) => {
  const people = tx.bucket('users');
  people.put('ada', 'Ada Lovelace');
  people.put('alan', 'Alan Turing');
  people.put('grace', 'Grace Hopper');
  const rows = tx.bucket('orders');
  rows.put('2023-0007', '{"id":"2023-0007","customer":"ada","total":"12.50"}');
  rows.put('2024-0001', '{"id":"2024-0001","customer":"grace","total":"8.00"}');
});
