// Runs one of the long harnesses as a process of its own, and reads the line of JSON that it ends with.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ScriptResult {
  /** What the line of JSON says. */
  readonly counts: Readonly<Record<string, number | boolean | string>>;
  readonly status: number;
  readonly errors: string;
}

/** `script` is relative to this file. */
export function runScript(script: string, ...args: readonly string[]): Promise<ScriptResult> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', 'tsx', path, ...args], (error, output, errors) => {
      const line = output.trim().split('\n').at(-1) ?? '';
      if (!line.startsWith('{'))
        reject(new Error(`${script} did not end with a line of JSON: ${output}${errors}`));
      else resolve({ counts: JSON.parse(line), status: Number(error?.code ?? 0), errors });
    });
  });
}
