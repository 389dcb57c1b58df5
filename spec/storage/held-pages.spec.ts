// lib/storage/held-pages.ts and snapshots.ts: no page comes back while anything still reaches it.

import { expect } from 'chai';
import fc from 'fast-check';
import { HeldPages } from '../../lib/storage/held-pages.js';
import { NumberList } from '../../lib/storage/number-list.js';
import { Snapshots } from '../../lib/storage/snapshots.js';
import { seeded } from '../helpers/seed.js';

function listOf(values: readonly number[]): NumberList {
  const list = new NumberList();
  for (const value of values) list.push(value);
  return list;
}

interface Freed {
  readonly page: number;
  readonly birth: number;
  readonly death: number;
}

const operation = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('commit' as const), fc.nat(6)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('pin' as const), fc.nat(5)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('unpin' as const), fc.nat(20)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('checkpoint' as const), fc.nat(2)) },
);

/** Held pages beside a list of all that was freed, looked through in full each time. */
class HeldModel {
  private readonly held = new HeldPages();
  private readonly snapshots = new Snapshots((sequence) => this.collect(sequence));
  private readonly pinned: number[] = [];
  private waiting: Freed[] = [];
  private back: number[] = [];
  private sequence = 1;
  private durable = 0;
  private nextPage = 0;

  commit(pages: number): void {
    this.sequence++;
    const freed = Array.from({ length: pages }, (_, index) => ({
      page: this.nextPage++,
      birth: Math.max(0, this.sequence - 1 - index * 2),
      death: this.sequence,
    }));
    const numbers = listOf(freed.map(({ page }) => page));
    this.held.add(numbers, listOf(freed.map(({ birth }) => birth)), this.sequence);
    this.waiting.push(...freed);
    this.collect(this.sequence - 1);
  }

  pin(age: number): void {
    // Nothing older than what a reader or the file reaches can be asked for.
    const sequence = Math.max(Math.min(this.durable, ...this.pinned), this.sequence - age);
    this.pinned.push(sequence);
    this.snapshots.pin(sequence);
  }

  unpin(which: number): void {
    if (this.pinned.length === 0) return;
    this.snapshots.unpin(this.pinned.splice(which % this.pinned.length, 1)[0]);
  }

  checkpoint(): void {
    this.durable = this.sequence;
    this.collect(-1);
  }

  private collect(after: number): void {
    const inFile = (birth: number, death: number): boolean => birth <= this.durable && this.durable < death;
    this.held.collect(
      after,
      (birth, death) => inFile(birth, death) || this.snapshots.needs(birth, death),
      (page) => this.back.push(page),
    );
  }

  expectSame(): void {
    const reached = ({ birth, death }: Freed): boolean =>
      [...this.pinned, this.durable].some((seen) => birth <= seen && seen < death);
    const due = this.waiting.filter((freed) => !reached(freed)).map(({ page }) => page);
    expect(this.back.splice(0).sort((a, b) => a - b)).to.deep.equal(due);
    this.waiting = this.waiting.filter(reached);
    expect(this.held.count).to.equal(this.waiting.length);
    expect(this.snapshots.count).to.equal(this.pinned.length);
  }
}

describe('held pages', () => {
  it('come back as soon as neither a snapshot nor the file needs them, and not before', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80, size: 'max' }), (steps) => {
        const model = new HeldModel();
        for (const [kind, amount] of steps) {
          if (kind === 'commit') model.commit(amount);
          if (kind === 'pin') model.pin(amount);
          if (kind === 'unpin') model.unpin(amount);
          if (kind === 'checkpoint') model.checkpoint();
          model.expectSame();
        }
      }),
      seeded(300),
    );
  });

  it('has nothing to hold of a commit that freed nothing', () => {
    const held = new HeldPages();
    held.add(new NumberList(), new NumberList(), 5);
    expect(held.count).to.equal(0);
  });
});

describe('snapshots', () => {
  it('tell of the last reader of a sequence only', () => {
    const told: number[] = [];
    const snapshots = new Snapshots((sequence) => told.push(sequence));
    for (const sequence of [3, 3, 4]) snapshots.pin(sequence);
    snapshots.unpin(3);
    expect([told, snapshots.count]).to.deep.equal([[], 2]);
    snapshots.unpin(3);
    expect([told, snapshots.count]).to.deep.equal([[3], 1]);
    snapshots.unpin(4);
    expect([told, snapshots.count]).to.deep.equal([[3, 4], 0]);
  });

  it('need what was there from a birth up to a death', () => {
    const snapshots = new Snapshots(() => undefined);
    snapshots.pin(5);
    for (const [birth, death, needed] of [
      [5, 6, true],
      [0, 6, true],
      [0, 100, true],
      [0, 5, false],
      [6, 7, false],
      [5, 5, false],
    ] as const)
      expect(snapshots.needs(birth, death), `${birth} to ${death}`).to.equal(needed);
  });

  it('reach a sequence from it or from a later one', () => {
    const snapshots = new Snapshots(() => undefined);
    snapshots.pin(5);
    expect([4, 5, 6].map((sequence) => snapshots.reaches(sequence))).to.deep.equal([true, true, false]);
  });
});

describe('number list', () => {
  it('keeps numbers past 32 bits, however many', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index * 2 ** 33 + index);
    const list = listOf(values);
    expect(list.length).to.equal(1000);
    values.forEach((value, index) => {
      expect(list.at(index)).to.equal(value);
    });
    list.clear();
    list.push(8);
    expect([list.length, list.at(0)]).to.deep.equal([1, 8]);
  });
});
