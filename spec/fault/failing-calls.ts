// Stands between the library and the system's calls: counts them, and lets one or more fail, be interrupted, or
// transfer less than was asked. To be put in place before any file of lib/ is loaded.

import fs from 'node:fs';
import { promisify } from 'node:util';

/** The calls that a store makes on its files, by the name under which the runtime has them. */
export type CallName =
  | 'openSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'rmSync'
  | 'renameSync'
  | 'readSync'
  | 'readvSync'
  | 'writeSync'
  | 'read'
  | 'readv'
  | 'write'
  | 'fdatasync'
  | 'close';

export interface CallFault {
  /** A code of the system, or 'short' for a transfer that ends early. */
  readonly kind: string;
  /** The first call, counted from where the counting began. */
  readonly index: number;
  /** How many calls, from that one on, of those that can meet this fault. */
  readonly calls: number;
}

const TRANSFERS: readonly CallName[] = ['readSync', 'readvSync', 'writeSync', 'read', 'readv', 'write'];
const GROWING: readonly CallName[] = ['openSync', 'writeSync', 'write', 'ftruncateSync', 'fdatasync'];
/** A sync is not made again, whatever it says, and a close that a signal interrupted has closed all the same. */
const NEVER_INTERRUPTED: readonly CallName[] = ['fdatasync', 'close'];

/** Which calls can end so. */
const KINDS: Readonly<Record<string, (name: CallName) => boolean>> = {
  EIO: () => true,
  ENOSPC: (name) => GROWING.includes(name),
  EFBIG: (name) => name === 'writeSync' || name === 'write' || name === 'ftruncateSync',
  EINTR: (name) => !NEVER_INTERRUPTED.includes(name),
  short: (name) => TRANSFERS.includes(name),
};

export const FAULT_KINDS = Object.keys(KINDS);

export function canMeet(name: CallName, kind: string): boolean {
  return KINDS[kind](name);
}

/** The file that a call is made on, and where in it, as far as the call tells. */
export interface CallPlace {
  readonly path?: string;
  readonly position?: number;
}

type Call = (...values: never[]) => unknown;

export class FailingCalls {
  /** Calls since the counting began. */
  readonly names: CallName[] = [];
  /** Called with each call that fails, not with those that are only short or interrupted. */
  onFailure: (name: CallName, place: CallPlace) => void = () => undefined;
  /** Called before each call while they are counted; may let it transfer a part only. */
  onCall: (name: CallName) => 'short' | undefined = () => undefined;
  /** Files by their descriptors. */
  private readonly paths = new Map<number, string>();
  private fault: CallFault | undefined;
  private left = 0;
  private isCounting = false;

  /** Puts itself in the place of the runtime's calls. */
  install(): void {
    const table = fs as unknown as Record<CallName, Call>;
    for (const name of ['fstatSync', 'fsyncSync', 'ftruncateSync', 'rmSync', 'renameSync'] as const)
      table[name] = this.plain(name, table[name]);
    table.openSync = this.opening(table.openSync);
    for (const name of ['readSync', 'writeSync'] as const) table[name] = this.transfer(name, table[name]);
    table.readvSync = this.vector('readvSync', table.readvSync);
    for (const name of ['read', 'write'] as const)
      table[name] = promised(this.transfer(name, promisify(fs[name]) as Call));
    table.readv = promised(this.vector('readv', promisify(fs.readv) as Call));
    table.fdatasync = promised(this.plain('fdatasync', promisify(fs.fdatasync) as Call));
    table.close = promised(this.closing(promisify(fs.close) as Call));
  }

  begin(fault?: CallFault): void {
    this.names.length = 0;
    this.fault = fault;
    this.left = fault?.calls ?? 0;
    this.isCounting = true;
  }

  /** From here on all calls do as they are asked. */
  end(): void {
    this.isCounting = false;
    this.fault = undefined;
  }

  /** What this call meets. */
  private next(name: CallName, descriptor?: number, position?: number): string | undefined {
    if (!this.isCounting) return undefined;
    const index = this.names.push(name) - 1;
    const told = this.onCall(name);
    if (told !== undefined) return told;
    const { fault } = this;
    if (fault === undefined || index < fault.index || this.left === 0 || !canMeet(name, fault.kind))
      return undefined;
    this.left--;
    if (fault.kind === 'short') return 'short';
    if (fault.kind !== 'EINTR') {
      const path = descriptor === undefined ? undefined : this.paths.get(descriptor);
      this.onFailure(name, { path, position });
    }
    throw Object.assign(new Error(`${fault.kind}: injected, ${name}`), { code: fault.kind, syscall: name });
  }

  private plain(name: CallName, call: Call): Call {
    return (...values) => {
      this.next(name, typeof values[0] === 'number' ? values[0] : undefined);
      return call(...values);
    };
  }

  /** (path, flags, mode) */
  private opening(call: Call): Call {
    return (...values) => {
      this.next('openSync');
      const descriptor = call(...values) as number;
      this.paths.set(descriptor, String(values[0]));
      return descriptor;
    };
  }

  /** A closed descriptor is closed, whatever the system says of it. */
  private closing(call: Call): Call {
    return async (...values) => {
      await call(...values);
      this.next('close');
    };
  }

  /** (descriptor, bytes, offset, length, position) */
  private transfer(name: CallName, call: Call): Call {
    return (...values) => {
      const [descriptor, bytes, offset, length, position] = values as unknown as [
        number,
        Buffer,
        number,
        number,
        number,
      ];
      const isShort = this.next(name, descriptor, position) === 'short';
      if (!isShort) return call(...values);
      const part = Math.max(1, Math.floor(length * 0.4));
      return call(...([descriptor, bytes, offset, part, position] as never[]));
    };
  }

  /** (descriptor, buffers, position) */
  private vector(name: CallName, call: Call): Call {
    return (...values) => {
      const [descriptor, [first], position] = values as unknown as [number, Buffer[], number];
      const isShort = this.next(name, descriptor, position) === 'short';
      if (!isShort) return call(...values);
      const part = first.subarray(0, Math.max(1, Math.floor(first.length * 0.4)));
      return call(...([descriptor, [part], position] as never[]));
    };
  }
}

/** A call in the runtime's own form that is used by way of `promisify` only. */
function promised(call: Call): Call {
  const refuse = (): never => {
    throw new Error('only its promise is used');
  };
  return Object.assign(refuse, { [promisify.custom]: async (...values: never[]) => call(...values) });
}
