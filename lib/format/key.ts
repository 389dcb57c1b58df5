/**
 * Keys as the tree sees them: byte strings that sort as unsigned bytes, the shorter first where one
 * is a prefix of the other. A node compares heads (four bytes as one big-endian number) first.
 */

/** Negative, zero or positive as `a` sorts before, with or after `b`. */
export function compareKeys(a: Uint8Array, aLength: number, b: Uint8Array, bLength: number): number {
  const shared = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < shared; i++) {
    const difference = a[i] - b[i];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

export function commonPrefixLength(a: Uint8Array, aLength: number, b: Uint8Array, bLength: number): number {
  const shared = aLength < bLength ? aLength : bLength;
  let i = 0;
  while (i < shared && a[i] === b[i]) i++;
  return i;
}

/**
 * The four bytes of `key` from `from` on as a big-endian number, zeros past its end. Two keys whose
 * heads differ sort as their heads do; equal heads say nothing ("a" and "a\0" share theirs).
 */
export function keyHead(key: Uint8Array, length: number, from: number): number {
  const left = length - from;
  if (left >= 4)
    return ((key[from] << 24) | (key[from + 1] << 16) | (key[from + 2] << 8) | key[from + 3]) >>> 0;
  let head = 0;
  if (left > 0) head = key[from] << 24;
  if (left > 1) head |= key[from + 1] << 16;
  if (left > 2) head |= key[from + 2] << 8;
  return head >>> 0;
}

/**
 * The length of the shortest prefix of `right` that still sorts after `left`: what a branch keeps as
 * the separator of two children. `left` must sort before `right`.
 */
export function separatorLength(
  left: Uint8Array,
  leftLength: number,
  right: Uint8Array,
  rightLength: number,
): number {
  return commonPrefixLength(left, leftLength, right, rightLength) + 1;
}
