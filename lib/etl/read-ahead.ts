// Looks at the beginning of a stream of bytes without taking it away from who reads the stream.

/** The beginning of a stream, and the whole stream. */
export interface ReadAhead {
  /** As many bytes as were asked for; fewer only where the stream has fewer. */
  readonly head: Buffer;
  /** The stream from its first byte on, to be iterated over once. Leaving it early closes the stream. */
  readonly all: RestoredStream;
}

/** Reads so many bytes ahead. */
export async function readAhead(chunks: AsyncIterable<Uint8Array>, bytes: number): Promise<ReadAhead> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < bytes) {
    const { value, done } = await iterator.next();
    if (done) break;
    // Its memory may be used again for the next one.
    first.push(Buffer.from(value));
    length += value.length;
  }
  const head = Buffer.concat(first);
  return { head: head.subarray(0, bytes), all: new RestoredStream(head, iterator) };
}

/** A stream whose beginning was read already. */
export class RestoredStream implements AsyncIterableIterator<Uint8Array> {
  constructor(
    private head: Buffer | undefined,
    private readonly rest: AsyncIterator<Uint8Array>,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const { head } = this;
    if (!head) return this.rest.next();
    this.head = undefined;
    return head.length > 0 ? { value: head, done: false } : this.rest.next();
  }

  /** Closes the stream, whether or not any of it was asked for. A generator could not: it must have begun. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.head = undefined;
    await this.rest.return?.();
    return { value: undefined, done: true };
  }
}
