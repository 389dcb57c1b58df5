// lib/errors.ts: the table of codes is the contract, so the spec writes it out again.

import { inspect } from 'node:util';
import { expect } from 'chai';
import { ERROR_CODES, type ErrorCode, StoreError } from '../lib/errors.js';

const codes: readonly ErrorCode[] = [
  'STORE_NOT_FOUND',
  'STORE_LOCKED',
  'NOT_A_STORE',
  'UNSUPPORTED_VERSION',
  'PAGE_CORRUPT',
  'LOG_CORRUPT',
  'RUN_CORRUPT',
  'STORE_CLOSED',
  'STORE_FAILED',
  'READ_ONLY',
  'INVALID_OPTION',
  'INVALID_KEY',
  'INVALID_VALUE',
  'KEY_NOT_FOUND',
  'KEY_TOO_LARGE',
  'VALUE_TOO_LARGE',
  'KEY_OUT_OF_ORDER',
  'DUPLICATE_KEY',
  'BUCKET_EXISTS',
  'BUCKET_NOT_FOUND',
  'INVALID_BUCKET_NAME',
  'TRANSACTION_CLOSED',
  'SNAPSHOT_RELEASED',
  'IO_ERROR',
  'DISK_FULL',
  'ABORTED',
  'CONFLICT',
  'NOT_SUPPORTED',
  'SOURCE_INVALID',
  'ROW_REJECTED',
  'INTERNAL',
];

describe('StoreError', () => {
  it('knows exactly the codes of the contract', () => {
    expect(Object.keys(ERROR_CODES)).to.deep.equal(codes);
  });

  for (const code of codes) {
    it(`carries ${code}`, () => {
      const error = new StoreError(code, 'what was wrong and what to do');
      expect(error).to.be.an.instanceOf(StoreError).and.an.instanceOf(Error);
      expect(error.code).to.equal(code);
      expect(ERROR_CODES[code]).to.equal(code);
      expect(error.message).to.equal('what was wrong and what to do');
    });
  }

  it('is named StoreError, in the stack as well', () => {
    const error = new StoreError('INTERNAL', 'defect');
    expect(error.name).to.equal('StoreError');
    expect(String(error)).to.equal('StoreError: defect');
    expect(error.stack).to.match(/^StoreError: defect\n/);
  });

  it('keeps the cause', () => {
    const cause = new Error('EIO');
    expect(new StoreError('IO_ERROR', 'read failed', { cause }).cause).to.equal(cause);
  });

  it('has no cause of its own where none was given', () => {
    expect(Object.hasOwn(new StoreError('INTERNAL', 'defect'), 'cause')).to.equal(false);
    expect(Object.hasOwn(new StoreError('INTERNAL', 'defect', { details: {} }), 'cause')).to.equal(false);
  });

  it('keeps details as they were, though the caller changes its object later', () => {
    const details = { page: 7 };
    const error = new StoreError('PAGE_CORRUPT', 'page 7 is damaged', { details });
    details.page = 8;
    expect(error.details).to.deep.equal({ page: 7 });
    expect(error.details).to.be.frozen;
  });

  it('has empty, frozen details where none were given', () => {
    const error = new StoreError('INTERNAL', 'defect');
    expect(error.details).to.deep.equal({});
    expect(error.details).to.be.frozen;
  });

  it('prints its code and details where an uncaught error is printed', () => {
    const error = new StoreError('STORE_LOCKED', 'in use', { details: { pid: 123 } });
    expect(inspect(error)).to.contain("code: 'STORE_LOCKED'").and.to.contain('pid: 123');
  });
});
