// The parts of lib/cli that need no process of their own: escapes, lists, formats, the bar and Ctrl-C.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { byteCount, nameList } from '../../lib/cli/arguments.js';
import { fileFormat } from '../../lib/cli/format.js';
import { catchInterrupt } from '../../lib/cli/interrupt.js';
import { escapedText, shownText, unescapedBytes } from '../../lib/cli/key-text.js';
import { counted, grouped } from '../../lib/cli/output.js';
import { ProgressBar, type Terminal } from '../../lib/cli/progress-bar.js';
import { seeded } from '../helpers/seed.js';

describe('parts of the command line', () => {
  describe('keys and values as text', () => {
    it('with escapes can be told apart and read back', () => {
      const piece = fc.oneof(
        fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
        fc.string({ unit: 'binary', maxLength: 6 }).map((text) => Buffer.from(text)),
        fc
          .constantFrom('\\', '\\n', '\\x41', '\n', '\t', '\u0085', '\ufffd', 'é☕😀')
          .map((text) => Buffer.from(text)),
      );
      const bytes = fc.array(piece, { maxLength: 5 }).map((pieces) => Buffer.concat(pieces));
      const property = fc.property(bytes, (original) => {
        const text = escapedText(original);
        expect(unescapedBytes(text).equals(original), text).to.equal(true);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left.
        expect(text).to.not.match(/[\x00-\x1f\x7f-\x9f]/);
        const shown = shownText(original);
        expect([text, original.toString('utf8')]).to.include(shown);
      });
      fc.assert(property, seeded(200));
    });

    it('are shown as they are where they are plain text', () => {
      expect(shownText(Buffer.from('{"a":"b\\n"} é😀\ufffd'))).to.equal('{"a":"b\\n"} é😀\ufffd');
      expect(shownText(Buffer.from('\u001b[31m\\'))).to.equal('\\x1b[31m\\\\');
      expect(shownText(Buffer.from([0x41, 0xc3, 0x28]))).to.equal('A\\xc3(');
      expect(shownText(Buffer.from('\u009b'))).to.equal('\\xc2\\x9b');
    });

    it('with unknown escapes are refused', () => {
      for (const text of ['\\', 'a\\q', '\\x4', '\\xzz'])
        expect(() => unescapedBytes(text)).to.throw('escape');
    });
  });

  it('lists of names are cut at commas outside quotes', () => {
    expect(nameList('id')).to.deep.equal(['id']);
    expect(nameList('a,b c,["x,y"].z')).to.deep.equal(['a', 'b c', '["x,y"].z']);
    expect(nameList('"a,b",c')).to.deep.equal(['a,b', 'c']);
    expect(nameList('"a,""b","c,d":number,""')).to.deep.equal(['a,"b', 'c,d:number', '']);
    for (const text of ['', ',', 'a,', 'a,,b', '"a']) expect(() => nameList(text), text).to.throw('names');
  });

  it('numbers of bytes may be of KiB, MiB or GiB', () => {
    const given = ['1', '67108864', '64M', '64 MiB', '3k', '2GB', '256kib'];
    expect(given.map(byteCount)).to.deep.equal([1, 2 ** 26, 2 ** 26, 2 ** 26, 3072, 2 ** 31, 2 ** 18]);
    for (const text of ['', 'M', '0', '-1', '1.5M', '64T', '64Mi', '1 2'])
      expect(() => byteCount(text), text).to.throw(text === '0' ? '1 or more' : 'number of bytes');
  });

  it('formats are told by names of files', () => {
    const told = (file: string, format?: string) => fileFormat(file, { format });
    expect(told('a.csv')).to.deep.equal({ format: 'csv', delimiter: undefined });
    expect(told('b/a.TSV.gz')).to.deep.equal({ format: 'csv', delimiter: '\t' });
    expect(told('a.jsonl')).to.deep.equal({ format: 'ndjson', delimiter: undefined });
    expect(told('a.ndjson.gz').format).to.equal('ndjson');
    expect(told('a.csv', 'ndjson').format).to.equal('ndjson');
    expect(told('-', 'csv').format).to.equal('csv');
    for (const file of ['-', 'a', 'a.txt', 'csv', 'a.csv.zip'])
      expect(() => told(file), file).to.throw('--format');
  });

  it('numbers are grouped by thousands', () => {
    expect([0, 999, 1000, 1234567.8].map(grouped)).to.deep.equal(['0', '999', '1,000', '1,234,568']);
    expect([counted(1, 'row'), counted(0, 'row')]).to.deep.equal(['1 row', '0 rows']);
  });

  describe('the progress bar', () => {
    const terminal = (isTTY: boolean): Terminal & PassThrough =>
      Object.assign(new PassThrough(), { isTTY, columns: 60, cursorTo: () => true, clearLine: () => true });
    const progress = {
      share: 0.5,
      rows: 1_234_567,
      elapsedMilliseconds: 1500,
      remainingMilliseconds: 61_000,
    };
    const writtenTo = (stream: PassThrough): string => String(stream.read() ?? '');

    it('shows how far long work is, within the width of the terminal', async () => {
      const stream = terminal(true);
      const bar = new ProgressBar('importing', stream);
      bar.update(progress);
      await once(stream, 'readable');
      bar.update({ ...progress, share: 1, rows: 2_000_000 });
      bar.stop();
      const shown = writtenTo(stream);
      expect(shown).to.contain('importing [============            ]  50%  1,234,567 rows');
      expect(shown).to.contain('100%');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told begins so.
      for (const line of shown.split(/\x1b(?:\d|\[\d*\w)/)) expect(line.length).to.be.at.most(57);
      bar.update(progress);
      await delay(20);
      expect(writtenTo(stream)).to.equal('');
    });

    it('tells what it can where the end is not known', async () => {
      const stream = Object.assign(terminal(true), { columns: 100 });
      const bar = new ProgressBar('importing', stream);
      bar.update({ ...progress, share: undefined, remainingMilliseconds: undefined });
      await once(stream, 'readable');
      bar.stop();
      expect(writtenTo(stream)).to.contain('importing 1,234,567 rows, 00:02, 823,045 rows/s');
    });

    it('tells what is being done where that is another thing than before', async () => {
      const stream = terminal(true);
      const bar = new ProgressBar('importing', stream);
      bar.update(progress);
      await once(stream, 'readable');
      bar.update({ ...progress, title: 'merging', share: 0.75 });
      bar.stop();
      expect(writtenTo(stream)).to.match(/importing \[={12} {12}\].*merging \[={18} {6}\]/s);
    });

    it('shows nothing of short work, nor where there is no terminal', async () => {
      for (const [isTTY, elapsedMilliseconds] of [
        [true, 500],
        [false, 5000],
      ] as const) {
        const stream = terminal(isTTY);
        const bar = new ProgressBar('importing', stream);
        bar.update({ ...progress, elapsedMilliseconds });
        await delay(100);
        bar.stop();
        expect(writtenTo(stream)).to.equal('');
      }
    });
  });

  for (const [name, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    it(`the first ${name} gives the signal, the second ends the process, and later ones are as usual`, () => {
      const { kill } = process;
      const kills: unknown[] = [];
      // Of the specs themselves: they are not at their end.
      const atExit = process.rawListeners('exit') as Array<() => void>;
      process.removeAllListeners('exit');
      const before = process.listenerCount(name);
      let first = 0;
      const interrupt = catchInterrupt(() => first++);
      try {
        process.kill = (_pid, signal) => Boolean(kills.push(signal)) as true;
        process.emit(name);
        expect([interrupt.signal.aborted, first, kills.length]).to.deep.equal([true, 1, 0]);
        expect(interrupt.exitStatus).to.equal(status);
        process.emit('SIGINT');
        expect(kills).to.deep.equal(['SIGINT']);
      } finally {
        process.kill = kill;
        for (const listener of atExit) process.on('exit', listener);
        interrupt.release();
      }
      expect(process.listenerCount(name)).to.equal(before);
    });
});
