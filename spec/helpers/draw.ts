// Numbers by chance from a seed, for work that goes on at once and whose steps cannot be laid out beforehand.

/** A whole number from 0 up to, but without, `below`; the next one with each call. */
export type Draw = (below: number) => number;

/** The same numbers for the same seed, each time. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    // A linear congruential generator; its high bits are the better ones.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
