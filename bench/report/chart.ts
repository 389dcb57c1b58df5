// The results as bars: how many times as fast ours is as the best peer, on a logarithmic axis.

import { compare, isCost, type Series } from './results.js';
import { sizeOf } from './table.js';

const WIDTH = 920;
const ROW = 22;
const LEFT = 360;
const RIGHT = 150;
const TOP = 56;

const inXml = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export function chart(all: readonly Series[]): string {
  const rates = all
    .filter((series) => !isCost(series.unit))
    .map((series) => ({ series, ...compare(series) }))
    .filter(({ ratio }) => Number.isFinite(ratio));
  const most = Math.max(2, ...rates.map(({ ratio, series }) => Math.max(ratio, series.target)));
  const least = Math.min(0.5, ...rates.map(({ ratio }) => ratio));
  const scale = (value: number): number =>
    LEFT +
    ((Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (WIDTH - LEFT - RIGHT);
  const height = TOP + rates.length * ROW + 16;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    '<title>How many times as fast as the best peer btree-store is</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="22" font-size="15" font-weight="600">btree-store, times the best peer of the same run</text>`,
    `<text x="12" y="40" fill="#555">right of the line it is ahead; the mark is what is aimed at; the axis is logarithmic</text>`,
    `<line x1="${scale(1)}" x2="${scale(1)}" y1="${TOP - 6}" y2="${height - 10}" stroke="#333"/>`,
  ];
  for (const [index, { series, ratio, peer, reached }] of rates.entries()) {
    const y = TOP + index * ROW;
    const from = Math.min(scale(1), scale(ratio));
    const width = Math.abs(scale(ratio) - scale(1));
    parts.push(
      `<text x="${LEFT - 10}" y="${y + 13}" text-anchor="end">${inXml(`${series.title}, ${sizeOf(series)}`)}</text>`,
      `<rect x="${from}" y="${y + 3}" width="${Math.max(1, width)}" height="${ROW - 9}" fill="${reached ? '#2f7d4f' : ratio >= 1 ? '#6aa3d8' : '#d1785a'}"/>`,
      `<line x1="${scale(series.target)}" x2="${scale(series.target)}" y1="${y + 1}" y2="${y + ROW - 4}" stroke="#111" stroke-width="2"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${y + 13}">${ratio.toFixed(2)} × ${inXml(peer ?? '')}</text>`,
    );
  }
  return `${parts.join('\n')}\n</svg>\n`;
}
