// File systems for one test: a small one in memory, and one in a file that can be shut down as by a loss of power.
// Only root can mount; where it cannot be done, the reason is told.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export class Mount {
  readonly folder: string;
  private isMounted = false;
  private readonly source: string;
  private readonly options: readonly string[];

  constructor(source: string, options: readonly string[]) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mounted-'));
    this.source = source;
    this.options = options;
    this.mount();
  }

  mount(): void {
    run('mount', ...this.options, this.source, this.folder);
    this.isMounted = true;
  }

  unmount(): void {
    if (!this.isMounted) return;
    run('umount', this.folder);
    this.isMounted = false;
  }

  remove(): void {
    this.unmount();
    fs.rmdirSync(this.folder);
  }
}

/** A file system in memory that has room for so many bytes. */
export function mountTmpfs(bytes: number): Mount {
  return new Mount('tmpfs', ['-t', 'tmpfs', '-o', `size=${bytes}`]);
}

const IMAGE_BYTES = 64 * 1024 * 1024;
/** Of ext4 and others: stops all of it at once, without writing what is only in memory or in its journal's buffers. */
const SHUTDOWN = `
import fcntl, os, struct, sys
FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = 2
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, FS_IOC_SHUTDOWN, struct.pack('I', WITHOUT_FLUSHING))
`;

/** An ext4 file system in a file. */
export class Ext4 {
  readonly mount: Mount;
  private readonly image: string;

  constructor() {
    this.image = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'image-')), 'ext4');
    fs.writeFileSync(this.image, '');
    fs.truncateSync(this.image, IMAGE_BYTES);
    run('mkfs.ext4', '-q', this.image);
    this.mount = new Mount(this.image, ['-t', 'ext4', '-o', 'loop']);
  }

  get folder(): string {
    return this.mount.folder;
  }

  /** What was not synced is gone; nothing can be read or written any more until it is mounted again. */
  shutDown(): void {
    run('python3', '-c', SHUTDOWN, this.folder);
  }

  /** As after the machine was started again: the journal is replayed. */
  startAgain(): void {
    this.mount.unmount();
    this.mount.mount();
  }

  remove(): void {
    this.mount.remove();
    fs.rmSync(path.dirname(this.image), { recursive: true });
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
}

/** Why this cannot be had here, told aloud; undefined if it can. */
export function reasonAgainst(make: () => { remove(): void }): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root, to mount a file system';
  try {
    make().remove();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim().split('\n').join(' ') : String(error);
  }
}
