// lib/etl/reject.ts: the NDJSON form.

import { expect } from 'chai';
import { type Reject, rejectToNdjson } from '../../lib/etl/reject.js';

const reject = (raw: Buffer): Reject => ({
  line: 3,
  byteOffset: 17,
  byteLength: raw.length,
  reason: 'COLUMN_COUNT',
  message: 'a "message"',
  raw,
});

describe('rejects as ndjson', () => {
  it('have the row as text where it is text', () => {
    expect(rejectToNdjson(reject(Buffer.from('é,"\n')))).to.equal(
      '{"line":3,"byteOffset":17,"byteLength":5,"reason":"COLUMN_COUNT","message":"a \\"message\\"","raw":"é,\\"\\n"}\n',
    );
  });

  it('have the row as base64 where it is not UTF-8, so that no byte is lost', () => {
    const raw = Buffer.from([0x61, 0xff]);
    const parsed: unknown = JSON.parse(rejectToNdjson(reject(raw)));
    expect(parsed).to.not.have.property('raw');
    expect(parsed).to.have.property('rawBase64', raw.toString('base64'));
  });
});
