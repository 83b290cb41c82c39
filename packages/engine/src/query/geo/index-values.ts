/** What a geo index lets into its fields (manual, "2d Indexes", "2dsphere Indexes"). */
import { isNumeric, toNumber } from '../../bson/numeric.ts';
import { collectPath, splitPath } from '../../bson/path.ts';
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { describeDocument } from '../describe.ts';
import { flatPosition, storedGeometries } from './geometry.ts';

const DEFAULT_BOUND = 180;

function bound(value: Value | undefined, otherwise: number): number {
  return isNumeric(value) ? toNumber(value) : otherwise;
}

/**
 * Checks the values of a document in the fields of a geo index.
 *
 * @param specification - of the index, as listIndexes gives it
 * @throws Location13027 for a point outside of a 2d index, Location16755 for what is no geometry
 */
export function checkGeoValues(document: Document, specification: Document): void {
  const key = specification.get('key');
  if (!(key instanceof Map)) return;
  for (const [path, kind] of key) {
    if (kind !== '2d' && kind !== '2dsphere') continue;
    for (const value of collectPath(document, splitPath(path), false)) {
      if (value === undefined || value === null) continue;
      if (kind === '2d') checkFlat(value, specification, document);
      else checkSphere(value, document);
    }
  }
}

function checkFlat(value: Value, specification: Document, document: Document): void {
  const min = bound(specification.get('min'), -DEFAULT_BOUND);
  const max = bound(specification.get('max'), DEFAULT_BOUND);
  const position = flatPosition(value);
  const points =
    position === undefined && Array.isArray(value) ? value.map(flatPosition) : [position];
  for (const point of points) {
    if (point === undefined || point.every((part) => part >= min && part <= max)) continue;
    throw new MongoCommandError(
      'Location13027',
      `point not in interval of [ ${min}, ${max} ] :: caused by :: ${describeDocument(document)}`,
    );
  }
}

function checkSphere(value: Value, document: Document): void {
  if (flatPosition(value) !== undefined) return;
  let reason = 'geo element must be an array or object';
  if (value instanceof Map || Array.isArray(value)) {
    try {
      if (storedGeometries(value).length > 0) return;
      reason = 'unknown GeoJSON type';
    } catch (error) {
      if (error instanceof MongoCommandError) reason = error.message;
      else throw error;
    }
  }
  throw new MongoCommandError(
    'Location16755',
    `Can't extract geo keys: ${describeDocument(document)}  ${reason}`,
  );
}
