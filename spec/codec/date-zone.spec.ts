// lib/codec/date-text.ts: a date without a zone is in UTC, wherever the machine stands.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEXTS = ['2024-07-01', '2024-07-01T12:00:00', '2024-07-01 12:00', '2024-07-01T12:00:00-04:00'];
const TIMES = ['00', '12', '12', '16'].map((hour) => `2024-07-01T${hour}:00:00.000Z`);

const PROGRAM = `
  import { keys } from './lib/index.ts';
  const offset = new Date('2024-07-01T12:00:00Z').getTimezoneOffset();
  const dates = ${JSON.stringify(TEXTS)}.map((text) => keys.date.from(text));
  console.log(JSON.stringify({ offset, dates }));
`;

describe('dates of texts', function () {
  this.timeout(60_000);

  for (const [zone, offset] of [
    ['America/New_York', 240],
    ['Asia/Kolkata', -330],
  ] as const) {
    it(`are in UTC where no zone is said, also in ${zone}`, async () => {
      const words = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
      const options = { cwd: ROOT, env: { ...process.env, TZ: zone } };
      const { stdout } = await promisify(execFile)(process.execPath, words, options);
      // The offset tells that the process is where it was put.
      expect(JSON.parse(stdout)).to.deep.equal({ offset, dates: TIMES });
    });
  }
});
