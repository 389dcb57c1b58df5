// lib/etl/source.ts: files, gzip and streams as chunks of bytes.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  createReadStream,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { openSource, type Source, type SourceOptions } from '../../lib/etl/source.js';
import { cutEvery } from '../helpers/chunks.js';

const content = Buffer.from(Array.from({ length: 60_000 }, (_, index) => `row ${index}, é\n`).join(''));
const zipped = gzipSync(content);

async function contentOf(source: Source, options?: SourceOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of openSource(source, options)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

type Failure = Error & { code: string; cause?: Error };
const failureOf = (source: Source, options?: SourceOptions): Promise<Failure> =>
  contentOf(source, options).then(
    () => expect.fail('it was read'),
    (error: unknown) => error as Failure,
  );

describe('source', () => {
  let folder = '';
  const file = (name: string, bytes: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'source-spec-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('of a path', () => {
    it('reads a file', async () =>
      expect((await contentOf(file('a.csv', content))).equals(content)).to.equal(true));

    it('reads an empty file', async () => expect(await contentOf(file('empty.csv', ''))).to.have.length(0));

    it('reads gzip, whatever it is called', async () => {
      expect((await contentOf(file('a.csv.gz', zipped))).equals(content)).to.equal(true);
      expect((await contentOf(file('zipped.csv', zipped))).equals(content)).to.equal(true);
    });

    it('reads several gzip files put together', async () => {
      const path = file('two.gz', Buffer.concat([zipped, gzipSync('more')]));
      expect((await contentOf(path)).equals(Buffer.concat([content, Buffer.from('more')]))).to.equal(true);
    });

    it('goes on at a byte', async () => {
      for (const path of [file('a.csv', content), file('a.csv.gz', zipped)]) {
        for (const start of [1, 300_000, content.length - 1, content.length]) {
          expect(
            (await contentOf(path, { start })).equals(content.subarray(start)),
            `${path} ${start}`,
          ).to.equal(true);
        }
      }
    });

    it('tells how much was read of how much', async () => {
      for (const bytes of [content, zipped]) {
        const source = openSource(file('a.csv', bytes));
        expect(source.bytesTotal).to.equal(undefined);
        for await (const _ of source) expect(source.bytesTotal).to.equal(bytes.length);
        expect(source.bytesRead).to.equal(bytes.length);
      }
    });

    it('reads a pipe, of gzip as well', async () => {
      for (const bytes of [content, zipped]) {
        const path = join(folder, `pipe-${bytes.length}`);
        execFileSync('mkfifo', [path]);
        const input = file('input', bytes);
        const writing = execFileAsync(`cat ${input} > ${path}`);
        const source = openSource(path, { start: 10 });
        const chunks: Uint8Array[] = [];
        for await (const chunk of source) chunks.push(chunk);
        await writing;
        expect(Buffer.concat(chunks).equals(content.subarray(10))).to.equal(true);
        expect(source.bytesTotal).to.equal(undefined);
      }
    });

    const broken: Array<
      [what: string, name: string, bytes: Uint8Array | string, message: RegExp, cause: boolean]
    > = [
      ['not gzip though it is called so', 'plain.gz', 'a,b\n', /not gzip though it is called so/, false],
      ['empty though it is called gzip', 'empty.gz', '', /not gzip though it is called so/, false],
      [
        'gzip cut short',
        'cut.gz',
        zipped.subarray(0, zipped.length - 9),
        /gzip data ends in the middle/,
        true,
      ],
      [
        'gzip cut after its magic bytes',
        'magic.gz',
        zipped.subarray(0, 2),
        /gzip data ends in the middle/,
        true,
      ],
      ['damaged gzip', 'damaged.gz', flipped(zipped, zipped.length - 6), /gzip data is damaged/, true],
      [
        'gzip with a damaged second part',
        'second.gz',
        Buffer.concat([zipped, flipped(zipped, 0)]),
        /gzip data is damaged/,
        true,
      ],
    ];
    for (const [what, name, bytes, message, cause] of broken) {
      it(`refuses what is ${what}`, async () => {
        const path = file(name, bytes);
        const failure = await failureOf(path);
        expect(failure.code).to.equal('SOURCE_INVALID');
        expect(failure.message).to.match(message).and.to.contain(path);
        if (cause) expect(failure.cause).to.be.an.instanceOf(Error).with.property('code').that.matches(/^Z_/);
      });
    }

    it('refuses a path that cannot be opened, with the cause', async () => {
      const plain = file('plain', 'x');
      const cases: Array<[path: string, code: string, message: RegExp]> = [
        [join(folder, 'missing.csv'), 'ENOENT', /no such file/],
        [folder, 'EISDIR', /is a directory/],
        [join(plain, 'below'), 'ENOTDIR', /not a directory/],
        ['a\0b', 'ERR_INVALID_ARG_VALUE', /null bytes/],
      ];
      for (const [path, code, message] of cases) {
        const failure = await failureOf(path);
        expect(failure.code).to.equal('SOURCE_INVALID');
        expect(failure.message).to.match(message).and.to.contain(path);
        expect(failure.cause).to.have.property('code', code);
      }
    });

    it('refuses a file that one may not read', async function () {
      const path = file('secret', 'x');
      chmodSync(path, 0);
      chmodSync(folder, 0o755);
      // Root may read everything, so that the spec must be someone else meanwhile.
      const root = process.geteuid?.() === 0;
      if (!process.geteuid) this.skip();
      if (root) process.seteuid?.(65_534);
      try {
        const failure = await failureOf(path);
        expect(failure.code).to.equal('SOURCE_INVALID');
        expect(failure.message).to.match(/permission is denied/);
        expect(failure.cause).to.have.property('code', 'EACCES');
      } finally {
        if (root) process.seteuid?.(0);
      }
    });

    it('refuses to go on past the end', async () => {
      for (const path of [file('a.csv', content), file('a.csv.gz', zipped)]) {
        const failure = await failureOf(path, { start: content.length + 1 });
        expect(failure.code).to.equal('SOURCE_INVALID');
        expect(failure.message).to.match(/ends before the place to go on from/);
      }
    });
  });

  describe('of a stream', () => {
    const good: Array<[what: string, make: () => Source, expected?: Buffer]> = [
      ['a Readable', () => Readable.from([content.subarray(0, 10), content.subarray(10)])],
      ['an async generator', () => cutEvery(content, 65_536)],
      ['gzip', () => cutEvery(zipped, 1000)],
      ['gzip in single bytes', () => cutEvery(gzipSync('a,b\n'), 1), Buffer.from('a,b\n')],
      ['a web stream', () => new Blob([content]).stream() as ReadableStream<Uint8Array>],
      ['text', () => Readable.from(['é,', '😀']), Buffer.from('é,😀')],
      ['a single byte', () => cutEvery(Buffer.from('a'), 1), Buffer.from('a')],
      ['nothing', () => Readable.from([]), Buffer.from('')],
    ];
    for (const [what, make, expected = content] of good) {
      it(`reads ${what}`, async () => expect((await contentOf(make())).equals(expected)).to.equal(true));

      it(`goes on at a byte of ${what}`, async () => {
        const start = Math.min(7, expected.length);
        expect((await contentOf(make(), { start })).equals(expected.subarray(start))).to.equal(true);
      });
    }

    const bad: Array<[what: string, make: () => Source, message: RegExp]> = [
      ['yields objects', () => Readable.from([{ a: 1 }]), /yields an Object where bytes are needed/],
      ['yields numbers', () => Readable.from([1]), /yields 1 where/],
      ['yields half a surrogate pair', () => Readable.from(['\ud83d', '\ude00']), /surrogate/],
      ['decodes', () => Readable.from([content]).setEncoding('utf8'), /without setEncoding/],
      ['was destroyed', () => Readable.from([content]).destroy(), /destroyed before/],
      ['ends early', () => cutEvery(zipped.subarray(0, 1000), 100), /ends in the middle/],
    ];
    for (const [what, make, message] of bad) {
      it(`refuses one that ${what}`, async () => {
        const failure = await failureOf(make());
        expect(failure.code).to.equal('SOURCE_INVALID');
        expect(failure.message).to.match(message);
      });
    }

    it('refuses one that was read before', async () => {
      const stream = Readable.from([content]);
      await contentOf(stream);
      expect((await failureOf(stream)).message).to.match(/ended or was destroyed/);
    });

    it('hands on what goes wrong in it, as the cause', async () => {
      for (const gzip of [false, true]) {
        const cause = new Error('the network is down');
        const stream = Readable.from(
          (async function* () {
            yield gzip ? zipped.subarray(0, 1000) : content.subarray(0, 1000);
            throw cause;
          })(),
        );
        const failure = await failureOf(stream);
        expect(failure.code).to.equal('IO_ERROR');
        expect(failure.message).to.match(/the stream failed: the network is down/);
        expect(failure.cause).to.equal(cause);
      }
    });

    it('refuses what is no source, at once', () => {
      for (const source of [undefined, null, 7, {}, [content], content]) {
        expect(() => openSource(source as unknown as Source))
          .to.throw(/not a source/)
          .with.property('code', 'INVALID_OPTION');
      }
    });
  });

  describe('that is left or stopped', () => {
    const streams: Array<[what: string, make: () => Readable]> = [
      ['a file', () => createReadStream(file('a.csv', content), { highWaterMark: 1000 })],
      ['gzip', () => createReadStream(file('a.csv.gz', zipped), { highWaterMark: 1000 })],
    ];
    for (const [what, make] of streams) {
      it(`destroys a stream of ${what} when the loop is left`, async () => {
        const stream = make();
        for await (const _ of openSource(stream)) break;
        expect(stream.destroyed).to.equal(true);
      });

      it(`destroys a stream of ${what} when it is aborted`, async () => {
        const stream = make();
        const reason = new Error('enough');
        const controller = new AbortController();
        let failure: unknown;
        try {
          for await (const _ of openSource(stream, { signal: controller.signal })) controller.abort(reason);
        } catch (error) {
          failure = error;
        }
        expect(failure).to.have.property('code', 'ABORTED');
        expect(failure).to.have.property('cause', reason);
        expect(stream.destroyed).to.equal(true);
      });
    }

    it('lets go of the file when the loop is left', async () => {
      // A descriptor may be gone before it is looked at: other work of this process opens and closes files too.
      const isOpen = (descriptor: string): boolean => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`).includes('left.csv');
        } catch {
          return false;
        }
      };
      const open = () => readdirSync('/proc/self/fd').filter(isOpen).length;
      if (process.platform !== 'linux') return;
      const path = file('left.csv', content);
      for await (const _ of openSource(path)) break;
      for (let waits = 0; open() > 0 && waits < 100; waits++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(open()).to.equal(0);
    });

    it('tells a generator that the loop was left', async () => {
      let left = false;
      const generator = (async function* () {
        try {
          for (;;) yield content;
        } finally {
          left = true;
        }
      })();
      for await (const _ of openSource(generator)) break;
      expect(left).to.equal(true);
    });

    it('does not begin when it is aborted already', async () => {
      const failure = await failureOf(join(folder, 'missing'), { signal: AbortSignal.abort() });
      expect(failure.code).to.equal('ABORTED');
    });

    it('stops waiting for a chunk that never comes', async () => {
      const controller = new AbortController();
      const never: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
      };
      const reading = failureOf(never, { signal: controller.signal });
      setTimeout(() => controller.abort(), 5);
      expect((await reading).code).to.equal('ABORTED');
    });

    it('leaves no listener on the signal', async () => {
      const { signal } = new AbortController();
      let listeners = 0;
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = function (this: AbortSignal, ...given: Parameters<typeof addEventListener>) {
        listeners++;
        addEventListener.apply(this, given);
      } as typeof addEventListener;
      signal.removeEventListener = function (
        this: AbortSignal,
        ...given: Parameters<typeof removeEventListener>
      ) {
        listeners--;
        removeEventListener.apply(this, given);
      } as typeof removeEventListener;
      await contentOf(cutEvery(content, 1000), { signal });
      expect(listeners).to.equal(0);
    });
  });

  it('is sound itself', () => expect(gunzipSync(zipped).equals(content)).to.equal(true));
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] ^= 0xff;
  return copy;
}

function execFileAsync(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    import('node:child_process').then(
      ({ exec }) => exec(command, (error) => (error ? reject(error) : resolve())),
      reject,
    );
  });
}
