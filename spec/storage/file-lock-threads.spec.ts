// lib/storage/file-lock.ts between the threads of one process, after kills, and what the specs of locks can see.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { open } from 'btree-store';
import { expect } from 'chai';
import { Child } from '../helpers/child.js';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

/** Threads do not take over what reads TypeScript. */
const IN_WORKER = `
  import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL('../helpers/worker-holder.ts', import.meta.url).href)});
  });
`;

interface Answer {
  readonly code: string;
  readonly pid?: number;
}

describe('the lock of a store between threads', () => {
  const stores = useStores();
  const workers: Worker[] = [];
  const children: Child[] = [];

  afterEach('no other thread or process is left', async () => {
    for (const worker of workers.splice(0)) await worker.terminate();
    for (const child of children.splice(0)) await child.kill();
  });

  async function answer(worker: Worker): Promise<Answer> {
    const [message] = (await once(worker, 'message')) as [Answer];
    return message;
  }

  /** Opens the store in a thread; resolves once it is open there, or was refused. */
  async function openInWorker(path: string, readOnly = false): Promise<{ worker: Worker; first: Answer }> {
    const worker = new Worker(IN_WORKER, { eval: true, workerData: { path, readOnly } });
    workers.push(worker);
    return { worker, first: await answer(worker) };
  }

  it('refuses a thread beside a writer of this one, writer or reader, and takes it after the close', async () => {
    const db = await stores.open();
    await db.bucket('b').put('a', '1');
    for (const readOnly of [false, true]) {
      const { first } = await openInWorker(db.path, readOnly);
      expect(first).to.deep.equal({ code: 'STORE_LOCKED', pid: process.pid });
    }
    await stores.close(db);
    const { worker, first } = await openInWorker(db.path);
    expect(first.code).to.equal('open');
    await rejected('STORE_LOCKED', open(db.path));
    await rejected('STORE_LOCKED', open(db.path, { readOnly: true }));
    worker.postMessage('close');
    expect((await answer(worker)).code).to.equal('closed');
    const again = await stores.openAt(db.path);
    expect(again.bucket('b').get('worker')?.toString()).to.equal('was here');
  });

  it('takes readers of several threads', async () => {
    const db = await stores.open();
    await stores.close(db);
    const { first } = await openInWorker(db.path, true);
    expect(first.code).to.equal('open');
    await stores.openAt(db.path, { readOnly: true });
    await rejected('STORE_LOCKED', open(db.path));
  });

  it('is free once a thread was terminated that held it, with all that it had committed', async () => {
    const file = await stores.path();
    const { worker, first } = await openInWorker(file);
    expect(first.code).to.equal('open');
    await worker.terminate();
    const db = await stores.openAt(file);
    expect(db.recovery.clean).to.equal(false);
    expect(db.bucket('b').get('worker')?.toString()).to.equal('was here');
  });

  it('is free at once each time that its holder was killed', async () => {
    const file = await stores.path();
    for (let round = 0; round < 3; round++) {
      const child = new Child('./child-holder.ts', [file, 'write']);
      children.push(child);
      expect(await child.line()).to.equal('open');
      await rejected('STORE_LOCKED', open(file));
      await child.kill();
      const db = await stores.openAt(file);
      await db.bucket('b').put('round', String(round));
      await stores.close(db);
    }
  });

  it('would be missed if it locked nothing', async () => {
    const binding = createRequire(import.meta.url)('fs-native-extensions') as { tryLock: unknown };
    const { tryLock } = binding;
    const file = await stores.path();
    try {
      binding.tryLock = () => true;
      const db = await stores.openAt(file);
      const second = await open(file);
      await second.close();
      await stores.close(db);
    } finally {
      binding.tryLock = tryLock;
    }
  });
});
