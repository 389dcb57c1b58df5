// Other processes for specs: scripts beside this file, run as the specs are, that tell of themselves line by line.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export class Child {
  readonly pid: number;
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly exit: Promise<unknown>;

  constructor(script: string, args: readonly string[], options: { errors?: 'inherit' | 'ignore' } = {}) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.process = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
      stdio: ['pipe', 'pipe', options.errors ?? 'inherit'],
    });
    this.exit = once(this.process, 'exit');
    if (this.process.pid === undefined || this.process.stdout === null)
      throw new Error(`${script} was not started`);
    this.pid = this.process.pid;
    this.lines = createInterface(this.process.stdout)[Symbol.asyncIterator]();
  }

  /** The next line that it writes; undefined once it has ended. */
  async line(): Promise<string | undefined> {
    const next = await this.lines.next();
    return next.done === true ? undefined : next.value;
  }

  /** All lines that it had written and that were not taken. Call after its end. */
  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    return lines;
  }

  /** Closes its input, which asks it to end, and waits for that. */
  async stop(): Promise<void> {
    this.process.stdin?.end();
    await this.exit;
  }

  /** Resolves once it has ended, of itself or not. */
  async ended(): Promise<void> {
    await this.exit;
  }

  /** Kills it outright. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exit;
  }
}
