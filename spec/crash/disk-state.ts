// What a disk holds for certain, and what it may hold: for each file the synced content and the operations
// since, any part of which a power cut may take away.

import { DiskContent } from './disk-content.js';

/** The two files of a store and those of a backup, as names in a folder. */
export type FileName = 'store' | 'log' | 'copy' | 'partial copy' | 'partial copy log';

export interface WriteOperation {
  readonly kind: 'write';
  readonly file: number;
  readonly position: number;
  /** Never changed once the operation is told of. */
  readonly bytes: Uint8Array;
}

export interface TruncateOperation {
  readonly kind: 'truncate';
  readonly file: number;
  readonly size: number;
}

export type ContentOperation = WriteOperation | TruncateOperation;

/** A write or truncation has come back to its caller: from here on a sync covers it. */
export interface CompleteOperation {
  readonly kind: 'complete';
  readonly operation: ContentOperation;
}

/** What was under way when its process was killed, and does not come to be. */
export interface CancelOperation {
  readonly kind: 'cancel';
  readonly operation: ContentOperation;
}

/** A sync has come back: what had completed when it was called is on the disk. */
export interface SyncOperation {
  readonly kind: 'sync';
  readonly file: number;
  readonly covers: readonly ContentOperation[];
}

/** A sync has failed: of what it should have covered some may be on the disk, and the rest never will be. */
export interface FailedSyncOperation {
  readonly kind: 'failed sync';
  readonly file: number;
  readonly covers: readonly ContentOperation[];
  readonly kept: ReadonlySet<ContentOperation>;
}

/** A name was given to a file, or taken away; certain only once the folder is synced. */
export interface BindOperation {
  readonly kind: 'bind';
  readonly name: FileName;
  readonly file: number | undefined;
}

export interface FolderSyncOperation {
  readonly kind: 'folder sync';
}

/** What the workload did, in line with what the disk did. */
export interface Mark {
  readonly kind: 'attempt' | 'acknowledge';
  readonly step: number;
}

/** A backup was begun of the content, or is done. */
export interface CopyMark {
  readonly kind: 'copy';
  readonly digest: string;
  readonly done: boolean;
}

export type Operation =
  | ContentOperation
  | CompleteOperation
  | CancelOperation
  | SyncOperation
  | FailedSyncOperation
  | BindOperation
  | FolderSyncOperation
  | Mark
  | CopyMark;

const SILENT: ReadonlySet<Operation['kind']> = new Set([
  'attempt',
  'acknowledge',
  'complete',
  'cancel',
  'copy',
]);

/** Whether a power cut just before this operation differs from one just after it. */
export function isEvent(operation: Operation): boolean {
  return !SILENT.has(operation.kind);
}

export function applyTo(content: DiskContent, operation: ContentOperation): void {
  if (operation.kind === 'write') content.write(operation.position, operation.bytes);
  else content.truncate(operation.size);
}

export interface FileState {
  readonly durable: DiskContent;
  /** In the order in which they were begun. */
  readonly pending: ContentOperation[];
}

export class DiskState {
  readonly files: FileState[] = [];
  /** Which file each name certainly means. */
  readonly names = new Map<FileName, number>();
  readonly pendingNames: BindOperation[] = [];
  /** Pending operations that have not come back. */
  private readonly inFlight = new Set<ContentOperation>();

  /** The file at this number, made if need be. */
  file(index: number): FileState {
    while (this.files.length <= index) this.files.push({ durable: new DiskContent(), pending: [] });
    return this.files[index];
  }

  clone(): DiskState {
    const copy = new DiskState();
    for (const { durable, pending } of this.files)
      copy.files.push({ durable: durable.clone(), pending: pending.slice() });
    for (const [name, file] of this.names) copy.names.set(name, file);
    copy.pendingNames.push(...this.pendingNames);
    for (const operation of this.inFlight) copy.inFlight.add(operation);
    return copy;
  }

  get hasPending(): boolean {
    return this.pendingNames.length > 0 || this.files.some(({ pending }) => pending.length > 0);
  }

  apply(operation: Operation): void {
    switch (operation.kind) {
      case 'write':
      case 'truncate':
        this.file(operation.file).pending.push(operation);
        this.inFlight.add(operation);
        break;
      case 'complete':
        this.inFlight.delete(operation.operation);
        break;
      case 'cancel': {
        this.inFlight.delete(operation.operation);
        const { pending } = this.file(operation.operation.file);
        pending.splice(pending.indexOf(operation.operation), 1);
        break;
      }
      case 'sync':
        this.settle(operation.file, operation.covers, undefined);
        break;
      case 'failed sync':
        this.settle(operation.file, operation.covers, operation.kept);
        break;
      case 'bind':
        if (operation.file !== undefined) this.file(operation.file);
        this.pendingNames.push(operation);
        break;
      case 'folder sync':
        for (const bind of this.pendingNames) bindName(this.names, bind);
        this.pendingNames.length = 0;
        break;
      default:
        break;
    }
  }

  private settle(
    index: number,
    covers: readonly ContentOperation[],
    kept: ReadonlySet<ContentOperation> | undefined,
  ): void {
    const { durable, pending } = this.file(index);
    const covered = new Set(covers);
    for (const operation of pending)
      if (covered.has(operation) && (kept === undefined || kept.has(operation))) applyTo(durable, operation);
    const rest = pending.filter((operation) => !covered.has(operation));
    pending.length = 0;
    pending.push(...rest);
  }

  /**
   * The state for a process that comes after one that was killed: the system still has all that was
   * written, synced or not. What was being written then was, or was not, as `reached` says.
   */
  afterKill(reached: () => boolean): DiskState {
    const state = this.clone();
    for (const operation of this.inFlight)
      state.apply({ kind: reached() ? 'complete' : 'cancel', operation });
    return state;
  }
}

export function bindName(names: Map<FileName, number>, { name, file }: BindOperation): void {
  if (file === undefined) names.delete(name);
  else names.set(name, file);
}
