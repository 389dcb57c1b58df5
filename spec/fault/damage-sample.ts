// Which bits of a page are flipped where not all of them are.

import { Random } from '../helpers/random.js';
import { PAGE_BITS, PAGE_SIZE } from './damaged-store.js';

/** Bits of a page: of its header, its slots, its end, and anywhere; all of them if so many are asked for. */
export function* bitsOf(page: number, count: number, seed = 20_251): Generator<number> {
  if (count >= PAGE_BITS) {
    for (let bit = 0; bit < PAGE_BITS; bit++) yield bit;
    return;
  }
  const random = Random.of(page, seed);
  const regions: ReadonlyArray<[from: number, to: number]> = [
    [0, 32],
    [32, 160],
    [PAGE_SIZE - 64, PAGE_SIZE],
    [0, PAGE_SIZE],
  ];
  for (let i = 0; i < count; i++) {
    const [from, to] = regions[i % regions.length];
    yield random.between(from * 8, to * 8 - 1);
  }
}
