// The results as a table of Markdown.

import { ENGINE_NAMES } from '../engines/engines.js';
import { compare, isCost, type Series } from './results.js';

export function shown(value: number, unit: Series['unit']): string {
  if (unit === 'ms') return `${value.toFixed(1)} ms`;
  if (unit === 'MB') return `${value.toFixed(0)} MB`;
  if (unit === 'bytes a byte') return value.toFixed(2);
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M/s`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)} k/s`;
  return `${value.toFixed(0)} /s`;
}

export function sizeOf({ entries, valueBytes }: Pick<Series, 'entries' | 'valueBytes'>): string {
  const count = entries >= 1e6 ? `${entries / 1e6} M` : `${entries / 1e3} k`;
  return `${count} × ${valueBytes} B`;
}

export function table(all: readonly Series[]): string {
  const lines = [
    `| workload | size | ${ENGINE_NAMES.join(' | ')} | against the best peer | aim | spread |`,
    `|---|---|${ENGINE_NAMES.map(() => '--:').join('|')}|--:|--:|--:|`,
  ];
  for (const series of all) {
    const { medians, spreads, peer, ratio, reached } = compare(series);
    const cells = ENGINE_NAMES.map((name) =>
      medians[name] === undefined ? '–' : shown(medians[name], series.unit),
    );
    const against = peer === undefined ? '–' : `${ratio.toFixed(2)} × ${peer}`;
    const aim = isCost(series.unit) ? `≤ ${shown(series.target, series.unit)}` : `${series.target} ×`;
    const widest = Math.max(...Object.values(spreads));
    lines.push(
      `| ${series.title} | ${sizeOf(series)} | ${cells.join(' | ')} | ${against} | ${aim}${reached ? ' ✓' : ''} | ±${(widest * 50).toFixed(0)}% |`,
    );
  }
  return `${lines.join('\n')}\n`;
}
