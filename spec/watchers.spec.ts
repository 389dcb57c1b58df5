// bucket.watch: every change that a commit makes inside the range, in commit order, and no other.

import type { Bucket, Change, ChangedRange, Database, RangeOptions, TransactionBucket } from 'btree-store';
import { expect } from 'chai';
import type { Observable } from 'rxjs';
import { take } from 'rxjs';
import { Watchers } from '../lib/watchers.js';
import { numbered, patterned } from './helpers/bytes.js';
import { raised, rejected } from './helpers/errors.js';
import { Random } from './helpers/random.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { scaledTimes, seed } from './helpers/seed.js';
import { useStores } from './helpers/store.js';

/** A change as text: short to write down and to compare. */
function told(change: Change): string {
  switch (change.type) {
    case 'put':
      return `put ${change.key}=${change.value}`;
    case 'delete':
      return `delete ${change.key}`;
    case 'drop':
      return 'drop';
    default:
      return `${change.type} ${shownBounds(change.bounds)}`.trim();
  }
}

function shownBounds(bounds: ChangedRange): string {
  return Object.entries(bounds)
    .map(([bound, key]) => `${bound} ${key}`)
    .join(' ');
}

/** Subscribes, and gathers the changes as text. */
function gathered(changes: Observable<Change>): string[] {
  const texts: string[] = [];
  changes.subscribe((change) => texts.push(told(change)));
  return texts;
}

describe('watch', () => {
  const stores = useStores();

  describe('what is told', () => {
    const write =
      (work: (bucket: TransactionBucket) => void) =>
      async (db: Database): Promise<void> => {
        await db.write((tx) => work(tx.bucket('b')));
      };
    /** Each begins with a bucket b of the keys a to e, the value of each its key. */
    const cases: {
      name: string;
      options?: RangeOptions;
      work: (db: Database) => Promise<unknown>;
      changes: string[];
    }[] = [
      { name: 'a put of a new key', work: (db) => db.bucket('b').put('x', '1'), changes: ['put x=1'] },
      { name: 'a put over a value', work: (db) => db.bucket('b').put('a', '1'), changes: ['put a=1'] },
      { name: 'an empty value', work: (db) => db.bucket('b').put('', ''), changes: ['put ='] },
      { name: 'a delete', work: (db) => db.bucket('b').delete('a'), changes: ['delete a'] },
      { name: 'no delete of a key that is not there', work: (db) => db.bucket('b').delete('x'), changes: [] },
      { name: 'an update', work: (db) => db.bucket('b').update('a', '1'), changes: ['put a=1'] },
      {
        name: 'no update of a key that is not there',
        work: (db) => db.bucket('b').update('x', '1'),
        changes: [],
      },
      {
        name: 'every step of a transaction, in its order',
        work: write((bucket) => {
          bucket.put('x', '1');
          bucket.put('x', '2');
          bucket.delete('x');
          bucket.delete('a');
          bucket.put('a', '3');
        }),
        changes: ['put x=1', 'put x=2', 'delete x', 'delete a', 'put a=3'],
      },
      {
        name: 'what lies in the bounds only',
        options: { gt: 'a', lte: 'd' },
        work: write((bucket) => {
          for (const key of 'abcdex') bucket.put(key, '1');
          for (const key of 'aeb') bucket.delete(key);
        }),
        changes: ['put b=1', 'put c=1', 'put d=1', 'delete b'],
      },
      {
        name: 'what has the prefix only',
        options: { prefix: 'c' },
        work: write((bucket) => {
          for (const key of ['b', 'c', 'ca', 'd']) bucket.put(key, '1');
        }),
        changes: ['put c=1', 'put ca=1'],
      },
      {
        name: 'a deleted range as one change',
        work: write((bucket) => void bucket.deleteRange({ gte: 'b', lt: 'd' })),
        changes: ['deleteRange gte b lt d'],
      },
      {
        name: 'a deleted range narrowed to what is watched',
        options: { gt: 'b', lte: 'c' },
        work: write((bucket) => void bucket.deleteRange({})),
        changes: ['deleteRange gt b lte c'],
      },
      {
        name: 'the bounds that a limit comes to',
        work: write((bucket) => void bucket.deleteRange({ gte: 'b', limit: 2 })),
        changes: ['deleteRange gte b lte c'],
      },
      {
        name: 'nothing of a range that was deleted elsewhere',
        options: { lt: 'c' },
        work: write((bucket) => void bucket.deleteRange({ gte: 'c' })),
        changes: [],
      },
      {
        name: 'nothing of a deleted range without entries',
        work: write((bucket) => void bucket.deleteRange({ gte: 'bb', lt: 'c' })),
        changes: [],
      },
      { name: 'a dropped bucket', work: (db) => db.dropBucket('b'), changes: ['drop'] },
      { name: 'nothing of a drop of another bucket', work: (db) => db.dropBucket('c'), changes: [] },
      {
        name: 'a bucket dropped and filled again',
        work: (db) =>
          db.write((tx) => {
            tx.dropBucket('b');
            tx.createBucket('b').put('x', '1');
          }),
        changes: ['drop', 'put x=1'],
      },
      {
        name: 'nothing of other buckets',
        work: (db) =>
          db.write((tx) => {
            tx.bucket('a').put('a', '1');
            tx.bucket('b').put('a', '2');
            tx.bucket('c').put('a', '3');
          }),
        changes: ['put a=2'],
      },
      {
        name: 'nothing of a transaction that is rolled back',
        work: async (db) => {
          const tx = await db.begin();
          tx.bucket('b').put('a', '1');
          await tx.rollback();
          await db.write((next) => next.bucket('b').put('a', '2'));
        },
        changes: ['put a=2'],
      },
      {
        name: 'a value that came as a stream, without its bytes',
        work: async (db) => {
          const stream = db.bucket('b').createValueWriteStream('s');
          stream.end(patterned(200_000, 1));
          await new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
        },
        changes: ['put s=undefined'],
      },
      {
        name: 'a bulk load as one change a commit, with the keys it touched',
        options: { lt: 'q' },
        work: async (db) => {
          const writer = db.bucket('b').bulkWriter();
          for (const key of ['g', 'h', 'i']) writer.add(key, '1');
          await writer.commit();
          // These go past the builder, since they are out of order.
          for (const key of ['p', 'r', 'f']) writer.add(key, '1');
          await writer.finish();
        },
        changes: ['load gte g lte i', 'load gte f lt q'],
      },
      {
        name: 'nothing of a bulk load elsewhere',
        options: { lt: 'f' },
        work: async (db) => {
          const writer = db.bucket('b').bulkWriter();
          for (const key of ['g', 'h', 'i']) writer.add(key, '1');
          await writer.finish();
        },
        changes: [],
      },
      {
        name: 'a transaction that is too long for the log, entry by entry',
        options: { prefix: 'k0000999' },
        work: write((bucket) => {
          for (const key of numberedKeys(10_000)) bucket.put(key, key.padEnd(150));
        }),
        changes: numberedKeys(10_000)
          .slice(9990)
          .map((key) => `put ${key}=${key.padEnd(150)}`),
      },
      {
        name: 'nothing of pages that are moved',
        work: async (db) => {
          await db.compact();
        },
        changes: [],
      },
    ];
    for (const place of ['file', 'memory'] as const) {
      for (const { name, options, work, changes } of cases) {
        it(`is ${name}, in ${place === 'file' ? 'a file' : 'memory'}`, async () => {
          const db = await stores.openIn(place);
          await putAll(db, 'b', [...'abcde'], (index) => 'abcde'[index]);
          const texts = gathered(db.bucket('b').watch(options));
          await work(db);
          expect(texts).to.deep.equal(changes);
        });
      }
    }
  });

  describe('when', () => {
    it('is before the promise of the write resolves, and after the commit is visible', async () => {
      const db = await stores.open();
      const seen: string[] = [];
      db.bucket('b')
        .watch()
        .subscribe((change) => {
          expect(change.sequence).to.equal(db.stats().sequence);
          seen.push(`${told(change)}, read ${db.bucket('b').get('a')}`);
        });
      await db.bucket('b').put('a', '1');
      expect(seen).to.deep.equal(['put a=1, read 1']);
      const transaction = await db.begin();
      transaction.bucket('b').put('a', '2');
      expect(seen.length).to.equal(1);
      await transaction.commit();
      expect(seen).to.deep.equal(['put a=1, read 1', 'put a=2, read 2']);
    });

    it('is in commit order, one sequence a commit, before the event of the commit', async () => {
      const db = await stores.open();
      const events: string[] = [];
      db.commits$.subscribe(({ sequence }) => events.push(`commit ${sequence}`));
      db.bucket('b')
        .watch()
        .subscribe(({ sequence }) => events.push(`change ${sequence}`));
      for (let round = 0; round < 10; round++)
        await Promise.all(numberedKeys(20).map((key) => db.bucket('b').put(key, String(round))));
      let last = 0;
      for (let at = 0; at < events.length; ) {
        const [, sequence] = events[at].split(' ');
        expect(Number(sequence)).to.be.greaterThan(last);
        last = Number(sequence);
        while (events[at] === `change ${sequence}`) at++;
        expect(events[at++]).to.equal(`commit ${sequence}`);
      }
      expect(events.filter((event) => event.startsWith('change')).length).to.equal(200);
    });

    it('covers a transaction that was under way when the watch began, as a whole', async () => {
      const db = await stores.openMemory();
      await putAll(db, 'b', ['a', 'z'], () => '1');
      const transaction = await db.begin();
      transaction.bucket('b').put('a', '2');
      transaction.bucket('other').put('a', '2');
      const late = gathered(db.bucket('b').watch({ lt: 'm' }));
      const none = gathered(db.bucket('none').watch());
      transaction.bucket('b').put('b', '2');
      await transaction.commit();
      await db.bucket('b').put('c', '3');
      expect(late).to.deep.equal(['load lt m', 'put c=3']);
      expect(none).to.deep.equal([]);
    });

    it('goes on for the others where one of them unsubscribes', async () => {
      const db = await stores.openMemory();
      const all = gathered(db.bucket('b').watch());
      const two = gathered(db.bucket('b').watch().pipe(take(2)));
      const others = gathered(db.bucket('b').watch());
      await putAll(db, 'b', ['a', 'b', 'c'], () => '1');
      expect(two).to.deep.equal(['put a=1', 'put b=1']);
      expect(all).to.deep.equal(['put a=1', 'put b=1', 'put c=1']);
      expect(others).to.deep.equal(all);
    });

    it('ends when the store is closed, and only then', async () => {
      const db = await stores.open();
      const bucket = db.bucket('b');
      const changes = bucket.watch();
      let completed = 0;
      const subscribe = () => changes.subscribe({ complete: () => completed++ });
      subscribe();
      subscribe();
      await bucket.put('a', '1');
      await db.dropBucket('b');
      expect(completed).to.equal(0);
      await stores.close(db);
      expect(completed).to.equal(2);
      subscribe();
      expect(completed).to.equal(3);
      raised('STORE_CLOSED', () => bucket.watch());
    });
  });

  describe('options', () => {
    const wrong = [
      { limit: 1 },
      { reverse: true },
      { reverse: false },
      { gte: 1 as unknown as string },
      { until: 'x' } as RangeOptions,
    ];
    for (const options of wrong) {
      it(`that are ${JSON.stringify(options)} raise INVALID_OPTION`, async () => {
        const db = await stores.openMemory();
        raised('INVALID_OPTION', () => db.bucket('b').watch(options));
      });
    }
  });

  it('hands out copies', async () => {
    const db = await stores.openMemory();
    const changes: Change[] = [];
    db.bucket('b')
      .watch()
      .subscribe((change) => changes.push(change));
    const key = Buffer.from('key');
    const value = Buffer.from('value');
    await db.write((tx) => {
      tx.bucket('b').put(key, value);
      key.fill(0);
      value.fill(0);
    });
    expect(changes.map(told)).to.deep.equal(['put key=value']);
    for (const change of changes) if (change.type === 'put') change.value?.fill(0);
    expect(db.bucket('b').get('key')?.toString()).to.equal('value');
  });

  it('does not let a subscriber that fails stand in the way of commits or of others', async () => {
    const db = await stores.openMemory();
    const failed = new Promise((resolve) => {
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of listeners) process.on('uncaughtException', listener);
        resolve(error.message);
      });
    });
    db.bucket('b')
      .watch()
      .subscribe(() => {
        throw new Error('of the subscriber');
      });
    const texts = gathered(db.bucket('b').watch());
    await db.bucket('b').put('a', '1');
    expect(texts).to.deep.equal(['put a=1']);
    expect(await failed).to.equal('of the subscriber');
  });

  it('tells of what a group keeps where one write of it cannot be made', async () => {
    const db = await stores.open();
    const texts = gathered(db.bucket('b').watch());
    const good = [db.bucket('b').put('a', '1'), db.bucket('b').put('b', '1')];
    const bad = rejected('KEY_TOO_LARGE', db.bucket('b').put('x'.repeat(2000), '1'));
    await Promise.all([...good, bad]);
    expect(texts).to.deep.equal(['put a=1', 'put b=1']);
  });

  it('keeps nothing of a transaction that nobody watches, or watches elsewhere, or no longer', () => {
    const watchers = new Watchers();
    const elsewhere = watchers.watch('b', { gt: 'k' }).subscribe();
    const ended = watchers.watch('b', {}).subscribe();
    const recorder = watchers.createRecorder();
    recorder.put('b', Buffer.from('a'), Buffer.from('1'));
    ended.unsubscribe();
    recorder.put('b', Buffer.from('b'), Buffer.from('1'));
    recorder.put('unwatched', Buffer.from('z'), Buffer.from('1'));
    expect(recorder.changes.length).to.equal(1);
    elsewhere.unsubscribe();
    recorder.put('b', Buffer.from('z'), Buffer.from('1'));
    recorder.deleteRange('b', {});
    recorder.load('b', () => {
      throw new Error('asked for bounds that nobody wants');
    });
    expect(recorder.changes.length).to.equal(1);
    expect([...recorder.touched]).to.deep.equal(['b', 'unwatched']);
  });

  it('keeps a copy up to date, whatever is written in whatever way', async () => {
    for (let run = 0; run < scaledTimes(3); run++) await keepsCopy(await stores.openMemory(), run);
  });
});

/** Applies changes to a copy of the bucket's range, as a subscriber would. */
class Copy {
  readonly entries = new Map<string, string>();
  private readonly bucket: Bucket;
  private readonly options: RangeOptions;

  constructor(bucket: Bucket, options: RangeOptions) {
    this.bucket = bucket;
    this.options = options;
    bucket.watch(options).subscribe((change) => this.apply(change));
    this.read(options);
  }

  private apply(change: Change): void {
    if (change.type === 'put') this.entries.set(change.key.toString(), String(change.value));
    else if (change.type === 'delete') expect(this.entries.delete(change.key.toString())).to.equal(true);
    else if (change.type === 'drop') this.entries.clear();
    else {
      this.drop(change.bounds);
      if (change.type === 'load') this.read(change.bounds);
    }
  }

  private drop({ gt, gte, lt, lte }: ChangedRange): void {
    for (const key of [...this.entries.keys()]) {
      const bytes = Buffer.from(key);
      if (gt !== undefined && Buffer.compare(bytes, gt) <= 0) continue;
      if (gte !== undefined && Buffer.compare(bytes, gte) < 0) continue;
      if (lt !== undefined && Buffer.compare(bytes, lt) >= 0) continue;
      if (lte !== undefined && Buffer.compare(bytes, lte) > 0) continue;
      this.entries.delete(key);
    }
  }

  private read(bounds: RangeOptions): void {
    for (const [key, value] of this.bucket.range(bounds)) this.entries.set(key.toString(), value.toString());
  }

  assertCurrent(): void {
    const held = this.bucket.range(this.options).toArray();
    const copy = [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(copy).to.deep.equal(held.map(([key, value]) => [key.toString(), value.toString()]));
  }
}

async function keepsCopy(db: Database, run: number): Promise<void> {
  const random = Random.of(seed, run);
  const bucket = db.bucket('b');
  const key = (): string => numbered(random.below(60));
  const copies = [new Copy(bucket, {}), new Copy(bucket, { gte: numbered(20), lt: numbered(40) })];
  const steps: (() => Promise<unknown>)[] = [
    () => bucket.put(key(), String(random.next())),
    () => Promise.all(Array.from({ length: 5 }, () => bucket.put(key(), String(random.next())))),
    () => bucket.delete(key()),
    () => db.dropBucket('b'),
    () =>
      db.write((tx) => {
        for (let i = random.below(40); i > 0; i--) {
          if (random.chance(0.3)) tx.bucket('b').delete(key());
          else tx.bucket('b').put(key(), String(random.next()));
        }
        if (random.chance(0.5)) tx.bucket('b').deleteRange({ gt: key(), lte: key() });
        if (random.chance(0.1)) tx.dropBucket('b');
        tx.bucket('b').put(key(), 'last');
      }),
    async () => {
      const writer = bucket.bulkWriter({ sorted: random.chance(0.5) ? false : 'auto' });
      for (let i = random.below(30); i > 0; i--) writer.add(key(), String(random.next()));
      await writer.finish();
    },
    async () => {
      // A watch that begins while a transaction is under way.
      const transaction = await db.begin();
      transaction.bucket('b').put(key(), 'before');
      copies.push(new Copy(bucket, { gt: key() }));
      transaction.bucket('b').put(key(), 'after');
      if (random.chance(0.8)) await transaction.commit();
      else await transaction.rollback();
    },
  ];
  for (let step = 0; step < 50; step++) {
    await random.pick(steps)();
    for (const copy of copies) copy.assertCurrent();
  }
}
