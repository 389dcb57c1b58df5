// The line of JSON that every long harness ends with.

/** `figures`: the seed and what was done, told with the time it took and whether nothing was found. */
export function tellResult(started: number, figures: Readonly<Record<string, unknown>>): void {
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(JSON.stringify({ ...figures, seconds, ok: process.exitCode === undefined }));
}
