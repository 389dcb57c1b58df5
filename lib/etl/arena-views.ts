// What an arena holds, as a Buffer: for each length the same one over and over, so that a row costs no object.

import type { ByteArena } from '../stream/byte-arena.js';

/** Longer contents are rare, and get a Buffer each time. */
const KEPT_LENGTH_MAX = 4096;

export class ArenaViews {
  private bytes: Buffer;
  private views: (Buffer | undefined)[] = [];

  constructor(private readonly arena: ByteArena) {
    this.bytes = arena.bytes;
  }

  /** All that was written since the arena was cleared; valid until it is written to again. */
  content(): Buffer {
    const { bytes, length } = this.arena;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.views = [];
    }
    const kept = this.views[length];
    if (kept !== undefined) return kept;
    const view = bytes.subarray(0, length);
    if (length <= KEPT_LENGTH_MAX) this.views[length] = view;
    return view;
  }
}
