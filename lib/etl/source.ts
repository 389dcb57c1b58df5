// Where an import reads from: a path, a stream or anything that yields bytes, as one sequence of chunks.
//
// Gzip is told by its first two bytes, whatever the path is called and in streams as well: no text begins with
// them, as the second is not UTF-8. A path that ends in `.gz` must be gzip.

import type { Readable } from 'node:stream';
import { StoreError } from '../errors.js';
import { ChecksumTrail, type PrefixChecksum } from './checksum-trail.js';
import { GZIP_MAGIC_BYTES, isGzip, unzipped } from './gzip.js';
import { interruptible, throwIfAborted, unlessAborted } from './interruptible.js';
import type { OpenedSource } from './opened-source.js';
import { readAhead } from './read-ahead.js';
import { endsEarly, sourceFailure } from './source-failure.js';
import { openFile } from './source-file.js';
import { openStream } from './source-stream.js';

/** Bytes to import: a path, which may end in `.gz`, a stream of bytes, or whatever yields them. */
export type Source = string | Readable | AsyncIterable<Uint8Array>;

/** How a source is opened. */
export interface SourceOptions {
  /** Bytes, counted after decompression, to leave out: where an earlier import stopped. 0 by default. */
  start?: number;
  /** What the bytes before `start` must come to, where they have to be read. */
  known?: PrefixChecksum;
  /** Keeps checksums for `checksumUpTo`. False by default. */
  keepsChecksums?: boolean;
  /** Stops reading, with ABORTED. */
  signal?: AbortSignal;
}

/**
 * A source to be read once. It is opened with the first chunk, and closed with the last one, with an error, and
 * when reading stops early; a stream that was given is destroyed then. A chunk is valid until the next one is asked for.
 */
export interface OpenSource extends AsyncIterable<Uint8Array> {
  /** The path, or 'the stream'; for messages. */
  readonly name: string;
  /** Size of the file in bytes as it is stored, be it compressed; known once a chunk was read, and of files only. */
  readonly bytesTotal: number | undefined;
  /** Bytes read so far, as they are stored, be they compressed. */
  readonly bytesRead: number;
  /**
   * The checksum of the source's first bytes, after decompression, up to about `byteOffset`, which only grows;
   * undefined where none are kept.
   */
  checksumUpTo(byteOffset: number): PrefixChecksum | undefined;
}

/**
 * Makes a source ready to be read.
 *
 * @throws INVALID_OPTION where `source` is none, at once. While it is read:
 * SOURCE_INVALID where a file is missing, a directory or not readable, where gzip is broken, or where the source
 * ends before `start`; IO_ERROR where reading fails; ABORTED.
 *
 * @example
 * ```ts
 * for await (const chunk of openSource('orders.csv.gz', { signal })) console.log(chunk.length);
 * ```
 */
export function openSource(source: Source, options: SourceOptions = {}): OpenSource {
  if (typeof source === 'string' || isAsyncIterable(source)) return new SourceReader(source, options);
  const advice = 'pass a path, a Readable, or an async iterable of bytes such as Readable.from([bytes])';
  throw new StoreError('INVALID_OPTION', `source: not a source; ${advice}`);
}

class SourceReader implements OpenSource {
  readonly name: string;
  bytesTotal: number | undefined;
  bytesRead = 0;
  private readonly trail: ChecksumTrail | undefined;

  constructor(
    private readonly source: Source,
    private readonly options: SourceOptions,
  ) {
    this.name = typeof source === 'string' ? source : 'the stream';
    if (options.keepsChecksums === true) this.trail = new ChecksumTrail(options.known, this.name);
  }

  checksumUpTo(byteOffset: number): PrefixChecksum | undefined {
    return this.trail?.upTo(byteOffset);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, start = 0 } = this.options;
    let opened: OpenedSource | undefined;
    try {
      throwIfAborted(signal, this.name);
      // Of a pipe, one that nobody writes to is not even opened.
      opened = await unlessAborted(this.open(start), signal, this.name, (late) => late.close());
      this.bytesTotal = opened.bytesTotal;
      yield* interruptible(this.content(opened, start), signal, this.name);
    } catch (error) {
      throw sourceFailure(error, this.name);
    } finally {
      opened?.close();
    }
  }

  private async open(start: number): Promise<OpenedSource> {
    return typeof this.source === 'string' ? openFile(this.source, start) : openStream(this.source);
  }

  /** The bytes from `start` on, decompressed. */
  private async *content(opened: OpenedSource, start: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { head, all } = await readAhead(this.counted(opened.chunks), GZIP_MAGIC_BYTES);
    const fromStart = opened.skipped === 0;
    const zipped = fromStart && isGzip(head);
    if (fromStart && !zipped && typeof this.source === 'string' && this.source.endsWith('.gz')) {
      throw new StoreError(
        'SOURCE_INVALID',
        `${this.name} is not gzip though it is called so; rename it or check it`,
      );
    }
    const chunks = zipped ? unzipped(all) : all;
    yield* withoutFirst(this.trail?.over(chunks) ?? chunks, start - opened.skipped, this.name);
  }

  private async *counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.bytesRead += chunk.length;
      yield chunk;
    }
  }
}

async function* withoutFirst(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left > 0 ? chunk.subarray(left) : chunk;
    left = Math.max(0, left - chunk.length);
  }
  if (left > 0) throw endsEarly(name);
}

function isAsyncIterable(source: unknown): source is AsyncIterable<Uint8Array> {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source;
}
