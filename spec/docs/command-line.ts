// The command lines of a document, and a way to run each as it stands there.

import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cliHere } from '../helpers/cli.js';
import { ROOT } from './example-folder.js';
import { codeBlocks, codeSpans } from './markdown.js';

const NAME = 'btree-store';
/** What only a shell can do. */
const SHELL = /[|<>]/;
const WORD = /'([^']*)'|([^\s']+)/g;

/** What came of a command line. */
export interface Outcome {
  readonly status: number | null;
  readonly stderr: string;
}

/** Every line of shell code, and every piece of code in a table or sentence, that runs the command. */
export function commandLines(markdown: string): string[] {
  const shell = codeBlocks(markdown).filter(({ language }) => language === 'sh');
  const lines = shell.flatMap(({ code }) => code.split('\n'));
  return [...codeSpans(markdown), ...lines].filter((line) => new RegExp(`\\b${NAME} [a-z]`).test(line));
}

/** Runs a line in the working directory: within this process where no shell is needed, which is much faster. */
export async function runCommandLine(line: string): Promise<Outcome> {
  if (SHELL.test(line)) return runInShell(line);
  const [name, ...words] = Array.from(line.matchAll(WORD), ([, quoted, plain]) => quoted ?? plain);
  if (name !== NAME) throw new Error(`${JSON.stringify(line)} does not run ${NAME}`);
  return cliHere(words);
}

/** With a command of that name that runs the sources. */
function runInShell(line: string): Promise<Outcome> {
  const command = path.resolve(NAME);
  const tsx = path.join(ROOT, 'node_modules/tsx/dist/esm/index.mjs');
  const main = path.join(ROOT, 'lib/cli/main.ts');
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${main}" "$@"\n`);
  chmodSync(command, 0o755);
  const env = { ...process.env, PATH: `${process.cwd()}${path.delimiter}${process.env.PATH}` };
  return new Promise((resolve) => {
    // Of a pipe all parts count.
    execFile('bash', ['-o', 'pipefail', '-c', line], { env }, (error, _stdout, stderr) => {
      const code = error?.code ?? 0;
      resolve({ status: typeof code === 'number' ? code : null, stderr });
    });
  });
}
