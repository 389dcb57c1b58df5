// Rows on their way through an external sort. Where rows with one key all stay, what is sorted by is the key with the
// row's number behind it, so that no two are the same and they keep their order:
//
//      the key, 00 as 00 ff    00 00    the row's number, 8 bytes, the greatest first
//
// As in the keys of several parts (see `key-tuple.ts`), a key that is the beginning of another sorts first.

import { keyBytesMax } from '../format/node.js';
import type { ExternalSort } from '../sort/external-sort.js';
import { ByteArena } from '../stream/byte-arena.js';
import { EntryBlock } from '../tree/entry-block.js';
import { rowRefused } from './reject-messages.js';
import type { RowBatch } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';

const BLOCK_BYTES = 256 * 1024;
/** As in a store with the largest pages; a sort's run holds a key of twice that. */
const KEY_BYTES_MAX = keyBytesMax(65536);
const ZERO = 0x00;
const ZERO_ESCAPE = 0xff;
const WORD = 2 ** 32;

export class RowSorter<Batch extends RowBatch> {
  rows = 0;
  rowsOut = 0;
  private lineEnd: Buffer | undefined;
  private readonly key = new ByteArena(1024);
  private readonly numbered = new ByteArena(1024);
  private readonly block = new EntryBlock(BLOCK_BYTES);

  /** @param keepsAll Whether rows with one key all stay. */
  constructor(
    private readonly keys: RowKeyWriter<Batch>,
    private readonly sort: ExternalSort,
    private readonly keepsAll: boolean,
  ) {}

  /** Takes the rows of a batch. Raises ROW_REJECTED at the first that cannot be taken. */
  async take(batch: Batch): Promise<void> {
    const refused = batch.rejects.at(0);
    for (let row = 0; row < batch.length; row++) {
      if (refused !== undefined && refused.byteOffset < batch.byteOffset(row)) break;
      const key = this.keyOf(batch, row);
      const raw = batch.raw(row);
      if (!this.block.hasRoom(key.length, raw.length) || this.block.isFilled(BLOCK_BYTES))
        await this.handOver();
      this.block.add(key, raw);
      this.lineEnd ??= Buffer.from(batch.lineEnd(row));
      this.rows++;
    }
    if (refused !== undefined) throw rowRefused(refused);
  }

  /** Hands out all rows in order, with their line ends, a few at a time. */
  async give(header: Buffer | undefined, push: (rows: Buffer) => Promise<void>): Promise<void> {
    await this.handOver();
    const lineEnd = lineEndOf(header) ?? this.lineEnd ?? Buffer.from('\n');
    if (header !== undefined) await push(header);
    if (this.sort.isEmpty) return;
    const limits = { entries: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
    await this.sort.drain(
      async (block) => {
        this.rowsOut += block.count;
        await push(linesOf(block, lineEnd));
      },
      () => limits,
    );
  }

  private async handOver(): Promise<void> {
    if (this.block.isEmpty) return;
    await this.sort.add(this.block);
    this.block.clear();
  }

  /** What a row is sorted by: a view that is valid until the next call. */
  private keyOf(batch: Batch, row: number): Buffer {
    const { key, keys } = this;
    key.clear();
    if (!keys.write(batch, row, key)) throw rowRefused(batch.reject(row, 'NO_KEY', keys.problem));
    const found = this.keepsAll ? this.withNumber() : key;
    if (key.length <= KEY_BYTES_MAX && found.length <= 2 * KEY_BYTES_MAX - 1024)
      return found.bytes.subarray(0, found.length);
    const message = `the key takes ${found.length} bytes, more than a sort can take: sort by less`;
    throw rowRefused(batch.reject(row, 'KEY_TOO_LARGE', message));
  }

  private withNumber(): ByteArena {
    const { key, numbered } = this;
    numbered.clear();
    numbered.reserve(key.length * 2 + 10);
    for (let at = 0; at < key.length; at++) {
      const byte = key.bytes[at];
      numbered.appendByte(byte);
      if (byte === ZERO) numbered.appendByte(ZERO_ESCAPE);
    }
    const { bytes, length } = numbered;
    bytes.writeUInt16BE(0, length);
    bytes.writeUInt32BE(Math.floor(this.rows / WORD), length + 2);
    bytes.writeUInt32BE(this.rows % WORD, length + 6);
    numbered.length = length + 10;
    return numbered;
  }
}

function lineEndOf(header: Buffer | undefined): Buffer | undefined {
  const text = header?.subarray(-2).toString('latin1');
  return text === undefined ? undefined : Buffer.from(/\r?\n$|\r$/.exec(text)?.[0] ?? '\n');
}

function linesOf(block: EntryBlock, lineEnd: Buffer): Buffer {
  let bytes = block.count * lineEnd.length;
  for (let index = 0; index < block.count; index++) bytes += block.valueLengths[index];
  const lines = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (let index = 0; index < block.count; index++) {
    const row = block.valueView(index);
    lines.set(row, at);
    at += row.length;
    at += lineEnd.copy(lines, at);
  }
  return lines;
}
