// npm run limits: the store against what the machine allows, in turn. A bulk load beside writing as many bytes with
// nothing else to do; a scan in batches of pages beside a loop that sums the lengths of entries out of the same memory.
//
//   --entries 1000000
//   --rounds 5
//   --folder PATH     where files are made; a folder on the disk that is to be measured

import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leafRecord, recordSuffixLength, recordValueLength } from '../dist/format/leaf.js';
import { nodeCount, prefixLength } from '../dist/format/node.js';
import { KIND_LEAF, pageKind } from '../dist/format/page.js';
import { PageMemory } from '../dist/format/page-memory.js';
import { Entries, KEY_BYTES, Tally } from './data.js';
import { BtreeStoreEngine } from './engines/btree-store-engine.js';
import { removeStore } from './prepare.js';
import { median, spread } from './report/statistics.js';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: join(os.tmpdir(), 'btree-store-bench') },
  },
});

const VALUE_BYTES = 100;
const PAGE_BYTES = 4096;
const PIECE_BYTES = 1 << 20;
const count = Number(values.entries);
const store = join(values.folder, 'limits.db');
const plain = join(values.folder, 'limits.bytes');

async function secondsOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** A load into a store that is new, until it is on the disk. */
async function load(): Promise<void> {
  const engine = new BtreeStoreEngine();
  await engine.open(store);
  await engine.load(new Entries(VALUE_BYTES), count);
  await engine.close();
}

/** As many bytes, in pieces, and one sync. */
function writeBytes(bytes: number): void {
  const piece = Buffer.alloc(PIECE_BYTES, 7);
  const descriptor = fs.openSync(plain, 'w');
  for (let left = bytes; left > 0; left -= PIECE_BYTES)
    fs.writeSync(descriptor, piece, 0, Math.min(left, PIECE_BYTES));
  fs.fdatasyncSync(descriptor);
  fs.closeSync(descriptor);
}

/** Bytes of keys and values in all leaves of a file that is in memory. */
function sumOfLengths(memory: PageMemory): number {
  let sum = 0;
  for (let base = 0; base < memory.bytes.length; base += PAGE_BYTES) {
    if (pageKind(memory, base) !== KIND_LEAF) continue;
    const prefix = prefixLength(memory, base);
    for (let slot = nodeCount(memory, base) - 1; slot >= 0; slot--) {
      const record = leafRecord(memory, base, slot);
      sum += prefix + recordSuffixLength(memory, record) + recordValueLength(memory, record);
    }
  }
  return sum;
}

/** Once more than there are rounds, the first to make the code warm; each round runs both. */
async function compare(one: () => unknown, other: () => unknown): Promise<readonly [number[], number[]]> {
  const times: readonly [number[], number[]] = [[], []];
  for (let round = -1; round < Number(values.rounds); round++) {
    const pair = [await secondsOf(one), await secondsOf(other)];
    if (round < 0) continue;
    times[0].push(pair[0]);
    times[1].push(pair[1]);
  }
  return times;
}

function tell(
  what: string,
  [one, other]: readonly [number[], number[]],
  amount: (s: number) => string,
): void {
  const parts = one.map((time, round) => other[round] / time);
  console.log(
    `${what}: ${amount(median(one))} against ${amount(median(other))}, ${(median(parts) * 100).toFixed(0)}% of it (±${(spread(parts) * 50).toFixed(0)}%)`,
  );
}

fs.mkdirSync(values.folder, { recursive: true });
removeStore(store);
await load();
const bytes = fs.statSync(store).size;
const loads = await compare(
  () => {
    removeStore(store);
    return load();
  },
  () => {
    fs.rmSync(plain, { force: true });
    writeBytes(bytes);
  },
);
tell(
  `bulk load of ${count} entries against writing its ${bytes} bytes`,
  loads,
  (seconds) => `${(bytes / seconds / 1e6).toFixed(0)} MB/s`,
);

const memory = new PageMemory(bytes);
fs.readFileSync(store).copy(memory.bytes);
const engine = new BtreeStoreEngine();
await engine.open(store, { cacheBytes: 2 * bytes });
const expected = count * (KEY_BYTES + VALUE_BYTES);
/** In the file are also the catalog, and leaves at the edge that the commits of the load have replaced: a thousandth. */
const most = expected * 1.001 + 200;
const check = (found: number): void => {
  if (found < expected || found > most) throw new Error(`${found} bytes were read, not ${expected}`);
};
const scans = await compare(
  async () => {
    const tally = new Tally();
    await engine.scan(tally);
    check(tally.bytes);
  },
  () => check(sumOfLengths(memory)),
);
tell(
  'scan in batches against summing lengths out of the same memory',
  scans,
  (seconds) => `${(count / seconds / 1e6).toFixed(1)} M/s`,
);
await engine.close();
for (const file of [store, plain]) removeStore(file);
