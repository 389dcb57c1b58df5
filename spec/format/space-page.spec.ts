// lib/format/space-page.ts: where maps and directories stand, for each page size.

import { expect } from 'chai';
import { PAGE_SIZES } from '../../lib/format/page.js';
import { SpaceGeometry } from '../../lib/format/space-page.js';

// By hand: (page size - 32) × 8, (page size - 32) / 8, and what 256 directories reach, in 32 bits.
const sizes: ReadonlyArray<[pageSize: number, groupPages: number, runGroups: number, pagesMax: number]> = [
  [4096, 32_512, 508, 4_228_120_576],
  [8192, 65_280, 1020, 0xffff_fffe],
  [16384, 130_816, 2044, 0xffff_fffe],
  [32768, 261_888, 4092, 0xffff_fffe],
  [65536, 524_032, 8188, 0xffff_fffe],
];

describe('space page', () => {
  it('knows every page size', () => expect(sizes.map(([size]) => size)).to.deep.equal([...PAGE_SIZES]));

  for (const [pageSize, groupPages, runGroups, pagesMax] of sizes) {
    describe(`with pages of ${pageSize}`, () => {
      const geometry = new SpaceGeometry(pageSize);

      it('cuts the file into groups and runs', () => {
        expect(geometry.groupPages).to.equal(groupPages);
        expect(geometry.runGroups).to.equal(runGroups);
        expect(geometry.pagesMax).to.equal(pagesMax);
        expect(pagesMax * pageSize, '16 TB').to.be.above(16e12);
      });

      it('finds the group of a page and the run of a group', () => {
        for (const group of [0, 1, runGroups - 1, runGroups]) {
          expect(geometry.groupOf(group * groupPages)).to.equal(group);
          expect(geometry.groupOf((group + 1) * groupPages - 1)).to.equal(group);
          expect(geometry.runOf(group)).to.equal(group < runGroups ? 0 : 1);
        }
      });

      it('keeps pages 0 to 5 of the first group', () => {
        const fixed = Array.from({ length: 10 }, (_, page) => page).filter((page) => geometry.isFixed(page));
        expect(fixed).to.deep.equal([0, 1, 2, 3, 4, 5]);
        expect([geometry.mapPage(0, 0), geometry.mapPage(0, 1)]).to.deep.equal([2, 3]);
        expect([geometry.directoryPage(0, 0), geometry.directoryPage(0, 1)]).to.deep.equal([4, 5]);
        expect(geometry.fixedEnd(0)).to.equal(6);
      });

      it('keeps pages 2 and 3 of every other group', () => {
        for (const group of [1, 2, runGroups - 1, runGroups + 1]) {
          const first = group * groupPages;
          const fixed = Array.from({ length: 10 }, (_, page) => page).filter((page) =>
            geometry.isFixed(first + page),
          );
          expect(fixed).to.deep.equal([2, 3]);
          expect([geometry.mapPage(group, 0), geometry.mapPage(group, 1)]).to.deep.equal([
            first + 2,
            first + 3,
          ]);
          expect(geometry.fixedEnd(group)).to.equal(first + 4);
        }
      });

      it('keeps pages 2 to 5 of the first group of every other run', () => {
        const first = runGroups * groupPages;
        const fixed = Array.from({ length: 10 }, (_, page) => page).filter((page) =>
          geometry.isFixed(first + page),
        );
        expect(fixed).to.deep.equal([2, 3, 4, 5]);
        expect([geometry.directoryPage(1, 0), geometry.directoryPage(1, 1)]).to.deep.equal([
          first + 4,
          first + 5,
        ]);
        expect(geometry.fixedEnd(runGroups)).to.equal(first + 6);
      });
    });
  }
});
