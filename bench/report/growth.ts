// How what one operation costs grows with the store: each larger size against the smallest of the same workload.

import { isCost, type Series } from './results.js';
import { median } from './statistics.js';
import { sizeOf } from './table.js';

/** A table of Markdown, or nothing where only one size was measured. */
export function growth(all: readonly Series[]): string {
  const lines: string[] = [];
  for (const series of all) {
    if (isCost(series.unit)) continue;
    const least = all
      .filter(({ workload, valueBytes }) => workload === series.workload && valueBytes === series.valueBytes)
      .reduce((a, b) => (a.entries <= b.entries ? a : b));
    if (least.entries === series.entries) continue;
    const times = Object.keys(series.runs).map((name) => {
      const [small, large] = [least.runs[name], series.runs[name]];
      return small === undefined ? '–' : `${name} ${(median(small) / median(large)).toFixed(2)}`;
    });
    lines.push(`| ${series.title} | ${sizeOf(least)} | ${sizeOf(series)} | ${times.join(', ')} |`);
  }
  if (lines.length === 0) return '';
  const head = [`| one operation | from | to | times as much |`, '|---|---|---|---|'];
  return `${[...head, ...lines].join('\n')}\n`;
}
