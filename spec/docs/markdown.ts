// What the specs of the documents need of Markdown: its blocks of code, commands, links and headings.

/** A block of code between two fences. */
export interface CodeBlock {
  /** The word after the opening fence, such as `ts`; empty where there is none. */
  readonly language: string;
  /** Line of the first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** What a comment `<!-- ... -->` on the line before the fence says of the block, or ''. */
  readonly note: string;
}

const NOTE = /^<!--\s*(.*?)\s*-->$/;

/** The blocks of code of a text, in order. Raises for a fence that is not closed. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const lines = markdown.split('\n');
  const blocks: CodeBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const opening = /^```(\w*)\s*$/.exec(lines[at]);
    if (opening === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the fence on line ${at + 1} is not closed`);
    const note = NOTE.exec(lines[at - 1] ?? '')?.[1] ?? '';
    blocks.push({ language: opening[1], line: at + 2, code: lines.slice(at + 1, end).join('\n'), note });
    at = end;
  }
  return blocks;
}

/** The text with its blocks of code left out, as blank lines, so that line numbers stay. */
export function prose(markdown: string): string {
  const lines = markdown.split('\n');
  for (const { line, code } of codeBlocks(markdown)) {
    const length = code.split('\n').length;
    lines.fill('', line - 2, line + length);
  }
  return lines.join('\n');
}

/** The pieces of code within the lines of a text, in order. */
export function codeSpans(markdown: string): string[] {
  return Array.from(prose(markdown).matchAll(/`([^`\n]+)`/g), ([, code]) => code);
}

/** The targets of the links of a text. */
export function linkTargets(markdown: string): string[] {
  return Array.from(prose(markdown).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target);
}

/** The anchors that the headings of a text have. */
export function headingAnchors(markdown: string): string[] {
  return Array.from(prose(markdown).matchAll(/^#+ (.+)$/gm), ([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
