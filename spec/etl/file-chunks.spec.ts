// lib/etl/file-chunks.ts

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fileChunks } from '../../lib/etl/file-chunks.js';

const CHUNK = 256 * 1024;
const content = Buffer.from(Uint8Array.from({ length: 3 * CHUNK }, (_, at) => (at * 31) ^ (at >>> 8)));

describe('file chunks', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'file-chunks-spec-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function read(length: number, start: number): Promise<Uint8Array[]> {
    const path = join(folder, 'file');
    writeFileSync(path, content.subarray(0, length));
    const handle = await open(path);
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of fileChunks(handle, start)) chunks.push(Buffer.from(chunk));
      return chunks;
    } finally {
      await handle.close();
    }
  }

  const tables: [length: number, start: number, chunks: number[]][] = [
    [0, 0, []],
    [1, 0, [1]],
    [1, 1, []],
    [1, 5, []],
    [CHUNK - 1, 0, [CHUNK - 1]],
    [CHUNK, 0, [CHUNK]],
    [CHUNK + 1, 0, [CHUNK, 1]],
    [CHUNK + 1, 2, [CHUNK - 1]],
    [3 * CHUNK, 0, [CHUNK, CHUNK, CHUNK]],
    [3 * CHUNK, CHUNK + 7, [CHUNK, CHUNK - 7]],
  ];
  for (const [length, start, lengths] of tables)
    it(`are ${lengths.join(', ') || 'none'} of ${length} bytes from ${start} on`, async () => {
      const chunks = await read(length, start);
      expect(chunks.map((chunk) => chunk.length)).to.deep.equal(lengths);
      expect(Buffer.concat(chunks).equals(content.subarray(start, Math.max(start, length)))).to.equal(true);
    });

  it('come in two buffers, whatever their number', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, content);
    const handle = await open(path);
    const memories = new Set<ArrayBufferLike>();
    for await (const chunk of fileChunks(handle, 0)) memories.add(chunk.buffer);
    await handle.close();
    expect(memories.size).to.equal(2);
  });

  it('stay as they are while they are worked on', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, content);
    const handle = await open(path);
    let at = 0;
    for await (const chunk of fileChunks(handle, 0)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(content.subarray(at, at + chunk.length).equals(chunk)).to.equal(true);
      at += chunk.length;
    }
    await handle.close();
    expect(at).to.equal(content.length);
  });

  it('end with the error of a read', async () => {
    const handle = await open(folder);
    const chunks = fileChunks(handle, 0);
    expect(await chunks.next().catch((error: unknown) => error)).to.have.property('code', 'EISDIR');
    await handle.close();
  });

  it('tell nobody of the next read where the one who reads has stopped', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, content);
    const handle = await open(path);
    let reads = 0;
    const failing = new Proxy(handle, {
      get: (target, name) =>
        name === 'read' && ++reads > 1
          ? () => Promise.reject(new Error('the spec wants it so'))
          : Reflect.get(target, name).bind(target),
    });
    for await (const chunk of fileChunks(failing, 0)) {
      expect(chunk.length).to.equal(CHUNK);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reads).to.equal(2);
    await handle.close();
  });
});
