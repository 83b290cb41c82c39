/** GeoJSON objects and legacy coordinate pairs as stored in documents, and their relations. */
import { isNumeric, toNumber } from '../../bson/numeric.ts';
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import {
  angleBetween,
  angleToArc,
  arcsCross,
  insideRing,
  makeRing,
  onArc,
  type Position,
  type Ring,
  toVector,
  type Vector,
} from './sphere.ts';

export interface Polygon {
  readonly outer: Ring;
  readonly holes: readonly Ring[];
  /** The interior lies to the left of the outer ring, however large (MongoDB's big polygons). */
  readonly strict: boolean;
}

/** Any geometry as its parts. */
export interface Geometry {
  readonly points: readonly Vector[];
  readonly lines: readonly (readonly Vector[])[];
  readonly polygons: readonly Polygon[];
  /** The position, when the geometry is a single point. */
  readonly position: Position | undefined;
}

const STRICT_CRS = 'urn:x-mongodb:crs:strictwinding:EPSG:4326';

function bad(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}

/** A pair of numbers; `undefined` for anything else. */
export function flatPosition(value: Value | undefined): Position | undefined {
  const members = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : [];
  const [x, y] = members;
  return isNumeric(x) && isNumeric(y) ? [toNumber(x), toNumber(y)] : undefined;
}

function sphericalPosition(value: Value | undefined): Position {
  if (!Array.isArray(value) || value.length < 2) throw bad('Point must be an array or object');
  const position = flatPosition(value);
  if (position === undefined) throw bad('Point must only contain numeric elements');
  return checkBounds(position);
}

/** Refuses positions that are not on the globe. */
export function checkBounds(position: Position): Position {
  const [longitude, latitude] = position;
  if (!(Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90)) {
    throw bad(`longitude/latitude is out of bounds, lng: ${longitude} lat: ${latitude}`);
  }
  return position;
}

function list(value: Value | undefined, what: string): readonly Value[] {
  if (!Array.isArray(value)) throw bad(`${what} coordinates must be an array`);
  return value;
}

function parseLine(value: Value | undefined): readonly Vector[] {
  const points = list(value, 'LineString').map((item) => toVector(sphericalPosition(item)));
  if (points.length < 2) throw bad('LineString must have at least 2 vertices');
  return points;
}

function parseRing(value: Value | undefined): Ring {
  const positions = list(value, 'Polygon').map(sphericalPosition);
  const [first] = positions;
  const last = positions.at(-1);
  if (first === undefined || last === undefined) throw bad('Loop has no vertices');
  if (first[0] !== last[0] || first[1] !== last[1]) {
    throw bad(`Loop is not closed, first vertex does not equal last vertex: ${first} and ${last}`);
  }
  const points = positions
    .slice(0, -1)
    .filter((position, index, all) => {
      const before = all[index - 1];
      return before === undefined || before[0] !== position[0] || before[1] !== position[1];
    })
    .map(toVector);
  if (points.length < 3) throw bad('Loop must have at least 3 different vertices');
  return makeRing(points);
}

function parsePolygon(value: Value | undefined, strict: boolean): Polygon {
  const [outer, ...holes] = list(value, 'Polygon').map(parseRing);
  if (outer === undefined) throw bad('Polygon has no loops.');
  return { outer, holes, strict };
}

const EMPTY: Geometry = { points: [], lines: [], polygons: [], position: undefined };

function pointGeometry(position: Position): Geometry {
  return { ...EMPTY, points: [toVector(position)], position };
}

function merge(parts: readonly Geometry[]): Geometry {
  return {
    points: parts.flatMap((part) => part.points),
    lines: parts.flatMap((part) => part.lines),
    polygons: parts.flatMap((part) => part.polygons),
    position: undefined,
  };
}

/** A GeoJSON object (manual, "GeoJSON Objects"). */
export function parseGeoJson(object: Document): Geometry {
  const coordinates = object.get('coordinates');
  const crs = object.get('crs');
  const properties = crs instanceof Map ? crs.get('properties') : undefined;
  const strict = properties instanceof Map && properties.get('name') === STRICT_CRS;
  switch (object.get('type')) {
    case 'Point':
      return pointGeometry(sphericalPosition(coordinates));
    case 'LineString':
      return { ...EMPTY, lines: [parseLine(coordinates)] };
    case 'Polygon':
      return { ...EMPTY, polygons: [parsePolygon(coordinates, strict)] };
    case 'MultiPoint':
      return {
        ...EMPTY,
        points: list(coordinates, 'MultiPoint').map((item) => toVector(sphericalPosition(item))),
      };
    case 'MultiLineString':
      return { ...EMPTY, lines: list(coordinates, 'MultiLineString').map(parseLine) };
    case 'MultiPolygon':
      return {
        ...EMPTY,
        polygons: list(coordinates, 'MultiPolygon').map((item) => parsePolygon(item, strict)),
      };
    case 'GeometryCollection':
      return merge(
        list(object.get('geometries'), 'GeometryCollection').map((item) => {
          if (!(item instanceof Map))
            throw bad('GeometryCollection holds an element that is no object');
          return parseGeoJson(item);
        }),
      );
    default:
      throw bad(`unknown GeoJSON type: ${String(object.get('type'))}`);
  }
}

export function isGeoJson(value: Value | undefined): value is Document {
  return value instanceof Map && typeof value.get('type') === 'string';
}

const parsed = new WeakMap<object, Geometry | null>();

/**
 * The geometries a stored value holds: a GeoJSON object, a legacy pair, or an array of either.
 * What cannot be read holds none (queries pass over it; only indexes refuse it).
 */
export function storedGeometries(value: Value | undefined): readonly Geometry[] {
  if (Array.isArray(value) && !isNumeric(value[0])) return value.flatMap(oneGeometry);
  return oneGeometry(value);
}

function oneGeometry(value: Value | undefined): readonly Geometry[] {
  if (typeof value !== 'object' || value === null) return [];
  const known = parsed.get(value);
  if (known !== undefined) return known === null ? [] : [known];
  let geometry: Geometry | null = null;
  try {
    if (isGeoJson(value)) {
      geometry = parseGeoJson(value);
    } else {
      const position = flatPosition(value);
      geometry = position === undefined ? null : pointGeometry(position);
    }
  } catch (error) {
    if (!(error instanceof MongoCommandError)) throw error;
  }
  parsed.set(value, geometry);
  return geometry === null ? [] : [geometry];
}

// ---------------------------------------------------------------- relations

type Edge = readonly [Vector, Vector];

function ringEdges(ring: Ring): Edge[] {
  return ring.points.map((point, index) => [
    point,
    ring.points[(index + 1) % ring.points.length] as Vector,
  ]);
}

function lineEdges(line: readonly Vector[]): Edge[] {
  return line.slice(1).map((point, index) => [line[index] as Vector, point]);
}

function edges(geometry: Geometry): Edge[] {
  return [
    ...geometry.lines.flatMap(lineEdges),
    ...geometry.polygons.flatMap((polygon) => [polygon.outer, ...polygon.holes].flatMap(ringEdges)),
  ];
}

function vertices(geometry: Geometry): readonly Vector[] {
  return [
    ...geometry.points,
    ...geometry.lines.flat(),
    ...geometry.polygons.flatMap((polygon) =>
      [polygon.outer, ...polygon.holes].flatMap((ring) => ring.points),
    ),
  ];
}

function inPolygon(polygon: Polygon, point: Vector): boolean {
  if (!insideRing(polygon.outer, point, polygon.strict)) return false;
  return !polygon.holes.some(
    (hole) =>
      insideRing(hole, point) && !ringEdges(hole).some(([from, to]) => onArc(point, from, to)),
  );
}

function touches(geometry: Geometry, point: Vector): boolean {
  return (
    geometry.points.some((other) => angleBetween(point, other) < 1e-12) ||
    geometry.lines.some((line) => lineEdges(line).some(([from, to]) => onArc(point, from, to))) ||
    geometry.polygons.some((polygon) => inPolygon(polygon, point))
  );
}

function anyEdgesCross(a: readonly Edge[], b: readonly Edge[]): boolean {
  return a.some(([a1, a2]) => b.some(([b1, b2]) => arcsCross(a1, a2, b1, b2)));
}

/** True when the two have at least one point in common. */
export function intersect(a: Geometry, b: Geometry): boolean {
  return (
    vertices(a).some((point) => touches(b, point)) ||
    vertices(b).some((point) => touches(a, point)) ||
    anyEdgesCross(edges(a), edges(b))
  );
}

/** True when the whole of `inner` lies in the polygons of `outer`. */
export function containedIn(inner: Geometry, outer: Geometry): boolean {
  const { polygons } = outer;
  if (!vertices(inner).every((point) => polygons.some((polygon) => inPolygon(polygon, point)))) {
    return false;
  }
  const innerEdges = edges(inner);
  if (innerEdges.length === 0) return true;
  if (anyEdgesCross(innerEdges, edges(outer))) return false;
  const holePoints = polygons.flatMap((polygon) => polygon.holes.flatMap((hole) => hole.points));
  return !holePoints.some((point) => inner.polygons.some((polygon) => inPolygon(polygon, point)));
}

/** The angle from a point to the nearest point of a geometry. */
export function angleTo(point: Vector, geometry: Geometry): number {
  if (geometry.polygons.some((polygon) => inPolygon(polygon, point))) return 0;
  let nearest = Number.POSITIVE_INFINITY;
  for (const other of geometry.points) nearest = Math.min(nearest, angleBetween(point, other));
  for (const [from, to] of edges(geometry))
    nearest = Math.min(nearest, angleToArc(point, from, to));
  return nearest;
}

/** True when every vertex is within the angle of the centre (a cap is convex). */
export function containedInCap(geometry: Geometry, centre: Vector, angle: number): boolean {
  return vertices(geometry).every((point) => angleBetween(point, centre) <= angle);
}
