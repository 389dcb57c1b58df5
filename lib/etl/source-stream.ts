// Takes a stream, or whatever yields bytes, as a source.

import { Readable } from 'node:stream';
import { StoreError } from '../errors.js';
import { hasLoneSurrogate } from '../stream/lone-surrogate.js';
import type { OpenedSource } from './opened-source.js';

/**
 * The chunks of a stream as bytes. Text is taken as its UTF-8.
 *
 * @throws SOURCE_INVALID where the stream was read before, decodes what it reads, or yields something else.
 */
export function openStream(source: AsyncIterable<unknown>): OpenedSource {
  const stream = source instanceof Readable ? source : undefined;
  if (stream && (stream.destroyed || stream.readableEnded)) {
    throw invalid('it has ended or was destroyed before it was read; pass a new stream');
  }
  if (stream?.readableEncoding) {
    // Decoding has put U+FFFD wherever the bytes are not text, and nobody could tell where.
    throw invalid('it decodes what it reads; pass it without setEncoding');
  }
  return { chunks: bytesOf(source), skipped: 0, bytesTotal: undefined, close: () => stream?.destroy() };
}

async function* bytesOf(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    if (chunk instanceof Uint8Array) yield chunk;
    else if (typeof chunk !== 'string') throw invalid(`it yields ${kindOf(chunk)} where bytes are needed`);
    else if (hasLoneSurrogate(chunk))
      throw invalid('it yields half of a surrogate pair; have it yield bytes');
    else yield Buffer.from(chunk);
  }
}

function kindOf(chunk: unknown): string {
  return chunk === null || typeof chunk !== 'object'
    ? String(chunk)
    : `an ${chunk.constructor?.name ?? 'Object'}`;
}

function invalid(problem: string): StoreError {
  return new StoreError('SOURCE_INVALID', `the stream cannot be imported: ${problem}`);
}
