// README.md and docs/: every example runs and says what is so, every command line works, and what is named exists.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ERROR_CODES } from 'btree-store';
import { expect } from 'chai';
import { keyBytesMax } from '../../lib/format/node.js';
import { PAGE_SIZES } from '../../lib/format/page.js';
import { SpaceGeometry } from '../../lib/format/space-page.js';
import { commandLines, runCommandLine } from './command-line.js';
import { ExampleFolder, ROOT } from './example-folder.js';
import { readmeExamples, readmeFiles } from './examples.js';
import { codeBlocks, codeSpans, headingAnchors, linkTargets, prose } from './markdown.js';

const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const readme = textOf('README.md');
const documents = ['README.md', 'CHANGELOG.md'].concat(
  readdirSync(path.join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
);

describe('README.md', function () {
  this.timeout(60_000);
  const folder = new ExampleFolder();
  after(() => folder.remove());

  describe('its examples do what they say', () => {
    for (const example of readmeExamples()) it(example.place, () => folder.run(example));
  });

  describe('its command lines', () => {
    const lines = commandLines(readme);

    it('succeed, in their order', async () => {
      const before = process.cwd();
      process.chdir(folder.makeFolder(readmeFiles()));
      try {
        for (const line of lines) {
          const { status, stderr } = await runCommandLine(line);
          expect(status, `${line}\n${stderr}`).to.equal(0);
        }
      } finally {
        process.chdir(before);
      }
    });

    it('show every command', () => {
      const added = textOf('lib/cli/program.ts').matchAll(/^import \{ add(\w+) \}/gm);
      const commands = Array.from(added, ([, name]) => name.toLowerCase());
      expect(commands).to.include.members(['import', 'scan']);
      const missing = commands.filter((name) => !lines.some((line) => line.includes(`btree-store ${name} `)));
      expect(missing).to.deep.equal([]);
    });
  });

  it('begins with the two commands that the package has scripts for', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const commands = codeBlocks(readme).filter(({ code }) => code.startsWith('npm'));
    expect(commands.map(({ code }) => code)).to.deep.equal([
      'npm ci && npm run quickstart',
      'npm ci && npm test',
    ]);
    expect(scripts).to.include.keys('quickstart', 'test');
  });

  it('names every error code that the library raises, and no other', () => {
    const library = sourcesBeside('errors.ts');
    const raised = Object.keys(ERROR_CODES).filter((code) => library.includes(`'${code}'`));
    const rows = prose(readme).match(/^\| `[A-Z_]+`.*$/gm) ?? [];
    const named = rows.flatMap((row) => codeSpans(row.split('|')[1]));
    expect(named.toSorted()).to.deep.equal(raised.toSorted());
  });

  it('gives the limits of the format', () => {
    const rows = prose(readme).match(/^\| (?:4096 \(default\)|\d+) (?:\| [\d. TB]+){4}\|$/gm) ?? [];
    const given = rows.map((row) => row.split('|').slice(1, -1).map(Number.parseFloat));
    const limits = PAGE_SIZES.map((size) => {
      const { pagesMax } = new SpaceGeometry(size);
      const terabytes = Math.round((pagesMax * size) / 1e11) / 10;
      return [size, keyBytesMax(size), size / 4, pagesMax, terabytes];
    });
    expect(given).to.deep.equal(limits);
  });
});

describe('the documents', () => {
  for (const document of documents) {
    it(`${document} links to what exists`, () => {
      const missing = linkTargets(textOf(document)).filter((target) => !linkHolds(document, target));
      expect(missing).to.deep.equal([]);
    });

    it(`${document} names files that exist`, () => {
      const isPath = /^(?:lib|spec|docs|scripts|examples|bench)\/[\w./-]*$/;
      const named = codeSpans(textOf(document)).filter((code) => isPath.test(code));
      expect(named.filter((file) => !existsSync(path.join(ROOT, file)))).to.deep.equal([]);
    });
  }
});

/** The text of all sources but one. */
function sourcesBeside(file: string): string {
  const names = readdirSync(path.join(ROOT, 'lib'), { recursive: true }).map(String);
  const sources = names.filter((name) => name.endsWith('.ts') && name !== file);
  return sources.map((name) => textOf(path.join('lib', name))).join('\n');
}

/** Whether a link leads to a file of the project, and to a heading in it where it names one. */
function linkHolds(document: string, target: string): boolean {
  if (/^https?:/.test(target)) return true;
  const [file, anchor] = target.split('#');
  const found = file === '' ? document : path.join(path.dirname(document), file);
  if (!existsSync(path.join(ROOT, found))) return false;
  return anchor === undefined || headingAnchors(textOf(found)).includes(anchor);
}
