/** What can be iterated as a web stream. */
import { ReadableStream as NodeReadableStream } from 'node:stream/web';

/**
 * Reads no further than it is asked to. Not by way of `Readable.toWeb`: that goes on giving to a stream whose consumer
 * has failed, and raises then where nobody can catch it.
 */
export function webStreamOf<Item>(items: AsyncIterable<Item>): ReadableStream<Item> {
  // One class at run time; the web's own type does not know `from` yet.
  return NodeReadableStream.from(items) as ReadableStream<Item>;
}
