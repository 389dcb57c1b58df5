// How the parts of a key become its bytes.
//
// A key of one part is that part's UTF-8. A key of several parts sorts as the tuple of its parts does: each
// part has its zero bytes followed by 0xff, and between two parts stand two zero bytes.
//
//      parts "a", "b"       61 00 00 62
//      parts "a\0", "b"     61 00 ff 00 00 62
//
// Where one part is the beginning of another, the shorter one sorts first: it is followed by 00 00, and the
// longer one goes on with more than that, be it with 00 ff. So no two tuples of as many parts share a key.

import type { ByteArena } from '../stream/byte-arena.js';

const ZERO = 0x00;
const ZERO_ESCAPE = 0xff;

/** Appends what stands between two parts. */
export function appendKeySeparator(arena: ByteArena): void {
  arena.appendByte(ZERO);
  arena.appendByte(ZERO);
}

/** Appends one part; `several` tells whether the key has others. */
export function appendKeyPart(text: string, several: boolean, arena: ByteArena): void {
  if (!several || !text.includes('\0')) {
    arena.appendText(text);
    return;
  }
  for (const byte of Buffer.from(text)) {
    arena.appendByte(byte);
    if (byte === ZERO) arena.appendByte(ZERO_ESCAPE);
  }
}
