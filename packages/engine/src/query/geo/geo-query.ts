/** Geospatial query operators ($geoWithin, $geoIntersects, $near, $nearSphere). */
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';

export type GeoOperator = 'within' | 'intersects' | 'near' | 'nearSphere';

export interface GeoQuery {
  readonly operator: GeoOperator;
  /** Whether a stored value (GeoJSON or legacy pair) satisfies the query. */
  matches(value: Value | undefined): boolean;
  /** For the near operators: the distance to sort by; `undefined` where out of range or no point. */
  distance?(value: Value | undefined): number | undefined;
}

export function parseGeoQuery(operator: GeoOperator, spec: Document): GeoQuery {
  throw new MongoCommandError('NotImplemented', `${operator} ${spec.size}`);
}
