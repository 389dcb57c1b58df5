/**
 * Turns for writing: begins transactions one after the other, and gathers single writes that wait for
 * their turn into one commit with one sync.
 */
import { Subject } from 'rxjs';
import type { ChangeRecorder } from './change-recorder.js';
import { stalledWait, watchWait } from './stalled-waits.js';
import type { Commit, Store } from './storage/store.js';
import type { WaitOptions } from './storage/writer-lock.js';
import { Transaction } from './transaction.js';
import { Watchers } from './watchers.js';

/** A commit that became visible and, for a durable store, is on the disk. */
export interface CommitEvent {
  /** Greater than that of every commit before; numbers in between were of transactions that made none. */
  readonly sequence: number;
}

/** One write outside a transaction, waiting for its turn. */
interface Waiting {
  readonly apply: (transaction: Transaction) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writes of one commit at the most, so that the first of them does not wait too long for the last. */
const GROUP_MAX = 4096;

export class StoreWriter {
  readonly commits = new Subject<CommitEvent>();
  readonly watchers = new Watchers();
  private readonly store: Store;
  private waiting: Waiting[] = [];
  private running = false;
  /** Whether a transaction that began here has the turn. */
  private taken = false;

  constructor(store: Store) {
    this.store = store;
  }

  /** Waits for the writer's turn. Raises what stands against writing. */
  async begin(options?: WaitOptions): Promise<Transaction> {
    this.store.assertWritable();
    await (this.taken ? this.waitForTurn(options) : this.store.writerLock.acquire(options));
    try {
      this.taken = true;
      const changes = this.watchers.createRecorder();
      return new Transaction(this.store, (commit) => this.ended(commit, changes), { changes });
    } catch (error) {
      this.taken = false;
      this.store.writerLock.release();
      throw error;
    }
  }

  /** Begins a transaction, runs `run`, commits; rolls back where that raises. */
  async transact<T>(run: (transaction: Transaction) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const transaction = await this.begin(options);
    try {
      const result = await run(transaction);
      if (!transaction.isEnded) await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  /** Waits behind a transaction, and not for ever where nothing is left that could end it. */
  private async waitForTurn(options: WaitOptions = {}): Promise<void> {
    const { signal: given } = options;
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(given?.reason);
    if (given?.aborted === true) onAbort();
    given?.addEventListener('abort', onAbort);
    let stalled = false;
    const endWatch = watchWait(() => {
      stalled = true;
      stop.abort();
    });
    try {
      await this.store.writerLock.acquire({ ...options, signal: stop.signal });
    } catch (error) {
      throw stalled && given?.aborted !== true ? stalledWait(error) : error;
    } finally {
      endWatch();
      given?.removeEventListener('abort', onAbort);
    }
  }

  private ended(commit: Commit | undefined, changes: ChangeRecorder): void {
    // Who waits for the lock goes on later, so all is told before anything that another commit does.
    this.taken = false;
    this.store.writerLock.release();
    if (commit === undefined) return;
    this.watchers.tell(changes, commit.sequence);
    this.commits.next({ sequence: commit.sequence });
  }

  /** Ends what told of commits: there will be none any more. */
  complete(): void {
    this.watchers.complete();
    this.commits.complete();
  }

  /** Runs a single write in a commit that it may share with others; resolves to its result. */
  write<T>(apply: (transaction: Transaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T;
      this.waiting.push({
        apply: (transaction) => {
          result = apply(transaction);
        },
        resolve: () => resolve(result),
        reject,
      });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      let transaction: Transaction;
      try {
        transaction = await this.begin();
      } catch (error) {
        for (const write of this.waiting.splice(0)) write.reject(error);
        break;
      }
      // Taken only now: all that came while the last commit was being synced goes into this one.
      await commitGroup(transaction, this.waiting.splice(0, GROUP_MAX), () => this.begin());
    }
    this.running = false;
  }
}

/** Commits the group as one. Where one of several fails, each is tried alone, so that only that one does. */
async function commitGroup(
  transaction: Transaction,
  group: readonly Waiting[],
  begin: () => Promise<Transaction>,
): Promise<void> {
  try {
    for (const write of group) write.apply(transaction);
    await transaction.commit();
    for (const write of group) write.resolve();
  } catch (error) {
    await transaction.rollback();
    if (group.length === 1) {
      group[0].reject(error);
      return;
    }
    for (const write of group) {
      try {
        await commitGroup(await begin(), [write], begin);
      } catch (beginError) {
        write.reject(beginError);
      }
    }
  }
}
