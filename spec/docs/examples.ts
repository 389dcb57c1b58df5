// The examples of the project's documents, each with what it starts from: those of README.md with its own first
// lines and the files that it shows, those of doc comments with `doc-preamble.ts`.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { publicExamples } from './doc-comments.js';
import { type Example, type Files, type Preamble, ROOT } from './example-folder.js';
import { type CodeBlock, codeBlocks } from './markdown.js';

/** The examples of README.md, but for the one that the others start from. */
export function readmeExamples(): Example[] {
  const blocks = codeBlocks(readFileSync(path.join(ROOT, 'README.md'), 'utf8'));
  const preamble = readmePreamble(blocks);
  return blocks
    .filter(({ language, note }) => language === 'ts' && note !== 'preamble')
    .map(({ line, code }) => ({ place: `README.md:${line}`, line, code, preamble }));
}

/** The files whose content README.md shows. */
export function readmeFiles(): Files {
  return filesOf(codeBlocks(readFileSync(path.join(ROOT, 'README.md'), 'utf8')));
}

/** The examples of public doc comments. */
export function docExamples(): Example[] {
  const code = readFileSync(path.join(ROOT, 'spec/docs/doc-preamble.ts'), 'utf8');
  return publicExamples(ROOT).map((example) => ({
    place: `${example.file}:${example.line} ${example.subject}`,
    line: example.line,
    code: example.code,
    preamble: { code, files: DOC_FILES },
  }));
}

const DOC_FILES: Files = new Map<string, string | Buffer>([
  ['cities.csv.gz', gzipSync('country,city\nDE,Berlin\nFR,Lyon\nFR,Paris\n')],
  ['events.ndjson', '{"event":{"id":"a1"}}\n{"event":{}}\n'],
  ['photo.jpg', Buffer.alloc(100_000, 'photo')],
]);

function readmePreamble(blocks: readonly CodeBlock[]): Preamble {
  const block = blocks.find(({ note }) => note === 'preamble');
  if (block === undefined) throw new Error('README.md has no preamble');
  return { code: block.code.replaceAll(/^const /gm, 'export const '), files: filesOf(blocks) };
}

function filesOf(blocks: readonly CodeBlock[]): Files {
  const shown = blocks.filter(({ note }) => note.startsWith('file: '));
  return new Map(shown.map(({ note, code }) => [note.slice('file: '.length), `${code}\n`] as const));
}
