// Examples as modules in a folder: what they are to find there is written first, then each runs with the folder
// as the working directory, or all are checked by the compiler.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Database, open } from 'btree-store';
import { expect } from 'chai';
import { ClaimRecorder, withClaims } from './claims.js';

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARY = path.join(ROOT, 'lib/index.ts');

/** Files by name. */
export type Files = ReadonlyMap<string, string | Buffer>;

/** A module whose exports examples use by name, and files that are there when it runs. */
export interface Preamble {
  readonly code: string;
  readonly files: Files;
}

/** Code to run or to check, and where it stands. */
export interface Example {
  /** Such as `README.md:40`. */
  readonly place: string;
  /** Line of its first line, counted from 1; never 1, as the line above is needed. */
  readonly line: number;
  readonly code: string;
  readonly preamble: Preamble;
}

/** A folder for examples; `remove` it in the end. */
export class ExampleFolder {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'btree-store-docs-'));
  private count = 0;

  constructor() {
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.path, 'node_modules'));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Makes a folder in it that has these files. */
  makeFolder(files: Files): string {
    const folder = path.join(this.path, `example-${this.count++}`);
    mkdirSync(folder);
    for (const [name, content] of files) writeFileSync(path.join(folder, name), content);
    return folder;
  }

  /** Runs an example on a preamble of its own. Raises where it fails, or claims what is not so. */
  async run(example: Example): Promise<void> {
    const { lines, prints, code } = withClaims(example.code);
    const folder = this.makeFolder(example.preamble.files);
    const recorder = new ClaimRecorder();
    const file = writeModules(folder, { ...example, code }, forRuntime);
    const before = process.cwd();
    Object.assign(globalThis, { claim: recorder.claim });
    process.chdir(folder);
    try {
      await recorder.during(() => import(pathToFileURL(file).href));
      await endStores(folder, usesPreamble(example));
    } finally {
      process.chdir(before);
      Reflect.deleteProperty(globalThis, 'claim');
    }
    if (prints !== undefined) expect(recorder.printed).to.deep.equal(prints);
    const unmet = lines.find((line) => !recorder.met.has(line));
    if (unmet !== undefined) throw new Error(`what line ${example.line + unmet} claims was never reached`);
  }

  /** What the compiler says against examples, none of which were run in this folder; a line each. */
  async typeErrors(examples: readonly Example[]): Promise<string[]> {
    const folders = new Map(examples.map((example) => [this.makeFolder(new Map()), example]));
    for (const [folder, example] of folders) writeModules(folder, example, (code) => code);
    writeFileSync(path.join(this.path, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    try {
      const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
      await promisify(execFile)(tsc, ['-p', '.', '--pretty', 'false'], { cwd: this.path });
      return [];
    } catch (error) {
      const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
      if (output === '') throw error;
      const placeOf = (folder: string) => folders.get(path.join(this.path, folder))?.place;
      return output
        .trim()
        .replaceAll(/^(example-\d+)(?=\/example\.mts)/gm, (at) => `${placeOf(at)} ${at}`)
        .split('\n');
    }
  }
}

const TSCONFIG = {
  extends: path.join(ROOT, 'tsconfig.json'),
  compilerOptions: {
    // An example may declare what it has no more to say of.
    noUnusedLocals: false,
    allowImportingTsExtensions: true,
    paths: { 'btree-store': [LIBRARY] },
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
  },
  include: ['*/example.mts'],
};

/** Writes the example beside its preamble, as modules; returns the path of its own. */
function writeModules(folder: string, example: Example, edit: (code: string) => string): string {
  const { code, line, preamble } = example;
  const used = usedNames(example);
  const imports = used.length > 0 ? `import { ${used.join(', ')} } from './preamble.mts';` : 'export {};';
  const file = path.join(folder, 'example.mts');
  writeFileSync(path.join(folder, 'preamble.mts'), edit(preamble.code));
  // Its lines stand where they stand in its source, so that errors name them.
  writeFileSync(file, edit(`${imports}${'\n'.repeat(line - 1)}${code}\n`));
  return file;
}

/** To the runtime the project's name means nothing outside its folder. */
function forRuntime(code: string): string {
  return code.replaceAll("from 'btree-store'", `from '${pathToFileURL(LIBRARY).href}'`);
}

function usesPreamble(example: Example): boolean {
  return usedNames(example).length > 0;
}

/** The exports of the preamble that the example uses and does not declare itself. */
function usedNames({ code, preamble }: Example): string[] {
  return exportedNames(preamble.code).filter(
    (name) => new RegExp(`\\b${name}\\b`).test(code) && !isDeclared(name, code),
  );
}

function exportedNames(code: string): string[] {
  const single = Array.from(code.matchAll(/^export const (\w+)/gm), ([, name]) => name);
  const lists = Array.from(code.matchAll(/^export \{([^}]+)\}/gm), ([, names]) => names.split(','));
  return [...single, ...lists.flat().map((name) => name.trim())].filter((name) => name !== '');
}

/** Whether the code declares or imports the name at its top level. */
function isDeclared(name: string, code: string): boolean {
  const word = `[^=;]*\\b${name}\\b`;
  return new RegExp(`^(?:(?:const|let|using|await using)${word}[^=;]* =|import${word}.* from)`, 'm').test(
    code,
  );
}

/** Closes what the example has left open, and checks every store that it made. */
async function endStores(folder: string, hasPreamble: boolean): Promise<void> {
  if (hasPreamble) {
    const { db } = (await import(pathToFileURL(path.join(folder, 'preamble.mts')).href)) as { db: Database };
    await db.close();
  }
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.db'))) {
    const db = await open(name, { create: false });
    const { ok, problems } = await db.check();
    await db.close();
    if (!ok) throw new Error(`the example leaves ${name} damaged: ${JSON.stringify(problems)}`);
  }
}
