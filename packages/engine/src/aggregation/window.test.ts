import { describe, expect, it } from 'vitest';
import { DateTime, type Document } from '../bson/value.ts';
import { PAUSE } from '../lib/pause.ts';
import { compilePipeline } from './pipeline.ts';
import { type Plain, toDocumentOf, toPlain, toValue } from './plain-value.ts';

function run(stages: readonly Plain[], input: readonly object[]): Plain[] {
  const pipeline = compilePipeline(stages.map(toValue), {
    database: 'test',
    collection: 'input',
    now: new DateTime(0),
    find: () => [],
  });
  const documents: Document[] = [];
  for (const document of pipeline.run(input.map(toDocumentOf))) {
    if (document !== PAUSE) documents.push(document);
  }
  return documents.map(toPlain);
}

const double = (value: number): Plain => ({ $double: value });
const day = (n: number): Date => new Date(Date.UTC(2021, 0, n));

/** The values a window function gives, for `v` in the order of `t`. */
function windows(
  output: object,
  input: readonly object[],
  sortBy: object | undefined = { t: 1 },
): Plain[] {
  return run([{ $setWindowFields: { sortBy, output: { w: output } } }], input).map(
    (document) => (document as Record<string, Plain>)['w'],
  );
}

const FOUR = [1, 2, 3, 4].map((t) => ({ t, v: t * 10 }));

type Row = readonly [
  name: string,
  output: object,
  input: readonly object[],
  expected: readonly Plain[],
];

const FUNCTIONS: readonly Row[] = [
  ['$sum over the partition', { $sum: '$v' }, FOUR, [100, 100, 100, 100]],
  [
    'a running $sum',
    { $sum: '$v', window: { documents: ['unbounded', 'current'] } },
    FOUR,
    [10, 30, 60, 100],
  ],
  [
    'a moving $avg',
    { $avg: '$v', window: { documents: [-1, 1] } },
    FOUR,
    [15, 20, 30, 35].map(double),
  ],
  [
    '$push of what follows',
    { $push: '$v', window: { documents: [1, 2] } },
    FOUR,
    [[20, 30], [30, 40], [40], []],
  ],
  [
    'a running $push',
    { $push: '$v', window: { documents: ['unbounded', 'current'] } },
    FOUR.slice(0, 2),
    [[10], [10, 20]],
  ],
  [
    'a numeric range',
    { $sum: '$v', window: { range: [-1, 0] } },
    [
      { t: 1, v: 1 },
      { t: 1, v: 2 },
      { t: 3, v: 4 },
      { t: 4, v: 8 },
    ],
    [3, 3, 4, 12],
  ],
  [
    'a range of days',
    { $sum: '$v', window: { range: [-2, 'current'], unit: 'day' } },
    [1, 2, 5].map((n) => ({ t: day(n), v: n })),
    [1, 3, 5],
  ],
  ['$rank', { $rank: {} }, [{ t: 1 }, { t: 1 }, { t: 2 }], [1, 1, 3]],
  ['$denseRank', { $denseRank: {} }, [{ t: 1 }, { t: 1 }, { t: 2 }], [1, 1, 2]],
  ['$documentNumber', { $documentNumber: {} }, [{ t: 1 }, { t: 1 }, { t: 2 }], [1, 2, 3]],
  ['$shift', { $shift: { output: '$v', by: -1, default: 'none' } }, FOUR, ['none', 10, 20, 30]],
  [
    '$expMovingAvg',
    { $expMovingAvg: { input: '$v', N: 2 } },
    [
      { t: 1, v: 13 },
      { t: 2, v: 15.4 },
    ],
    [13, 14.6],
  ],
  [
    '$derivative',
    { $derivative: { input: '$v', unit: 'hour' }, window: { documents: [-1, 0] } },
    [
      { t: new Date(0), v: 1 },
      { t: new Date(1_800_000), v: 3 },
    ],
    [null, double(4)],
  ],
  [
    '$integral',
    { $integral: { input: '$v', unit: 'hour' }, window: { documents: ['unbounded', 'current'] } },
    [
      { t: new Date(0), v: 2 },
      { t: new Date(3_600_000), v: 4 },
    ],
    [double(0), double(3)],
  ],
  ['$covariancePop', { $covariancePop: ['$t', '$v'] }, FOUR.slice(0, 2), [2.5, 2.5]],
  ['$locf', { $locf: '$v' }, [{ t: 1, v: null }, { t: 2, v: 5 }, { t: 3 }], [null, 5, 5]],
  [
    '$linearFill',
    { $linearFill: '$v' },
    [{ t: 1, v: 10 }, { t: 2 }, { t: 4, v: 40 }],
    [10, double(20), 40],
  ],
  ['$first and $last', { $last: '$v', window: { documents: [0, 1] } }, FOUR, [20, 30, 40, 40]],
  [
    '$topN',
    { $topN: { n: 2, sortBy: { v: -1 }, output: '$v' } },
    FOUR.slice(0, 3),
    [
      [30, 20],
      [30, 20],
      [30, 20],
    ],
  ],
];

describe('$setWindowFields', () => {
  it.each(FUNCTIONS)('computes %s', (_name, output, input, expected) => {
    expect(windows(output, input)).toEqual(expected);
  });

  it('keeps partitions apart and gives them in the order of their keys', () => {
    const input = [
      { p: 'b', t: 2, v: 1 },
      { p: 'a', t: 1, v: 2 },
      { p: 'b', t: 1, v: 4 },
    ];
    const spec = {
      partitionBy: '$p',
      sortBy: { t: 1 },
      output: { 'x.s': { $sum: '$v', window: { documents: ['unbounded', 'current'] } } },
    };
    expect(run([{ $setWindowFields: spec }, { $project: { p: 1, s: '$x.s' } }], input)).toEqual([
      { p: 'a', s: 2 },
      { p: 'b', s: 4 },
      { p: 'b', s: 5 },
    ]);
  });

  it.each([
    [{ $foo: 1 }, 'Unrecognized window function, $foo'],
    [{ $sum: 1, window: { documents: [1, 0] } }, /Lower bound must not exceed upper bound/],
    [{ $sum: 1, window: { range: [0] } }, /must be a 2-element array/],
    [{ $rank: 1 }, "$rank must be specified with '{}' as the value"],
  ] as const)('refuses %j', (output, message) => {
    expect(() => windows(output, FOUR)).toThrow(message);
  });
});

describe('$fill', () => {
  it('puts in values, the last known or the line between', () => {
    const input = [{ t: 1, a: 1, b: 1 }, { t: 2 }, { t: 3, a: 3, b: null }];
    const spec = {
      sortBy: { t: 1 },
      output: { a: { method: 'linear' }, b: { method: 'locf' }, c: { value: 0 } },
    };
    expect(run([{ $fill: spec }], input)).toEqual([
      { t: 1, a: 1, b: 1, c: 0 },
      { t: 2, a: double(2), b: 1, c: 0 },
      { t: 3, a: 3, b: 1, c: 0 },
    ]);
  });
});

describe('$densify', () => {
  it('adds the days left out between explicit bounds', () => {
    const range = { step: 1, unit: 'day', bounds: [day(1), day(4)] };
    expect(run([{ $densify: { field: 't', range } }], [{ t: day(2), v: 1 }])).toEqual([
      { t: day(1) },
      { t: day(2), v: 1 },
      { t: day(3) },
    ]);
  });

  it('fills each partition between its own ends', () => {
    const input = [
      { p: 'a', n: 1 },
      { p: 'a', n: 5 },
      { p: 'b', n: 7 },
    ];
    const range = { step: 2, bounds: 'partition' };
    expect(run([{ $densify: { field: 'n', partitionByFields: ['p'], range } }], input)).toEqual([
      { p: 'a', n: 1 },
      { p: 'a', n: 3 },
      { p: 'a', n: 5 },
      { p: 'b', n: 7 },
    ]);
  });

  it('fills all partitions between the ends of the whole', () => {
    const input = [
      { p: 'a', n: 1 },
      { p: 'b', n: 2 },
    ];
    const range = { step: 1, bounds: 'full' };
    expect(run([{ $densify: { field: 'n', partitionByFields: ['p'], range } }], input)).toEqual([
      { p: 'a', n: 1 },
      { p: 'a', n: 2 },
      { p: 'b', n: 1 },
      { p: 'b', n: 2 },
    ]);
  });
});
