/** $geoWithin, $geoIntersects, $near and $nearSphere (manual, "Geospatial Query Operators"). */
import { isNumeric, toNumber } from '../../bson/numeric.ts';
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { describeDocument } from '../describe.ts';
import {
  angleTo,
  checkBounds,
  containedIn,
  containedInCap,
  flatPosition,
  type Geometry,
  intersect,
  isGeoJson,
  parseGeoJson,
  storedGeometries,
} from './geometry.ts';
import { EARTH_RADIUS_METRES, type Position, toVector } from './sphere.ts';

export type GeoOperator = 'within' | 'intersects' | 'near' | 'nearSphere';

export interface GeoQuery {
  readonly operator: GeoOperator;
  /** Whether a stored value (GeoJSON or legacy pair) satisfies the query. */
  matches(value: Value | undefined): boolean;
  /** For the near operators: the distance to sort by; `undefined` where out of range or no point. */
  distance?(value: Value | undefined): number | undefined;
}

type GeometryTest = (geometry: Geometry) => boolean;

function bad(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}

function query(operator: GeoOperator, test: GeometryTest): GeoQuery {
  return { operator, matches: (value) => storedGeometries(value).some(test) };
}

// ---------------------------------------------------------------- flat shapes

function positions(value: Value | undefined, name: string): readonly Position[] {
  const members = value instanceof Map ? [...value.values()] : value;
  if (!Array.isArray(members)) throw bad(`${name} must be an array`);
  return members.map((item) => {
    const position = flatPosition(item);
    if (position === undefined) throw bad('Point must be an array or object');
    return position;
  });
}

function onPoints(test: (position: Position) => boolean): GeometryTest {
  return ({ position }) => position !== undefined && test(position);
}

function box(value: Value | undefined): GeometryTest {
  const [a, b] = positions(value, '$box');
  if (a === undefined || b === undefined) throw bad('$box needs two corners');
  const left = Math.min(a[0], b[0]);
  const right = Math.max(a[0], b[0]);
  const bottom = Math.min(a[1], b[1]);
  const top = Math.max(a[1], b[1]);
  return onPoints(([x, y]) => x >= left && x <= right && y >= bottom && y <= top);
}

function polygon(value: Value | undefined): GeometryTest {
  const corners = positions(value, '$polygon');
  if (corners.length < 3) throw bad('Polygon must have at least 3 points');
  return onPoints((point) => inFlatPolygon(corners, point));
}

function inFlatPolygon(corners: readonly Position[], [x, y]: Position): boolean {
  let inside = false;
  let [lastX, lastY] = corners.at(-1) as Position;
  for (const [nextX, nextY] of corners) {
    const side = (nextX - lastX) * (y - lastY) - (nextY - lastY) * (x - lastX);
    const between =
      x >= Math.min(lastX, nextX) &&
      x <= Math.max(lastX, nextX) &&
      y >= Math.min(lastY, nextY) &&
      y <= Math.max(lastY, nextY);
    if (side === 0 && between) return true;
    if (lastY > y !== nextY > y && x < ((nextX - lastX) * (y - lastY)) / (nextY - lastY) + lastX) {
      inside = !inside;
    }
    lastX = nextX;
    lastY = nextY;
  }
  return inside;
}

function circle(value: Value | undefined, name: string): { centre: Position; radius: number } {
  const members = value instanceof Map ? [...value.values()] : value;
  const [first, second] = Array.isArray(members) ? members : [];
  const centre = flatPosition(first);
  if (centre === undefined) throw bad('Point must be an array or object');
  if (!isNumeric(second)) throw bad(`radius must be a non-negative number: ${name}`);
  const radius = toNumber(second);
  if (!(radius >= 0)) throw bad('radius must be a non-negative number');
  return { centre, radius };
}

function center(value: Value | undefined): GeometryTest {
  const { centre, radius } = circle(value, '$center');
  return onPoints(([x, y]) => Math.hypot(x - centre[0], y - centre[1]) <= radius);
}

function centerSphere(value: Value | undefined): GeometryTest {
  const { centre, radius } = circle(value, '$centerSphere');
  const vector = toVector(checkBounds(centre));
  return (geometry) => containedInCap(geometry, vector, radius);
}

// ---------------------------------------------------------------- operators

function parseWithin(spec: Document): GeoQuery {
  for (const [name, value] of spec) {
    switch (name) {
      case '$geometry': {
        if (!isGeoJson(value)) throw bad(`unknown geo specifier: ${describeDocument(spec)}`);
        const area = parseGeoJson(value);
        if (area.polygons.length === 0) {
          throw bad(`$geoWithin not supported with provided geometry: ${describeDocument(spec)}`);
        }
        return query('within', (geometry) => containedIn(geometry, area));
      }
      case '$box':
        return query('within', box(value));
      case '$polygon':
        return query('within', polygon(value));
      case '$center':
        return query('within', center(value));
      case '$centerSphere':
        return query('within', centerSphere(value));
      case '$uniqueDocs':
        break;
      default:
        throw bad(`unknown geo specifier: ${name}`);
    }
  }
  throw bad(`$geoWithin not supported with provided geometry: ${describeDocument(spec)}`);
}

function parseIntersects(spec: Document): GeoQuery {
  const value = spec.get('$geometry');
  if (!isGeoJson(value)) {
    throw bad(`$geoIntersects not supported with provided geometry: ${describeDocument(spec)}`);
  }
  const area = parseGeoJson(value);
  return query('intersects', (geometry) => intersect(geometry, area));
}

function distanceLimit(value: Value | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const limit = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (!isNumeric(value)) throw bad(`${name} must be a number`);
  if (!(limit >= 0)) throw bad(`${name} must be non-negative`);
  return limit;
}

type Distance = (geometry: Geometry) => number | undefined;

interface Near {
  readonly distance: Distance;
  readonly limits: Document;
}

/** The centre as GeoJSON (metres) or as a pair (flat, or radians for `$nearSphere`). */
function parseCentre(operator: 'near' | 'nearSphere', siblings: Document): Near {
  const argument =
    siblings.get(operator === 'near' ? '$near' : '$nearSphere') ?? siblings.get('$geoNear');
  if (argument instanceof Map && argument.has('$geometry')) {
    const geometry = argument.get('$geometry');
    const centre = geometry instanceof Map ? geoJsonPoint(geometry) : undefined;
    if (centre === undefined)
      throw bad(`$near requires a point, given ${describeDocument(argument)}`);
    const vector = toVector(centre);
    return {
      distance: (stored) => angleTo(vector, stored) * EARTH_RADIUS_METRES,
      limits: argument,
    };
  }
  const pair =
    argument instanceof Map && isGeoJson(argument)
      ? geoJsonPoint(argument)
      : flatPosition(argument);
  if (pair === undefined) throw bad(`invalid argument in geo near query: ${operator}`);
  if (operator === 'nearSphere') {
    const vector = toVector(checkBounds(pair));
    const metres = argument instanceof Map && isGeoJson(argument) ? EARTH_RADIUS_METRES : 1;
    return { distance: (stored) => angleTo(vector, stored) * metres, limits: siblings };
  }
  return {
    distance: ({ position }) =>
      position === undefined ? undefined : Math.hypot(position[0] - pair[0], position[1] - pair[1]),
    limits: siblings,
  };
}

function geoJsonPoint(object: Document): Position | undefined {
  return isGeoJson(object) ? parseGeoJson(object).position : flatPosition(object);
}

function parseNear(operator: 'near' | 'nearSphere', siblings: Document): GeoQuery {
  const { distance, limits } = parseCentre(operator, siblings);
  const maximum = distanceLimit(limits.get('$maxDistance'), '$maxDistance') ?? Infinity;
  const minimum = distanceLimit(limits.get('$minDistance'), '$minDistance') ?? 0;
  const nearest = (value: Value | undefined): number | undefined => {
    let best: number | undefined;
    for (const geometry of storedGeometries(value)) {
      const away = distance(geometry);
      if (away === undefined || away > maximum || away < minimum) continue;
      if (best === undefined || away < best) best = away;
    }
    return best;
  };
  return { operator, matches: (value) => nearest(value) !== undefined, distance: nearest };
}

/**
 * Parses a geospatial operator.
 *
 * @param spec - the operator's argument; for the near operators the document that holds the
 *   operator, because legacy limits stand beside it
 */
export function parseGeoQuery(operator: GeoOperator, spec: Document): GeoQuery {
  switch (operator) {
    case 'within':
      return parseWithin(spec);
    case 'intersects':
      return parseIntersects(spec);
    case 'near':
    case 'nearSphere':
      return parseNear(operator, spec);
  }
}
