import { describe, expect, it } from 'vitest';
import { doc } from '../../../test/support/ejson.ts';
import { compileFilter } from '../filter.ts';

type Plain = Readonly<Record<string, unknown>>;

const point = (x: number, y: number) => ({ type: 'Point', coordinates: [x, y] });
const square = (size: number, x = 0, y = 0) => ({
  type: 'Polygon',
  coordinates: [
    [
      [x, y],
      [x + size, y],
      [x + size, y + size],
      [x, y + size],
      [x, y],
    ],
  ],
});
const ring = {
  type: 'Polygon',
  coordinates: [square(10).coordinates[0], [...(square(4, 3, 3).coordinates[0] ?? [])].reverse()],
};

const matches = (condition: Plain, stored: unknown) =>
  compileFilter(doc({ at: condition })).matches(doc({ at: stored }));

describe('a geospatial query', () => {
  const cases: readonly (readonly [Plain, unknown, boolean])[] = [
    [{ $geoWithin: { $geometry: square(10) } }, point(5, 5), true],
    [{ $geoWithin: { $geometry: square(10) } }, point(-5, 5), false],
    [{ $geoWithin: { $geometry: square(10) } }, [5, 5], true],
    [{ $geoWithin: { $geometry: square(10) } }, point(-175, -5), false],
    [{ $geoWithin: { $geometry: ring } }, point(5, 5), false],
    [{ $geoWithin: { $geometry: ring } }, point(1, 1), true],
    [{ $geoWithin: { $geometry: square(10) } }, square(3, 2, 2), true],
    [{ $geoWithin: { $geometry: square(10) } }, square(30, 2, 2), false],
    [{ $geoWithin: { $geometry: ring } }, square(8, 1, 1), false],
    // A geodesic between two points of one latitude bends to the pole.
    [{ $geoWithin: { $geometry: square(60, 0, 0) } }, point(30, 62), true],
    [
      {
        $geoWithin: {
          $box: [
            [0, 0],
            [2, 2],
          ],
        },
      },
      [1, 2],
      true,
    ],
    [
      {
        $geoWithin: {
          $box: [
            [0, 0],
            [2, 2],
          ],
        },
      },
      point(3, 1),
      false,
    ],
    [
      {
        $geoWithin: {
          $polygon: [
            [0, 0],
            [4, 0],
            [0, 4],
          ],
        },
      },
      [1, 1],
      true,
    ],
    [
      {
        $geoWithin: {
          $polygon: [
            [0, 0],
            [4, 0],
            [0, 4],
          ],
        },
      },
      [3, 3],
      false,
    ],
    [{ $geoWithin: { $center: [[0, 0], 5] } }, { x: 3, y: 4 }, true],
    [{ $geoWithin: { $centerSphere: [[0, 0], 0.1] } }, point(5, 0), true],
    [{ $geoWithin: { $centerSphere: [[0, 0], 0.1] } }, point(6, 0), false],
    [{ $geoIntersects: { $geometry: square(10) } }, square(10, 5, 5), true],
    [{ $geoIntersects: { $geometry: square(10) } }, square(3, 20, 20), false],
    [{ $geoIntersects: { $geometry: point(5, 5) } }, square(10), true],
    [
      { $geoIntersects: { $geometry: square(10) } },
      {
        type: 'LineString',
        coordinates: [
          [-5, 5],
          [15, 5],
        ],
      },
      true,
    ],
    [{ $near: { $geometry: point(0, 0), $maxDistance: 200_000 } }, point(1, 0), true],
    [{ $near: { $geometry: point(0, 0), $maxDistance: 100_000 } }, point(1, 0), false],
    [{ $near: { $geometry: point(0, 0), $minDistance: 200_000 } }, point(1, 0), false],
    [{ $near: [0, 0], $maxDistance: 2 }, [1, 1], true],
    [{ $nearSphere: [0, 0], $maxDistance: 0.01 }, [1, 1], false],
    [
      {
        $geoWithin: {
          $box: [
            [0, 0],
            [2, 2],
          ],
        },
      },
      [
        [9, 9],
        [1, 1],
      ],
      true,
    ],
    [
      {
        $geoWithin: {
          $box: [
            [0, 0],
            [2, 2],
          ],
        },
      },
      'nowhere',
      false,
    ],
  ];
  it.each(cases)('%j on %j gives %s', (condition, stored, expected) => {
    expect(matches(condition, stored)).toBe(expected);
  });

  it('refuses malformed shapes', () => {
    expect(() => matches({ $geoWithin: { $foo: 1 } }, 1)).toThrow('unknown geo specifier: $foo');
    expect(() => matches({ $geoWithin: { $geometry: point(1, 1) } }, 1)).toThrow(
      '$geoWithin not supported with provided geometry',
    );
    expect(() => matches({ $geoIntersects: { $geometry: point(200, 1) } }, 1)).toThrow(
      'longitude/latitude is out of bounds, lng: 200 lat: 1',
    );
  });

  it('knows distances in metres', () => {
    const { root } = compileFilter(doc({ at: { $near: { $geometry: point(0, 0) } } }));
    const away = root.kind === 'geo' ? root.query.distance?.(doc({ v: point(1, 0) }).get('v')) : 0;
    expect(away).toBeCloseTo(111_318.8, 0);
  });
});
