/** Scans between `min` and `max` (manual, `cursor.min()`, `cursor.max()`). */

import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { encodeKey } from '../storage/key-encoding.ts';
import type { Index } from './index.ts';
import type { IndexScan } from './index-scan.ts';
import { FULL } from './intervals.ts';

/** The scan between `min` (included) and `max` (not included) of a query. */
export function planLimits(
  index: Index,
  min: Document | undefined,
  max: Document | undefined,
): IndexScan {
  const directions = index.fields.map(({ direction }) => direction);
  const edge = (limits: Document): Buffer =>
    Buffer.concat([index.space.prefix, encodeKey([...limits.values()], directions)]);
  const { prefix, end: last } = index.space;
  const start = min === undefined ? prefix : edge(min);
  const end = max === undefined ? last : edge(max);
  if (Buffer.compare(start, end) >= 0) {
    throw new MongoCommandError(
      'Location51175',
      'The value provided for min() does not come before the value provided for max() in the hinted index',
    );
  }
  return {
    index,
    bounds: index.fields.map(() => FULL),
    ranges: [{ start, end }],
    isExact: false,
    equalFields: 0,
    hasRange: true,
    limits: { min, max },
  };
}
