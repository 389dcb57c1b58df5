// A workload on real files, and what must hold once the disk under it does as it is asked again.

import fs from 'node:fs';
import path from 'node:path';
import { StoreDatabase } from '../../lib/database.js';
import type { Database } from '../../lib/database-face.js';
import { recover } from '../../lib/recover.js';
import { openStore } from '../../lib/storage/store-open.js';
import { Violation } from '../crash/oracle.js';
import { digestOf } from '../crash/state-digest.js';
import { type OnError, Stopped, WorkloadRun } from '../crash/workload-run.js';
import type { Workload } from '../crash/workloads.js';
import { Random } from '../helpers/random.js';
import type { CallPlace } from './failing-calls.js';

const META_BYTES = 2 * 4096;

async function openAt(file: string, readOnly: boolean, options: Workload['options']): Promise<StoreDatabase> {
  const opened = await openStore(file, {
    readOnly,
    create: true,
    pageSize: options.pageSize ?? 4096,
    cacheBytesMax: 64 * 4096,
    dirtyBytesMax: options.dirtyBytesMax ?? 64 * 4096,
    durable: true,
    logHalfBytes: options.logHalfBytes ?? 64 * 1024,
  });
  await recover(opened);
  return new StoreDatabase(opened.store, opened.recovery);
}

/** One run of a workload in a folder. */
export class RealRun {
  readonly folder: string;
  readonly run: WorkloadRun;
  private readonly workload: Workload;
  private readonly opened = new Set<Database>();
  private acknowledged = 0;
  /** Whether nobody knows any more what the disk has of what the open store wrote. */
  private isUnknown = false;
  private metaFailures = 0;
  private hasFailed = false;
  /** Where the workload makes a backup, and what that must hold once it is begun. */
  private readonly copyPath: string;
  private copy: { readonly digest: string; readonly done: boolean } | undefined;

  constructor(workload: Workload, folder: string, seed: number, onError?: OnError) {
    this.workload = workload;
    this.folder = folder;
    this.copyPath = path.join(folder, 'copy.db');
    const ground = {
      copyPath: this.copyPath,
      markCopy: (digest: string, done: boolean) => {
        this.copy = { digest, done };
      },
      open: (readOnly: boolean) => this.open(readOnly),
      kill: () => {
        throw new Error('a process cannot kill itself here');
      },
      mark: (kind: 'attempt' | 'acknowledge', step: number) => {
        if (kind === 'acknowledge') this.acknowledged = Math.max(this.acknowledged, step);
      },
    };
    this.run = new WorkloadRun(ground, Random.of(seed), workload.options, onError);
  }

  /** A call of the system has failed, at this place of a file. */
  noteFailure(name: string, { path: file, position }: CallPlace): void {
    this.hasFailed = true;
    // A backup that fails says nothing of the store.
    if (file?.startsWith(this.copyPath) === true) return;
    if (name === 'fdatasync') this.isUnknown = true;
    if (name === 'write' && position !== undefined && position < META_BYTES) this.metaFailures++;
    // It could neither be written nor be taken back.
    if (this.metaFailures >= 2) this.isUnknown = true;
  }

  private async open(readOnly: boolean): Promise<Database> {
    this.isUnknown = false;
    this.metaFailures = 0;
    const db = await openAt(path.join(this.folder, 'store.db'), readOnly, this.workload.options);
    this.opened.add(db);
    return db;
  }

  /** The workload from its beginning to its close; after a failure the store stays open, to be written to. */
  async work(): Promise<void> {
    try {
      await this.workload.run(this.run);
      if (!this.hasFailed) await this.run.finish();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  /** The calls do as they are asked again: all that was acknowledged is there, and the store goes on. */
  async goOn(): Promise<void> {
    const { run } = this;
    if (run.isOpen) {
      const accepted = await run.put('healed', 'key', 30);
      if (accepted === this.isUnknown)
        throw new Violation(
          `after a failure that left ${this.isUnknown ? 'un' : ''}known what the disk has, a write was ${accepted ? 'accepted' : 'refused'}`,
        );
      await run.close();
    }
    await run.open();
    await this.expectWhole();
    if (!(await run.put('healed', 'after', 30)))
      throw new Violation('a store that was opened again refuses to write');
    if (!(await run.close())) throw new Violation('a store that was opened again cannot be closed');
    await run.open();
    run.expectModel('after a clean close');
    await this.expectWhole();
    await run.close();
    await this.expectCopy();
  }

  /** A backup that has its name is whole, one that was acknowledged has it, and nothing unfinished is left. */
  private async expectCopy(): Promise<void> {
    const { copy, copyPath } = this;
    if (copy === undefined) return;
    if (!fs.existsSync(copyPath)) {
      if (copy.done) throw new Violation('the backup that was made is gone');
      return;
    }
    const db = await openAt(copyPath, true, this.workload.options);
    const found = digestOf(db);
    const report = await db.check();
    await db.close();
    if (!db.recovery.clean || !report.ok || found !== copy.digest)
      throw new Violation(
        `the backup has ${found}, not ${copy.digest}; its check: ${JSON.stringify(report.problems)}`,
      );
  }

  private async expectWhole(): Promise<void> {
    const report = await this.run.db.check();
    if (!report.ok) throw new Violation(`its check: ${JSON.stringify(report.problems.slice(0, 5))}`);
    const allowed = this.run.history.digests.slice(this.acknowledged);
    if (!allowed.includes(digestOf(this.run.db))) throw new Violation('it is at no step that it may be at');
  }

  /** Closes what a failure left open. */
  async close(): Promise<void> {
    for (const db of this.opened) await db.close().catch(() => undefined);
  }
}
