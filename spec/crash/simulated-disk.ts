// A disk that remembers all that was done to it, in order, so that it can be cut off after each step. Files
// on it are used through the library's own seam; what a power cut may leave is made by `disk-image.ts`.

import { fileError, type StoreFile } from '../../lib/storage/store-file.js';
import type { Random } from '../helpers/random.js';
import { DiskContent } from './disk-content.js';
import {
  applyTo,
  bindName,
  type ContentOperation,
  DiskState,
  type FileName,
  type Mark,
  type Operation,
  type WriteOperation,
} from './disk-state.js';

/** A call that can be made to fail. */
export interface DiskCall {
  readonly kind: 'read' | 'write' | 'sync' | 'size' | 'truncate';
  readonly name: FileName;
  /** Counts the calls of the whole disk, from 0. */
  readonly index: number;
}

/** How a call fails: with the system's error code, and the part of a write that reached the file before. */
export interface DiskFault {
  readonly code: string;
  readonly part?: number;
}

export interface DiskOptions {
  /** Gives asynchronous calls their duration. Without it each is done at once. */
  readonly random?: Random;
  /** Turns of the microtask queue that a call on a file takes at the most. */
  readonly turnsMax?: Readonly<Record<'store' | 'log', number>>;
  readonly fault?: (call: DiskCall) => DiskFault | undefined;
}

const NO_TURNS = { store: 0, log: 0 };

/** A write that is under way. */
interface Transfer {
  readonly operation: WriteOperation;
  /** The bytes that it changes. */
  readonly from: number;
  readonly to: number;
}

/** A file as those see it who have it open. */
interface DiskFile {
  content: DiskContent;
  /** Operations that have come back since the last sync. */
  unsynced: ContentOperation[];
  readonly transfers: Set<Transfer>;
}

export class SimulatedDisk {
  readonly operations: Operation[] = [];
  /** What no engine may do, and was done: changed a buffer under way, wrote one place twice at once. */
  readonly violations: string[] = [];
  private readonly files: DiskFile[] = [];
  private readonly names = new Map<FileName, number>();
  private readonly options: DiskOptions;
  private readonly startState: DiskState;
  private calls = 0;
  /** Counts the processes that used the disk: what an earlier one still has under way comes to nothing. */
  private processes = 0;

  /** `state` is what a power cut, or a kill, left; the disk goes on from there and does not change it. */
  constructor(options: DiskOptions = {}, state: DiskState = new DiskState()) {
    this.options = options;
    this.startState = state;
    for (const { durable, pending } of state.files) {
      const content = durable.clone();
      for (const operation of pending) applyTo(content, operation);
      this.files.push({ content, unsynced: pending.slice(), transfers: new Set() });
    }
    for (const [name, file] of state.names) this.names.set(name, file);
    for (const bind of state.pendingNames) bindName(this.names, bind);
  }

  get process(): number {
    return this.processes;
  }

  get callCount(): number {
    return this.calls;
  }

  exists(name: FileName): boolean {
    return this.names.has(name);
  }

  /** The content that a reader sees now; for assertions only. */
  contentOf(name: FileName): DiskContent | undefined {
    const file = this.names.get(name);
    return file === undefined ? undefined : this.files[file].content;
  }

  /** Opens the file, or makes it. */
  create(name: FileName): SimulatedFile {
    const known = this.open(name, false);
    if (known !== undefined) return known;
    const file = this.files.length;
    this.files.push({ content: new DiskContent(), unsynced: [], transfers: new Set() });
    this.names.set(name, file);
    this.operations.push({ kind: 'bind', name, file });
    return new SimulatedFile(this, name, file, this.files[file], false);
  }

  open(name: FileName, readOnly: boolean): SimulatedFile | undefined {
    const file = this.names.get(name);
    return file === undefined ? undefined : new SimulatedFile(this, name, file, this.files[file], readOnly);
  }

  unlink(name: FileName): void {
    if (!this.names.delete(name)) return;
    this.operations.push({ kind: 'bind', name, file: undefined });
  }

  /** Gives a file another name. A crash may leave it both, or the old one, until the folder is synced. */
  rename(from: FileName, to: FileName): void {
    const file = this.names.get(from);
    if (file === undefined) throw new Error(`there is no ${from} to rename`);
    this.names.set(to, file);
    this.operations.push({ kind: 'bind', name: to, file });
    this.unlink(from);
  }

  /** Kills whoever uses the disk. What was being written comes to be, or not. */
  kill(random: Random): void {
    this.processes++;
    for (const { transfers } of this.files) {
      for (const { operation } of transfers) {
        if (random.chance(0.5)) this.complete(operation);
        else this.operations.push({ kind: 'cancel', operation });
      }
      transfers.clear();
    }
  }

  /** Kills whoever uses the disk and starts the system again: what was not synced is gone. */
  restart(random: Random): void {
    this.kill(random);
    for (const { unsynced } of this.files)
      for (const operation of unsynced) this.operations.push({ kind: 'cancel', operation });
    const state = this.startState.clone();
    for (const operation of this.operations) state.apply(operation);
    for (const [index, file] of this.files.entries()) {
      file.unsynced = [];
      file.content = state.file(index).durable.clone();
    }
  }

  syncFolder(): void {
    this.operations.push({ kind: 'folder sync' });
  }

  mark(kind: Mark['kind'], step: number): void {
    this.operations.push({ kind, step });
  }

  markCopy(digest: string, done: boolean): void {
    this.operations.push({ kind: 'copy', digest, done });
  }

  violation(what: string): void {
    if (this.violations.length < 10) this.violations.push(what);
  }

  /** Counts a call; the fault that it is to have, if any. */
  begin(kind: DiskCall['kind'], name: FileName): DiskFault | undefined {
    return this.options.fault?.({ kind, name, index: this.calls++ });
  }

  /** The time that an asynchronous call takes; for ever, if its process is killed meanwhile. */
  async duration(name: FileName, process: number): Promise<void> {
    const { random, turnsMax = NO_TURNS } = this.options;
    const most = turnsMax[name.endsWith('log') ? 'log' : 'store'];
    if (random !== undefined && most > 0) {
      // Mostly short, at times long enough for many other calls to come between.
      const turns = random.chance(0.2) ? random.below(most) : random.below(Math.min(4, most));
      for (let i = 0; i < turns; i++) await undefined;
    }
    if (process !== this.processes) await new Promise<never>(() => undefined);
  }

  begun(operation: ContentOperation): void {
    this.operations.push(operation);
  }

  complete(operation: ContentOperation): void {
    const { content, unsynced } = this.files[operation.file];
    applyTo(content, operation);
    unsynced.push(operation);
    this.operations.push({ kind: 'complete', operation });
  }

  /** What a sync that is called now covers. */
  takeUnsynced(file: number): readonly ContentOperation[] {
    return this.files[file].unsynced.slice();
  }

  synced(file: number, covers: readonly ContentOperation[]): void {
    this.forget(file, covers);
    this.operations.push({ kind: 'sync', file, covers });
  }

  syncFailed(file: number, covers: readonly ContentOperation[]): void {
    const { random } = this.options;
    this.forget(file, covers);
    const kept = new Set(covers.filter(() => random?.chance(0.5) ?? false));
    this.operations.push({ kind: 'failed sync', file, covers, kept });
  }

  private forget(file: number, covers: readonly ContentOperation[]): void {
    const covered = new Set(covers);
    this.files[file].unsynced = this.files[file].unsynced.filter((operation) => !covered.has(operation));
  }
}

export class SimulatedFile implements StoreFile {
  readonly path: string;
  private readonly disk: SimulatedDisk;
  private readonly name: FileName;
  private readonly file: number;
  private readonly content: DiskContent;
  private readonly transfers: Set<Transfer>;
  readonly isReadOnly: boolean;
  private readonly process: number;
  private closed = false;

  constructor(
    disk: SimulatedDisk,
    name: FileName,
    file: number,
    { content, transfers }: DiskFile,
    readOnly: boolean,
  ) {
    this.disk = disk;
    this.process = disk.process;
    this.path = `simulated/${name}`;
    this.name = name;
    this.file = file;
    this.content = content;
    this.transfers = transfers;
    this.isReadOnly = readOnly;
  }

  readSync(target: Buffer, offset: number, length: number, position: number): number {
    this.begin('read');
    return this.content.read(target, offset, length, position);
  }

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    this.begin('read');
    await this.disk.duration(this.name, this.process);
    return this.content.read(target, offset, length, position);
  }

  readManySync(targets: readonly Buffer[], position: number): number {
    this.begin('read');
    return this.readEach(targets, position);
  }

  async readMany(targets: readonly Buffer[], position: number): Promise<number> {
    this.begin('read');
    await this.disk.duration(this.name, this.process);
    return this.readEach(targets, position);
  }

  private readEach(targets: readonly Buffer[], position: number): number {
    let done = 0;
    for (const target of targets) {
      const read = this.content.read(target, 0, target.length, position + done);
      done += read;
      if (read < target.length) break;
    }
    return done;
  }

  writeSync(source: Buffer, offset: number, length: number, position: number): void {
    const fault = this.beginChange('write');
    const whole = Uint8Array.prototype.slice.call(source, offset, offset + length);
    const bytes = fault === undefined ? whole : whole.subarray(0, Math.floor((fault.part ?? 0) * length));
    this.expectAlone(position, whole);
    if (bytes.length > 0) {
      const operation = { kind: 'write', file: this.file, position, bytes } as const;
      this.disk.begun(operation);
      this.disk.complete(operation);
    }
    if (fault !== undefined) throw failure('write', this.path, fault.code);
  }

  async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    const fault = this.beginChange('write');
    const whole = Uint8Array.prototype.slice.call(source, offset, offset + length);
    const bytes = fault === undefined ? whole : whole.subarray(0, Math.floor((fault.part ?? 0) * length));
    this.expectAlone(position, whole);
    if (bytes.length > 0) await this.change({ kind: 'write', file: this.file, position, bytes });
    if (Buffer.compare(source.subarray(offset, offset + length), whole) !== 0)
      this.disk.violation(
        `the buffer of a write of ${length} bytes at ${position} changed before it was done`,
      );
    if (fault !== undefined) throw failure('write', this.path, fault.code);
  }

  /** Makes a change that takes its time. */
  private async change(operation: WriteOperation): Promise<void> {
    const { position, bytes } = operation;
    const transfer = { operation, from: position, to: position + bytes.length };
    this.transfers.add(transfer);
    this.disk.begun(operation);
    await this.disk.duration(this.name, this.process);
    this.transfers.delete(transfer);
    this.disk.complete(operation);
  }

  /** Two writes of one place at once leave either's bytes; that is well only where they are the same. */
  private expectAlone(from: number, bytes: Uint8Array | undefined): void {
    const to = bytes === undefined ? Number.POSITIVE_INFINITY : from + bytes.length;
    for (const other of this.transfers) {
      if (other.to <= from || to <= other.from) continue;
      const { operation } = other;
      if (bytes !== undefined) {
        const first = Math.max(from, other.from);
        const end = Math.min(to, other.to);
        const mine = bytes.subarray(first - from, end - from);
        const theirs = operation.bytes.subarray(first - other.from, end - other.from);
        if (Buffer.compare(mine, theirs) === 0) continue;
      }
      this.disk.violation(`${this.name}: bytes ${from} to ${to} are changed while another change there runs`);
    }
  }

  /** What was written and not synced. */
  get unsynced(): readonly ContentOperation[] {
    return this.disk.takeUnsynced(this.file);
  }

  sync(): Promise<void> {
    return this.syncPart(() => true);
  }

  /** Syncs some of what was written only: for doubles that do what no store may. */
  async syncPart(covered: (operation: ContentOperation) => boolean): Promise<void> {
    const fault = this.beginChange('sync');
    const covers = this.disk.takeUnsynced(this.file).filter(covered);
    await this.disk.duration(this.name, this.process);
    this.endSync(fault, covers);
  }

  /** Takes no time of the disk's: nothing runs beside it. */
  syncSync(): void {
    this.endSync(this.beginChange('sync'), this.disk.takeUnsynced(this.file));
  }

  private endSync(
    fault: ReturnType<SimulatedFile['beginChange']>,
    covers: readonly ContentOperation[],
  ): void {
    if (fault !== undefined) {
      this.disk.syncFailed(this.file, covers);
      throw failure('sync', this.path, fault.code);
    }
    this.disk.synced(this.file, covers);
  }

  size(): number {
    this.begin('size');
    return this.content.length;
  }

  /** Done at once, as by the real file: what is written beside it must not be cut off. */
  async truncate(size: number): Promise<void> {
    const fault = this.beginChange('truncate');
    if (fault !== undefined) throw failure('resize', this.path, fault.code);
    this.expectAlone(size, undefined);
    const operation = { kind: 'truncate', file: this.file, size } as const;
    this.disk.begun(operation);
    this.disk.complete(operation);
    await this.disk.duration(this.name, this.process);
  }

  async close(): Promise<void> {
    if (this.closed) this.disk.violation(`${this.name}: closed twice`);
    this.closed = true;
  }

  private begin(kind: DiskCall['kind']): void {
    const fault = this.beginCall(kind);
    if (fault !== undefined) throw failure(kind === 'size' ? 'stat' : kind, this.path, fault.code);
  }

  private beginChange(kind: DiskCall['kind']): DiskFault | undefined {
    if (this.isReadOnly) throw new Error(`${kind} of ${this.name}, which was opened for reading only`);
    return this.beginCall(kind);
  }

  private beginCall(kind: DiskCall['kind']): DiskFault | undefined {
    if (this.process !== this.disk.process) throw new Error(`${kind} by a process that was killed`);
    if (this.closed) this.disk.violation(`${this.name}: ${kind} after it was closed`);
    return this.disk.begin(kind, this.name);
  }
}

function failure(operation: string, path: string, code: string): Error {
  return fileError(operation, path, Object.assign(new Error(`${code}: simulated`), { code }));
}
