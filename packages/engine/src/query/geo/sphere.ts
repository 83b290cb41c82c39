/** Geometry on the sphere with points as unit vectors; edges are great-circle arcs. */

/** Longitude and latitude in degrees, or flat x and y. */
export type Position = readonly [number, number];

/** MongoDB's earth, in metres (manual, "Calculate Distances Using Spherical Geometry"). */
export const EARTH_RADIUS_METRES = 6_378_100;

export interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Closer than this (radians; about 6 mm on earth) is on the line. */
const ON_LINE = 1e-9;

const RADIANS = Math.PI / 180;

export function toVector([longitude, latitude]: Position): Vector {
  const lambda = longitude * RADIANS;
  const phi = latitude * RADIANS;
  return {
    x: Math.cos(phi) * Math.cos(lambda),
    y: Math.cos(phi) * Math.sin(lambda),
    z: Math.sin(phi),
  };
}

export function dot(a: Vector, b: Vector): number {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

export function cross(a: Vector, b: Vector): Vector {
  return { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x };
}

function plus(a: Vector, b: Vector): Vector {
  return { x: a.x + b.x, y: a.y + b.y, z: a.z + b.z };
}

function length(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

function unit(a: Vector): Vector {
  const size = length(a);
  return size === 0 ? a : { x: a.x / size, y: a.y / size, z: a.z / size };
}

/** The angle between two points in radians, exact for small ones, too. */
export function angleBetween(a: Vector, b: Vector): number {
  return Math.atan2(length(cross(a, b)), dot(a, b));
}

/** The angle from a point to the nearest point of an arc. */
export function angleToArc(point: Vector, from: Vector, to: Vector): number {
  const normal = cross(from, to);
  const size = length(normal);
  if (size < 1e-15) return angleBetween(point, from);
  const pole = unit(normal);
  // The foot of the perpendicular lies on the arc when it is between the two ends.
  const foot = cross(cross(pole, point), pole);
  if (dot(cross(from, foot), pole) >= 0 && dot(cross(foot, to), pole) >= 0) {
    return Math.abs(Math.asin(Math.max(-1, Math.min(1, dot(pole, point)))));
  }
  return Math.min(angleBetween(point, from), angleBetween(point, to));
}

/** True when the insides of two arcs cross (touching ends do not count). */
export function arcsCross(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  const ab = cross(a, b);
  const cd = cross(c, d);
  const acb = -dot(ab, c);
  const bda = dot(ab, d);
  const cbd = -dot(cd, b);
  const dac = dot(cd, a);
  return acb * bda > 0 && bda * cbd > 0 && cbd * dac > 0;
}

export function onArc(point: Vector, from: Vector, to: Vector): boolean {
  return angleToArc(point, from, to) < ON_LINE;
}

/** A closed ring; the last point is not repeated. */
export interface Ring {
  readonly points: readonly Vector[];
  /** Positive for a ring that runs counter-clockwise around the smaller of its two sides. */
  readonly orientation: number;
}

export function makeRing(points: readonly Vector[]): Ring {
  let area: Vector = { x: 0, y: 0, z: 0 };
  let sum: Vector = { x: 0, y: 0, z: 0 };
  for (const [index, point] of points.entries()) {
    area = plus(area, cross(point, points[(index + 1) % points.length] as Vector));
    sum = plus(sum, point);
  }
  return { points, orientation: Math.sign(dot(area, sum)) || 1 };
}

/** How far the ring turns around the point as seen from it: ±2π inside, 0 outside. */
function winding(ring: Ring, point: Vector): number {
  // Directions on the plane that touches the sphere at the point.
  const helper: Vector = Math.abs(point.z) < 0.9 ? { x: 0, y: 0, z: 1 } : { x: 1, y: 0, z: 0 };
  const east = unit(cross(helper, point));
  const north = cross(point, east);
  let total = 0;
  const { points } = ring;
  let last = Math.atan2(dot(points.at(-1) as Vector, north), dot(points.at(-1) as Vector, east));
  for (const next of points) {
    const angle = Math.atan2(dot(next, north), dot(next, east));
    let turn = angle - last;
    if (turn > Math.PI) turn -= 2 * Math.PI;
    else if (turn < -Math.PI) turn += 2 * Math.PI;
    total += turn;
    last = angle;
  }
  return total;
}

export function onRing(ring: Ring, point: Vector): boolean {
  const { points } = ring;
  return points.some((from, index) =>
    onArc(point, from, points[(index + 1) % points.length] as Vector),
  );
}

/**
 * True for a point on the smaller side of the ring or on the ring itself; with `strict`, on the side
 * that lies to the left.
 */
export function insideRing(ring: Ring, point: Vector, strict = false): boolean {
  if (onRing(ring, point)) return true;
  // At the antipode of an inner point the ring turns the other way.
  const inside = winding(ring, point) * ring.orientation > Math.PI;
  return strict && ring.orientation < 0 ? !inside : inside;
}
