import { isNumeric } from './compare.ts';
import { isZero } from './numeric.ts';
import { BsonUndefined, type Value } from './value.ts';

/** MongoDB's notion of true: everything but false, zero, null, undefined and missing. */
export function isTrue(value: Value | undefined): boolean {
  if (typeof value === 'boolean') return value;
  if (value === undefined || value === null || value instanceof BsonUndefined) return false;
  return isNumeric(value) ? !isZero(value) : true;
}
