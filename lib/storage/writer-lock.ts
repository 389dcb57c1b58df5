/** One writer at a time: who asks while another writes waits in line, first come first served. */
import { StoreError } from '../errors.js';

/** How long to wait for the writer's turn; for ever, where nothing is said. */
export interface WaitOptions {
  /** Gives up waiting when it fires, with ABORTED. */
  readonly signal?: AbortSignal;
  /** Gives up after so long, with CONFLICT. */
  readonly waitMilliseconds?: number;
}

interface Waiter {
  readonly enter: () => void;
  readonly refuse: (error: StoreError) => void;
}

export class WriterLock {
  private held = false;
  private closed: StoreError | undefined;
  private readonly waiters: Waiter[] = [];

  get waiting(): number {
    return this.waiters.length;
  }

  /** Resolves once the caller is the one writer; it must `release` in the end. */
  acquire(options: WaitOptions = {}): Promise<void> {
    if (this.closed !== undefined) return Promise.reject(this.closed);
    if (options.signal?.aborted === true) return Promise.reject(aborted(options.signal));
    if (!this.held) {
      this.held = true;
      return Promise.resolve();
    }
    return this.wait(options);
  }

  private wait(options: WaitOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal, waitMilliseconds } = options;
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        const at = this.waiters.indexOf(waiter);
        if (at >= 0) this.waiters.splice(at, 1);
      };
      const waiter: Waiter = {
        enter: () => {
          leave();
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.refuse(aborted(signal));
      const timer =
        waitMilliseconds === undefined
          ? undefined
          : setTimeout(() => waiter.refuse(timedOut(waitMilliseconds)), waitMilliseconds);
      signal?.addEventListener('abort', onAbort);
      this.waiters.push(waiter);
    });
  }

  release(): void {
    const next = this.waiters[0];
    if (next === undefined) this.held = false;
    else next.enter();
  }

  /** Refuses all who wait and all who come; resolves once the present writer is done. */
  async close(error: StoreError): Promise<void> {
    this.closed = error;
    if (!this.held) return;
    const turn = this.wait({});
    const mine = this.waiters.pop();
    for (const waiter of [...this.waiters]) waiter.refuse(error);
    if (mine !== undefined) this.waiters.push(mine);
    await turn;
  }
}

function aborted(signal: AbortSignal | undefined): StoreError {
  return new StoreError('ABORTED', 'the wait for the writer was stopped by its signal: nothing was written', {
    cause: signal?.reason,
  });
}

function timedOut(waitMilliseconds: number): StoreError {
  const message = `another transaction was still writing after ${waitMilliseconds} ms: commit or roll it back, or wait longer`;
  return new StoreError('CONFLICT', message, { details: { waitMilliseconds } });
}
