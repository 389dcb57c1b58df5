/**
 * An entry as the sort keeps it, in memory and in runs alike. All parts begin at multiples of four, as in an
 * EntryBlock, so that entries are copied from one place to the next as whole words.
 *
 *      0            4              8                 8 + key, padded
 *     ┌────────────┬──────────────┬─────────────────┬───────────────────┐
 *     │ key length │ value length │ key, padded     │ value, padded     │
 *     │ u32        │ u32          │ to four bytes   │ to four bytes     │
 *     └────────────┴──────────────┴─────────────────┴───────────────────┘
 */
export const RECORD_VALUE_LENGTH = 4;
export const RECORD_KEY = 8;

/** Where the value of a record at `at` begins. */
export function recordValueAt(at: number, keyLength: number): number {
  return at + RECORD_KEY + ((keyLength + 3) & ~3);
}

/** Bytes that a record takes. The value may be longer than bit operations can count. */
export function recordBytes(keyLength: number, valueLength: number): number {
  return RECORD_KEY + ((keyLength + 3) & ~3) + Math.ceil(valueLength / 4) * 4;
}

/** Compares the keys of two records in one memory, from the byte `depth` on: those before it are equal. */
export function compareRecords(
  bytes: Uint8Array,
  words: Uint32Array,
  a: number,
  b: number,
  depth: number,
): number {
  const aLength = words[a >>> 2];
  const bLength = words[b >>> 2];
  const shared = aLength < bLength ? aLength : bLength;
  const aKey = a + RECORD_KEY;
  const bKey = b + RECORD_KEY;
  // Whole words first: keys that sort side by side mostly begin alike.
  let word = depth >>> 2;
  const aWord = aKey >>> 2;
  const bWord = bKey >>> 2;
  while (word < shared >>> 2 && words[aWord + word] === words[bWord + word]) word++;
  for (let i = word << 2; i < shared; i++) {
    const difference = bytes[aKey + i] - bytes[bKey + i];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/**
 * Whether the keys of two records, which are `keyLength` long both, are equal. From their ends, where keys that
 * sort side by side differ.
 */
export function sameKeys(words: Uint32Array, a: number, b: number, keyLength: number): boolean {
  const aWord = (a + RECORD_KEY) >>> 2;
  const bWord = (b + RECORD_KEY) >>> 2;
  let word = keyLength >>> 2;
  // What pads the last word is not the key's.
  const ends = (1 << ((keyLength & 3) << 3)) - 1;
  if (((words[aWord + word] ^ words[bWord + word]) & ends) !== 0) return false;
  while (word-- > 0) if (words[aWord + word] !== words[bWord + word]) return false;
  return true;
}
