// lib/cli/watch.ts and seen-range.ts: what others change in a bucket, once they have closed it.

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { type Database, keys, StoreError } from 'btree-store';
import { expect } from 'chai';
import { type CliResult, cliHere, ended, startCli } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();
/** What processes that watch a store keep; they are told to do so beside the store. */
const copies = (store: string): string[] =>
  readdirSync(dirname(store)).filter((name) => name.startsWith('btree-store-watch-'));

function startWatch(words: string[]): ReturnType<typeof startCli> {
  return startCli(['watch', ...words, '--every', '20'], { TMPDIR: dirname(words[0]) });
}

interface Watching {
  readonly result: Promise<CliResult>;
  stop(): void;
  /** Resolves once so many lines were printed. */
  printed(lines: number): Promise<void>;
  /** Resolves once standard error has this. */
  told(text: string): Promise<void>;
}

/** Starts to watch, and resolves once it does. */
async function watching(words: string[]): Promise<Watching> {
  const child = startWatch(words);
  const result = ended(child);
  const until = async (stream: Readable, isThere: (text: string) => boolean): Promise<void> => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += String(chunk);
    };
    stream.on('data', take);
    while (!isThere(text)) await Promise.race([once(stream, 'data'), ending]);
    stream.off('data', take);
  };
  const ending = result.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`)));
  ending.catch(() => undefined);
  await until(child.stderr, (text) => text.includes('watching'));
  return {
    result,
    stop: () => child.kill('SIGINT'),
    printed: (lines) => until(child.stdout, (text) => text.split('\n').length > lines),
    told: (wanted) => until(child.stderr, (text) => text.includes(wanted)),
  };
}

/** Opens a store that is being looked at now and then. */
async function opened(store: string): Promise<Database> {
  for (;;) {
    try {
      return await stores.openAt(store);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error;
    }
  }
}

/** Changes a store as another process would. */
async function changed(store: string, change: (db: Database) => Promise<unknown>): Promise<void> {
  const db = await opened(store);
  await change(db);
  await stores.close(db);
}

describe('btree-store watch', function () {
  this.timeout(60_000);

  async function shop(): Promise<string> {
    const db = await stores.open();
    await db.write((tx) => {
      for (const key of ['a', 'b', 'c', 'd']) tx.bucket('rows').put(key, `${key} at first`);
      tx.bucket('other').put('x', 'y');
    });
    await stores.close(db);
    return db.path;
  }

  it('prints the last state of what changed, and nothing of what is as it was', async () => {
    const store = await shop();
    const { result } = await watching([store, 'rows', '--count', '3']);
    await changed(store, async (db) => {
      const rows = db.bucket('rows');
      await rows.put('e', 'new');
      await rows.delete('b');
      await rows.put('c', 'changed');
      await rows.put('c', 'changed again');
      await rows.put('a', 'for a moment');
      await rows.put('a', 'a at first');
      await rows.put('f', 'for a moment');
      await rows.delete('f');
      await db.bucket('other').put('z', 'not watched');
    });
    const { status, stdout, stderr } = await result;
    expect(status, stderr).to.equal(0);
    expect(stdout).to.equal('delete\tb\nput\tc\tchanged again\nput\te\tnew\n');
    expect(copies(store)).to.deep.equal([]);
  });

  it('prints puts and deletes as lines, or as JSON, within bounds, of keys of types', async () => {
    const store = await shop();
    const change = async (db: Database): Promise<void> => {
      const rows = db.bucket('rows');
      await rows.put('c', 'changed');
      await rows.put('cc', 'new\nline');
      await rows.put('d', Buffer.from([0xff]));
      await rows.delete('b');
      await rows.put('a', 'below');
      await rows.put('e', 'above');
    };
    const bounds = ['--gte', 'b', '--lt', 'e', '--count', '4'];
    const lines = await watching([store, 'rows', ...bounds]);
    await changed(store, change);
    expect(await lines.result).to.include({
      status: 0,
      stdout: 'delete\tb\nput\tc\tchanged\nput\tcc\tnew\\nline\nput\td\t\\xff\n',
    });
    const db = await stores.openAt(store);
    const typed = db.bucket('typed', { key: keys.number });
    await typed.put(1, Buffer.from('one'));
    await stores.close(db);
    const json = await watching([store, 'typed', '--key-type', 'number', '--json', '--count', '2']);
    await changed(store, async (again) => {
      await again.write((tx) => {
        const numbers = tx.bucket('typed', { key: keys.number });
        numbers.delete(1);
        numbers.put(-2, Buffer.from('minus two'));
      });
    });
    expect((await json.result).stdout).to.equal(
      '{"type":"put","key":-2,"value":"minus two"}\n{"type":"delete","key":1}\n',
    );
    const named = await watching([store, 'rows', '--keys', '--count', '1']);
    await changed(store, (again) => again.bucket('rows').put('a', 'x'));
    expect((await named.result).stdout).to.equal('put\ta\n');
  });

  it('goes on from what it printed: a bucket that is dropped, made again and as it was shows no more', async () => {
    const store = await shop();
    const { result, printed } = await watching([store, 'other', '--count', '3']);
    const steps: Array<(db: Database) => Promise<unknown>> = [
      (db) => db.dropBucket('other'),
      (db) => db.bucket('other').put('x', 'y'),
      async (db) => {
        await db.bucket('rows').put('a', 'elsewhere');
        await db.bucket('other').put('x', 'z');
      },
    ];
    for (const [index, step] of steps.entries()) {
      const shown = printed(1);
      await changed(store, step);
      // The last line ends it.
      if (index < 2) await shown;
      else shown.catch(() => undefined);
    }
    expect((await result).stdout).to.equal('delete\tx\nput\tx\ty\nput\tx\tz\n');
  });

  it('waits while another process has the store open, and says so', async () => {
    const store = await shop();
    const { result, told } = await watching([store, 'rows', '--count', '1']);
    const waits = told('another process has');
    const db = await opened(store);
    await db.bucket('rows').put('a', 'new');
    await waits;
    await stores.close(db);
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }, stderr).to.deep.equal({ status: 0, stdout: 'put\ta\tnew\n' });
    expect(stderr.match(/another process/g)).to.have.length(1);
  });

  it('leaves nothing behind where the reader of its output has enough', async () => {
    const store = await shop();
    const child = startWatch([store, 'rows']);
    const closed = once(child, 'close') as Promise<[number | null]>;
    await once(child.stderr, 'data');
    expect(copies(store)).to.have.length(1);
    child.stdout.destroy();
    await changed(store, (db) => db.bucket('rows').put('a', 'new'));
    expect(await closed).to.deep.equal([0, null]);
    expect(copies(store)).to.deep.equal([]);
  });

  it('ends at Ctrl-C, after a time, and where there is nothing to watch', async () => {
    const store = await shop();
    const { stop, result } = await watching([store, 'rows']);
    stop();
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }).to.deep.equal({ status: 130, stdout: '' });
    expect(stderr).to.contain('4 entries so far').and.contain('stopped; 0 changes printed');
    expect(await cliHere(['watch', store, 'rows', '--for', '0.1', '--every', '10'])).to.include({
      status: 0,
    });
    const db = await stores.openAt(store);
    const locked = await cliHere(['watch', store, 'rows', '--for', '0.1', '--every', '10']);
    expect(locked.status, locked.stderr).to.equal(3);
    await stores.close(db);
    const failing: Array<[words: string[], status: number, says: string]> = [
      [[store, 'nobody'], 1, '"other", "rows"'],
      [[`${store}.none`, 'rows'], 1, 'there is no store'],
      [[store, 'rows', '--every', '0'], 2, '1 or more'],
      [[store, 'rows', '--for', 'ever'], 2, 'number of seconds'],
    ];
    for (const [words, wanted, says] of failing) {
      const result = await cliHere(['watch', ...words]);
      expect(result, result.stderr).to.include({ status: wanted, stdout: '' });
      expect(result.stderr).to.contain(says);
    }
    expect(copies(store)).to.deep.equal([]);
  });
});
