// What a store tells by Observables, taken together: commits in order and without a gap, in step with what is watched,
// and nothing that is kept, pinned or running once nobody subscribes. Each has specs of its own beside this one:
// watchers.spec.ts, etl/import-job.spec.ts, stream/bulk-writer.spec.ts.

import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Change, type Database, importNdjson } from 'btree-store';
import { expect } from 'chai';
import { type Observable, type Subscription, take } from 'rxjs';
import { numbered } from './helpers/bytes.js';
import { Child } from './helpers/child.js';
import { collectUntil } from './helpers/collect.js';
import { inTime } from './helpers/in-time.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

/** Writes of every kind, many of them at once so that they share commits. */
async function writeAll(db: Database): Promise<void> {
  const bucket = db.bucket('b');
  const waves = Array.from({ length: 4 }, async (_, wave) => {
    for (let i = 0; i < wave; i++) await nextTurn();
    await Promise.all(Array.from({ length: 200 }, (_, i) => bucket.put(numbered(wave * 200 + i), 'v')));
  });
  const writer = bucket.bulkWriter({ sorted: false, commitEvery: { entries: 100 } });
  for (let i = 0; i < 1000; i++)
    if (!writer.add(numbered((i * 7919) % 1000, 'load'), 'v')) await writer.drained();
  const rows = Readable.from(Array.from({ length: 500 }, (_, i) => Buffer.from(`{"id":"row${i}"}\n`)));
  await Promise.all([
    ...waves,
    writer.finish(),
    importNdjson(bucket, rows, { key: 'id', commitEvery: { entries: 50 } }),
    db.write((tx) => tx.bucket('b').deleteRange({ gte: numbered(10), lt: numbered(20) })),
    db.write((tx) => tx.bucket('other').put('a', '1')),
  ]);
  const value = bucket.createValueWriteStream('large');
  await new Promise((resolve) => value.end(Buffer.alloc(100_000), () => resolve(undefined)));
  await db.dropBucket('b');
  await db.compact();
  await bucket.put('last', 'v');
}

describe('observables', () => {
  const stores = useStores();

  for (const [place, durability] of [
    ['file', 'commit'],
    ['file', 'none'],
    ['memory', 'commit'],
  ] as const) {
    it(`commits$ tells every commit in order, without a gap: ${place}, ${durability}`, async () => {
      const db = await stores.openIn(place, { durability });
      const told: number[] = [];
      let completed = false;
      db.commits$.subscribe({
        next: ({ sequence }) => {
          told.push(sequence);
          // It is what is seen from now on.
          current.push(db.read((snapshot) => snapshot.sequence));
        },
        complete: () => {
          completed = true;
        },
      });
      const current: number[] = [];
      const seen = new Set<number>();
      let isOver = false;
      const looking = (async () => {
        for (const first = db.read((snapshot) => snapshot.sequence); !isOver; await nextTurn()) {
          const sequence = db.read((snapshot) => snapshot.sequence);
          if (sequence > first) seen.add(sequence);
        }
      })();
      await writeAll(db).finally(() => {
        isOver = true;
      });
      await looking;
      expect(told.length).to.be.greaterThan(20);
      expect(told).to.deep.equal(current);
      for (let i = 1; i < told.length; i++) expect(told[i]).to.be.greaterThan(told[i - 1]);
      for (const sequence of seen) expect(told, 'told').to.include(sequence);
      expect(told.at(-1)).to.equal(db.read((snapshot) => snapshot.sequence));
      await stores.close(db);
      expect(completed).to.equal(true);
    });
  }

  it('a watch tells of each commit before commits$ does, in the same order, whatever is written', async () => {
    const db = await stores.open();
    const events: [of: 'watch' | 'commits$', sequence: number][] = [];
    const changes: Change[] = [];
    db.bucket('b')
      .watch()
      .subscribe((change) => {
        events.push(['watch', change.sequence]);
        changes.push(change);
      });
    db.commits$.subscribe(({ sequence }) => events.push(['commits$', sequence]));
    await writeAll(db);
    const puts = changes.filter(({ type }) => type === 'put').length;
    expect(puts, 'the puts, the value that was streamed, and the last').to.equal(802);
    for (const type of ['load', 'deleteRange', 'drop'] as const)
      expect(changes.some((change) => change.type === type)).to.equal(true);
    let commit = 0;
    for (let i = 0; i < events.length; i++) {
      const [of, sequence] = events[i];
      if (of === 'commits$') commit = sequence;
      else {
        expect(sequence, 'of a commit that was told already').to.be.greaterThan(commit);
        expect(events[i + 1][1], 'what comes next is of the same commit').to.equal(sequence);
      }
    }
  });

  it('a subscriber may write and unsubscribe while it is told', async () => {
    const db = await stores.open();
    const bucket = db.bucket('b');
    const seen: string[] = [];
    const writes: Promise<void>[] = [];
    bucket
      .watch()
      .pipe(take(5))
      .subscribe((change) => {
        if (change.type !== 'put') return;
        seen.push(String(change.key));
        if (change.key.toString().length < 3) writes.push(bucket.put(`${change.key}x`, '1'));
      });
    await Promise.all([bucket.put('a', '1'), bucket.put('b', '1')]);
    for (let i = 0; i < writes.length; i++) await writes[i];
    expect(seen.length).to.equal(5);
    expect(seen.slice(0, 2)).to.deep.equal(['a', 'b']);
    expect(seen.slice(2, 4)).to.deep.equal(['ax', 'bx']);
    await bucket.put('z', '1');
    expect(seen.length).to.equal(5);
  });

  describe('once nobody subscribes', () => {
    /** Subscribes with an object that the Observable must not keep. */
    const sources: Record<string, (db: Database) => Observable<unknown>> = {
      commits$: (db) => db.commits$,
      watch: (db) => db.bucket('b').watch({ prefix: 'k' }),
      'watch with a signal': (db) => db.bucket('b').watch({ signal }),
      toObservable: (db) => db.bucket('b').range().toObservable(),
      'toObservable with a signal': (db) => db.bucket('b').range({ signal }).toObservable(),
    };
    const { signal } = new AbortController();

    for (const [name, source] of Object.entries(sources)) {
      it(`${name} keeps nothing of those who did`, async () => {
        const db = await stores.openMemory();
        await putAll(db, 'b', numberedKeys(2000), () => 'v');
        const observable = source(db);
        const subscribe = (): { weak: WeakRef<object>; subscription: Subscription } => {
          const seen: unknown[] = [];
          const subscription = observable.subscribe((event) => seen.push(event));
          return { weak: new WeakRef(seen), subscription };
        };
        const ended = Array.from({ length: 20 }, () => {
          const { weak, subscription } = subscribe();
          subscription.unsubscribe();
          return weak;
        });
        await db.bucket('b').put('k', '1');
        expect(db.stats().snapshots).to.equal(0);
        const left = (): number => ended.filter((weak) => weak.deref() !== undefined).length;
        await collectUntil(() => left() === 0);
        expect(left()).to.equal(0);
      });
    }

    for (const mode of ['unsubscribe', 'stay'] as const) {
      it(`a process ends of itself, without closing the store: ${mode}`, async () => {
        const child = new Child('child-subscriber.ts', [await stores.path(), mode]);
        await inTime(child.ended(), 30_000).catch(async (error: unknown) => {
          await child.kill();
          throw error;
        });
        const told = JSON.parse((await child.line()) ?? '{}');
        expect(told.kinds).to.deep.equal(['commit', 'entry', 'progress', 'put', 'rows']);
        expect(told.snapshots).to.equal(0);
        if (mode === 'unsubscribe') expect(told.after).to.equal(0);
        else expect(told.after).to.equal(3);
      });
    }
  });
});
