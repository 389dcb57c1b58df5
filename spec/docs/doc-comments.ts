// The doc comments of the public face: which names lib/index.ts exports, from where, and the examples that their
// comments show.

import { readFileSync } from 'node:fs';
import path from 'node:path';

/** An example of a doc comment. */
export interface DocExample {
  /** Path of the file, from the folder of the project. */
  readonly file: string;
  /** Line of the example's first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** What it is an example of: `open`, or `Bucket.put`. */
  readonly subject: string;
}

/** A public function or method. */
export interface Callable {
  readonly file: string;
  /** The type that it belongs to; undefined for a function. */
  readonly owner: string | undefined;
  readonly name: string;
}

const EXPORTS = /export (?:type )?\{([^}]+)\} from '\.\/([^']+)\.js';/g;
const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:interface|class|function|const|type) (\w+)/;
const MEMBER = /^ {2}(?!private |protected |override |readonly )(?:get |async )?(\w+)(?:<[^>]*>)?\(/;
const GETTER_OR_STREAM = /^ {2}(?:readonly |get )(\w+\$)/;

/** Exported names by the file that declares them, paths from the folder of the project. */
export function publicNames(root: string): Map<string, Set<string>> {
  const index = readFileSync(path.join(root, 'lib/index.ts'), 'utf8');
  const names = new Map<string, Set<string>>();
  for (const [, list, module] of index.matchAll(EXPORTS)) {
    const words = list.split(',').map((name) => name.trim().replace(/^type /, ''));
    names.set(`lib/${module}.ts`, new Set(words.filter((name) => name !== '')));
  }
  return names;
}

/** The examples of public declarations, in the order of the exports. */
export function publicExamples(root: string): DocExample[] {
  return [...publicNames(root)].flatMap(([file, names]) => {
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
    return examplesIn(file, lines).filter(({ subject }) => names.has(subject.split('.')[0]));
  });
}

/** The public functions, and the methods and `$` streams of public types; not what the build leaves out of them. */
export function publicCallables(root: string): Callable[] {
  return [...publicNames(root)].flatMap(([file, names]) => {
    const callables: Callable[] = [];
    let owner: string | undefined;
    let isInternal = false;
    for (const line of readFileSync(path.join(root, file), 'utf8').split('\n')) {
      if (/^ {3}\* @internal/.test(line)) isInternal = true;
      const declared = DECLARATION.exec(line)?.[1];
      if (declared !== undefined) {
        owner = names.has(declared) ? declared : undefined;
        if (owner !== undefined && /function/.test(line)) {
          callables.push({ file, owner: undefined, name: declared });
          owner = undefined;
        }
      } else if (/^\S/.test(line) && !line.startsWith('}') && !/^[/ *]/.test(line)) owner = undefined;
      if (owner === undefined) continue;
      const name = (MEMBER.exec(line) ?? GETTER_OR_STREAM.exec(line))?.[1];
      if (name === undefined) continue;
      if (name !== 'constructor' && !isInternal) callables.push({ file, owner, name });
      isInternal = false;
    }
    return callables;
  });
}

function examplesIn(file: string, lines: readonly string[]): DocExample[] {
  const examples: DocExample[] = [];
  let type = '';
  for (let at = 0; at < lines.length; at++) {
    type = DECLARATION.exec(lines[at])?.[1] ?? type;
    if (!/^\s*\* @example\s*$/.test(lines[at])) continue;
    const opening = at + 1;
    const end = lines.findIndex((line, index) => index > opening && /^\s*\* ```\s*$/.test(line));
    if (!/^\s*\* ```ts\s*$/.test(lines[opening] ?? '') || end < 0)
      throw new Error(`${file}:${at + 1}: an example must be a block of ts`);
    const code = lines.slice(opening + 1, end).map((line) => line.replace(/^\s*\* ?/, ''));
    examples.push({
      file,
      line: opening + 2,
      code: code.join('\n'),
      subject: subjectAfter(lines, end, type),
    });
    at = end;
  }
  return examples;
}

/** What is declared after the comment that ends after line `at`. */
function subjectAfter(lines: readonly string[], at: number, type: string): string {
  const next = lines.findIndex((line, index) => index > at && /\*\/\s*$/.test(line)) + 1;
  const declared = DECLARATION.exec(lines[next])?.[1];
  if (declared !== undefined) return declared;
  const member = /^\s+(?:readonly |get |async )*(\w+\$?)/.exec(lines[next])?.[1];
  return `${type}.${member ?? '?'}`;
}
