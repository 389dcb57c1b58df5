/**
 * Merges runs: of the records that the cursors stand at, a tree of losers finds the smallest with one
 * comparison a level. Two words of each key, from where the keys of all runs begin to differ, decide most
 * comparisons; bytes are looked at only where those agree.
 */
import { commonPrefixLength, compareKeys, keyHead } from '../format/key.js';
import type { PageMemory } from '../format/page-memory.js';
import type { EntryBlock } from '../tree/entry-block.js';
import { duplicateKey, type OnDuplicate } from './duplicate.js';
import { compareRecords, RECORD_KEY, recordBytes } from './entry-record.js';
import { type BlockLimits, type EntrySource, isFull } from './entry-source.js';
import { RunCursor } from './run-cursor.js';
import type { Run } from './run-format.js';
import type { RunOutput } from './run-output.js';
import { readBytes, type SortShape } from './sort-shape.js';

export class RunMerge implements EntrySource {
  duplicates = 0;
  private readonly memory: PageMemory;
  private readonly onDuplicate: OnDuplicate;
  private readonly cursors: readonly RunCursor[];
  /** Bytes that all keys of all runs begin with in common. */
  private readonly prefix: number;
  /** The words of the key that each cursor stands at. */
  private readonly high: Uint32Array;
  private readonly low: Uint32Array;
  /** Of each inner node, the cursor that lost there; children of node n are 2n and 2n + 1, cursors the last ones. */
  private readonly losers: Int32Array;
  private winner = 0;
  /** The key handed out last: its length, its words, and the bytes behind them. */
  private lastLength = -1;
  private lastHigh = 0;
  private lastLow = 0;
  private readonly lastRest: Buffer;

  /** The runs are in the order in which their entries came, and no key comes twice in one. */
  constructor(runs: readonly Run[], memory: PageMemory, shape: SortShape, onDuplicate: OnDuplicate) {
    this.memory = memory;
    this.onDuplicate = onDuplicate;
    this.prefix = sharedPrefix(runs);
    const bytes = readBytes(shape, runs.length);
    this.cursors = runs.map((run, i) => new RunCursor(run, memory, i * 2 * bytes, bytes, shape.pieceBytes));
    this.high = new Uint32Array(runs.length);
    this.low = new Uint32Array(runs.length);
    this.losers = new Int32Array(runs.length);
    this.lastRest = Buffer.allocUnsafeSlow(shape.pieceBytes);
  }

  /** Reads the first record of each run. Raises RUN_CORRUPT, IO_ERROR, as all that reads does. */
  async open(): Promise<void> {
    for (const cursor of this.cursors) cursor.begin();
    for (let i = 0; i < this.cursors.length; i++) {
      await this.cursors[i].nextPiece();
      this.takeHead(i);
    }
    this.buildTree();
  }

  async fill(block: EntryBlock, limits: BlockLimits): Promise<void> {
    while (!this.isDone) {
      const cursor = this.cursors[this.winner];
      if (this.isRepeated(cursor)) this.dropDuplicate(cursor);
      else {
        if (!block.isEmpty && isFull(block, limits, cursor.keyLength, cursor.valueLength)) return;
        this.keepKey(cursor);
        if (cursor.isLong) block.addOwned(cursor.copyKey(), await cursor.readLongValue());
        else block.addAligned(this.memory, cursor.at + RECORD_KEY, cursor.keyLength, cursor.valueLength);
      }
      if (!cursor.next()) await cursor.nextPiece();
      this.replay();
    }
  }

  /** Writes all entries to a run. */
  async writeTo(output: RunOutput, pause: () => Promise<void>): Promise<void> {
    while (!this.isDone) {
      const cursor = this.cursors[this.winner];
      if (this.isRepeated(cursor)) this.dropDuplicate(cursor);
      else {
        this.keepKey(cursor);
        const bytes = recordBytes(cursor.keyLength, cursor.valueLength);
        if (cursor.isLong) await output.putLong(cursor.copyKey(), await cursor.readLongValue());
        else {
          if (!output.fits(bytes)) {
            await output.nextPiece();
            await pause();
          }
          output.put(cursor.at, bytes);
        }
      }
      if (!cursor.next()) await cursor.nextPiece();
      this.replay();
    }
  }

  /** Waits for reads under way, so that their memory and files may be given up. */
  async close(): Promise<void> {
    for (const cursor of this.cursors) await cursor.close();
  }

  private get isDone(): boolean {
    return this.cursors[this.winner].at < 0;
  }

  private takeHead(index: number): void {
    const cursor = this.cursors[index];
    if (cursor.at < 0) {
      this.high[index] = 0xffffffff;
      this.low[index] = 0xffffffff;
      return;
    }
    const { bytes } = this.memory;
    const key = cursor.at + RECORD_KEY;
    const end = key + cursor.keyLength;
    this.high[index] = keyHead(bytes, end, key + this.prefix);
    this.low[index] = keyHead(bytes, end, key + this.prefix + 4);
  }

  private buildTree(): void {
    const count = this.cursors.length;
    const winners = new Int32Array(2 * count);
    for (let i = 0; i < count; i++) winners[count + i] = i;
    for (let node = count - 1; node > 0; node--) {
      const left = winners[2 * node];
      const right = winners[2 * node + 1];
      const leftWins = this.isBefore(left, right);
      winners[node] = leftWins ? left : right;
      this.losers[node] = leftWins ? right : left;
    }
    this.winner = count === 1 ? 0 : winners[1];
  }

  /** The winner's cursor has moved: finds the one that wins now. */
  private replay(): void {
    const { losers } = this;
    let winner = this.winner;
    this.takeHead(winner);
    for (let node = (this.cursors.length + winner) >>> 1; node > 0; node >>>= 1) {
      const other = losers[node];
      if (!this.isBefore(other, winner)) continue;
      losers[node] = winner;
      winner = other;
    }
    this.winner = winner;
  }

  private isBefore(a: number, b: number): boolean {
    const { high, low } = this;
    if (high[a] !== high[b]) return high[a] < high[b];
    if (low[a] !== low[b]) return low[a] < low[b];
    return this.isTieBefore(a, b);
  }

  /** Of equal keys the one that stays comes first. */
  private isTieBefore(a: number, b: number): boolean {
    const aAt = this.cursors[a].at;
    const bAt = this.cursors[b].at;
    if (aAt < 0) return false;
    if (bAt < 0) return true;
    const { bytes, u32 } = this.memory;
    const order = compareRecords(bytes, u32, aAt, bAt, this.prefix);
    if (order !== 0) return order < 0;
    return this.onDuplicate === 'replace' ? a > b : a < b;
  }

  /** Keeps the key that is handed out: its record may be gone when the next one comes. */
  private keepKey(cursor: RunCursor): void {
    const rest = cursor.at + RECORD_KEY + this.prefix + 8;
    this.lastLength = cursor.keyLength;
    this.lastHigh = this.high[this.winner];
    this.lastLow = this.low[this.winner];
    const { bytes } = this.memory;
    const { lastRest } = this;
    const restLength = cursor.keyLength - this.prefix - 8;
    for (let i = 0; i < restLength; i++) lastRest[i] = bytes[rest + i];
  }

  private isRepeated(cursor: RunCursor): boolean {
    const { winner } = this;
    if (this.high[winner] !== this.lastHigh || this.low[winner] !== this.lastLow) return false;
    if (cursor.keyLength !== this.lastLength) return false;
    const restLength = cursor.keyLength - this.prefix - 8;
    if (restLength <= 0) return true;
    const rest = cursor.at + RECORD_KEY + this.prefix + 8;
    const bytes = this.memory.bytes.subarray(rest, rest + restLength);
    return compareKeys(bytes, restLength, this.lastRest, restLength) === 0;
  }

  private dropDuplicate(cursor: RunCursor): void {
    if (this.onDuplicate === 'error') throw duplicateKey(cursor.copyKey());
    this.duplicates++;
  }
}

function sharedPrefix(runs: readonly Run[]): number {
  const [{ firstKey }] = runs;
  let shared = firstKey.length;
  // What a run's first and last key share, all between them do.
  for (const run of runs)
    for (const key of [run.firstKey, run.lastKey])
      shared = commonPrefixLength(firstKey, shared, key, key.length);
  return shared;
}
