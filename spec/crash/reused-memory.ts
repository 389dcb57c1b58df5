// The memory of page caches, used again from image to image: to make it anew for each of four openings an image, and to
// collect it, would take a third of the time. It is not emptied in between, so that a cache which looks at a frame
// before it has filled it meets pages of another store.

/** Smaller ones are tables, which rely on zeros. */
const BYTES_MIN = 1 << 20;

type Memory = SharedArrayBuffer;
const MemoryOfItsOwn = SharedArrayBuffer;
const made = new Map<number, Memory[]>();
const handedOut = new Map<number, number>();

/** From here on large shared memory comes from a pool. */
export function reuseMemory(): void {
  const make = function make(byteLength: number): Memory {
    if (byteLength < BYTES_MIN) return new MemoryOfItsOwn(byteLength);
    const pool = made.get(byteLength) ?? [];
    made.set(byteLength, pool);
    const next = handedOut.get(byteLength) ?? 0;
    handedOut.set(byteLength, next + 1);
    pool[next] ??= new MemoryOfItsOwn(byteLength);
    return pool[next];
  };
  make.prototype = MemoryOfItsOwn.prototype;
  globalThis.SharedArrayBuffer = make as unknown as SharedArrayBufferConstructor;
}

/** No store is open: what was handed out can serve again. */
export function memoryIsFree(): void {
  handedOut.clear();
}
