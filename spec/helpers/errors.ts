// What specs say of errors: the code is the contract, the message names what was wrong.

import { type ErrorCode, StoreError } from 'btree-store';
import { expect } from 'chai';

function checked(error: unknown, code: ErrorCode): StoreError {
  if (!(error instanceof StoreError)) throw error;
  expect(error.code, error.message).to.equal(code);
  expect(error.message).to.not.equal('');
  return error;
}

/** Runs what must raise an error of this code, and returns the error. */
export function raised(code: ErrorCode, work: () => unknown): StoreError {
  try {
    work();
  } catch (error) {
    return checked(error, code);
  }
  throw new Error(`nothing was raised, ${code} was expected`);
}

/** Awaits what must reject with an error of this code, and returns the error. */
export async function rejected(code: ErrorCode, work: Promise<unknown>): Promise<StoreError> {
  try {
    await work;
  } catch (error) {
    return checked(error, code);
  }
  throw new Error(`nothing was rejected, ${code} was expected`);
}
