import { describe, expect, it } from 'vitest';
import { DateTime, type Document, Double } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE } from '../lib/pause.ts';
import { compileFilter } from '../query/filter.ts';
import { createExpressionCompiler } from './expression.ts';
import { compilePipeline } from './pipeline.ts';
import type { PipelineContext, PipelineFindOptions, Source } from './pipeline-context.ts';
import { type Plain, toDocumentOf, toPlain, toValue } from './plain-value.ts';
import { documentOrder, parseSortPattern } from './sort-key.ts';

type Collections = Readonly<Record<string, readonly object[]>>;

const compileExpression = createExpressionCompiler({ now: new DateTime(0) });

/** A reader of plain collections that pauses between documents, as real ones may. */
function createContext(collections: Collections): PipelineContext {
  return {
    database: 'test',
    collection: 'input',
    now: new DateTime(0),
    *find({ collection }, filter, options: PipelineFindOptions = {}): Source {
      const test = compileFilter(filter ?? new Map(), { compileExpression, ...options });
      let found = (collections[collection] ?? []).map(toDocumentOf).filter((d) => test.matches(d));
      if (options.sort !== undefined) {
        found = found.toSorted(documentOrder(parseSortPattern(options.sort), options.collation));
      }
      found = found.slice(options.skip ?? 0);
      if (options.limit !== undefined) found = found.slice(0, options.limit);
      for (const document of found) {
        yield PAUSE;
        yield document;
      }
    },
  };
}

function run(
  stages: readonly Plain[],
  input: readonly object[] = [],
  others: Collections = {},
): Plain[] {
  const isDatabaseWide = stages[0] instanceof Object && '$documents' in stages[0];
  const context: PipelineContext = {
    ...createContext({ ...others, input }),
    collection: isDatabaseWide ? undefined : 'input',
  };
  const pipeline = compilePipeline(stages.map(toValue), context);
  const all = drain(pipeline.run(context.find({ database: 'test', collection: 'input' })));
  const { filter, sort, skip, limit, consumedStages } = pipeline.leading;
  const source = context.find({ database: 'test', collection: 'input' }, filter, {
    sort,
    skip,
    limit,
  });
  expect(drain(pipeline.run(source, consumedStages))).toEqual(all);
  return all;
}

function drain(source: Source): Plain[] {
  const documents: Document[] = [];
  for (const document of source) if (document !== PAUSE) documents.push(document);
  return documents.map(toPlain);
}

function errorOf(
  stages: readonly Plain[],
  input: readonly object[] = [],
): { code: number; message: string } {
  try {
    run(stages, input);
  } catch (error) {
    if (error instanceof MongoCommandError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('no error');
}

const double = (value: number): Plain => ({ $double: value });

type Row = readonly [
  name: string,
  stages: readonly Plain[],
  input: readonly object[],
  expected: readonly Plain[],
];

const ITEMS = [
  { _id: 1, item: 'abc', price: 10, quantity: 2, date: new Date('2014-03-01T08:00:00Z') },
  { _id: 2, item: 'jkl', price: 20, quantity: 1, date: new Date('2014-03-01T09:00:00Z') },
  { _id: 3, item: 'xyz', price: 5, quantity: 10, date: new Date('2014-03-15T09:00:00Z') },
  { _id: 4, item: 'xyz', price: 5, quantity: 20, date: new Date('2014-04-04T11:21:39Z') },
  { _id: 5, item: 'abc', price: 10, quantity: 10, date: new Date('2014-04-04T21:23:13Z') },
];

const STAGES: readonly Row[] = [
  [
    '$match',
    [{ $match: { a: { $gt: 1 } } }],
    [
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ],
    [{ _id: 2, a: 2 }],
  ],
  [
    '$match with $expr',
    [{ $match: { $expr: { $gt: ['$a', '$b'] } } }],
    [
      { a: 1, b: 2 },
      { a: 3, b: 2 },
    ],
    [{ a: 3, b: 2 }],
  ],
  [
    '$project inclusion',
    [{ $project: { a: 1, 'b.c': 1 } }],
    [{ z: 0, b: [{ c: 1, d: 2 }, 5], _id: 1, a: 2 }],
    [{ b: [{ c: 1 }], _id: 1, a: 2 }],
  ],
  [
    '$project exclusion',
    [{ $project: { a: 0, 'b.c': 0 } }],
    [{ _id: 1, a: 2, b: [{ c: 1, d: 2 }, 5] }],
    [{ _id: 1, b: [{ d: 2 }, 5] }],
  ],
  [
    '$project computed',
    [{ $project: { _id: 0, s: { $add: ['$a', 1] }, t: 'text', n: { x: '$a' } } }],
    [{ _id: 1, a: 2 }],
    [{ s: 3, t: 'text', n: { x: 2 } }],
  ],
  [
    '$addFields into arrays',
    [{ $addFields: { 'a.x': '$b', c: 1 } }],
    [{ a: [{ y: 1 }, 2], b: 7 }],
    [{ a: [{ y: 1, x: 7 }, { x: 7 }], b: 7, c: 1 }],
  ],
  ['$set with $$REMOVE', [{ $set: { a: '$$REMOVE' } }], [{ a: 1, b: 2 }], [{ b: 2 }]],
  ['$unset', [{ $unset: ['a', 'b.c'] }], [{ a: 1, b: { c: 1, d: 2 } }], [{ b: { d: 2 } }]],
  ['$replaceRoot', [{ $replaceRoot: { newRoot: '$a' } }], [{ a: { x: 1 } }], [{ x: 1 }]],
  [
    '$replaceWith',
    [{ $replaceWith: { $mergeObjects: [{ d: 0 }, '$$ROOT'] } }],
    [{ a: 1 }],
    [{ d: 0, a: 1 }],
  ],
  [
    '$sort',
    [{ $sort: { a: -1, b: 1 } }],
    [
      { a: 1, b: 2 },
      { a: 2, b: 1 },
      { a: 1, b: 1 },
    ],
    [
      { a: 2, b: 1 },
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ],
  ],
  [
    '$sort by array elements',
    [{ $sort: { a: 1 } }],
    [{ a: [5, 3] }, { a: 4 }, { a: [] }, {}],
    [{ a: [] }, {}, { a: [5, 3] }, { a: 4 }],
  ],
  [
    '$sort by two fields of one element',
    [{ $sort: { 'a.x': 1, 'a.y': 1 } }],
    [
      {
        a: [
          { x: 1, y: 9 },
          { x: 5, y: 1 },
        ],
      },
      { a: { x: 1, y: 5 } },
      { a: [] },
      { a: [3] },
    ],
    [
      { a: [] },
      { a: [3] },
      { a: { x: 1, y: 5 } },
      {
        a: [
          { x: 1, y: 9 },
          { x: 5, y: 1 },
        ],
      },
    ],
  ],
  [
    '$sort then $skip and $limit',
    [{ $sort: { a: 1 } }, { $skip: 1 }, { $limit: 2 }],
    [{ a: 4 }, { a: 1 }, { a: 3 }, { a: 2 }],
    [{ a: 2 }, { a: 3 }],
  ],
  ['$count', [{ $match: { a: 1 } }, { $count: 'n' }], [{ a: 1 }, { a: 2 }, { a: 1 }], [{ n: 2 }]],
  ['$count of nothing', [{ $match: { a: 9 } }, { $count: 'n' }], [{ a: 1 }], []],
  [
    '$group',
    [
      {
        $group: {
          _id: '$item',
          total: { $sum: { $multiply: ['$price', '$quantity'] } },
          avg: { $avg: '$quantity' },
          n: { $sum: 1 },
          max: { $max: '$quantity' },
          first: { $first: '$_id' },
          last: { $last: '$_id' },
          ids: { $push: '$_id' },
        },
      },
      { $sort: { _id: 1 } },
    ],
    ITEMS,
    [
      { _id: 'abc', total: 120, avg: double(6), n: 2, max: 10, first: 1, last: 5, ids: [1, 5] },
      { _id: 'jkl', total: 20, avg: double(1), n: 1, max: 1, first: 2, last: 2, ids: [2] },
      { _id: 'xyz', total: 150, avg: double(15), n: 2, max: 20, first: 3, last: 4, ids: [3, 4] },
    ],
  ],
  ['$group by null', [{ $group: { _id: null, n: { $count: {} } } }], ITEMS, [{ _id: null, n: 5 }]],
  [
    '$group joins equal numbers',
    [{ $group: { _id: '$a', n: { $sum: 1 } } }],
    [{ a: 1 }, { a: new Double(1) }, { a: 1n }, {}, { a: null }],
    [
      { _id: 1, n: 3 },
      { _id: null, n: 2 },
    ],
  ],
  [
    '$group with $addToSet',
    [{ $group: { _id: null, s: { $addToSet: '$a' } } }],
    [{ a: 1 }, { a: 2 }, { a: 1 }],
    [{ _id: null, s: [1, 2] }],
  ],
  [
    '$group with $top and $bottomN',
    [
      {
        $group: {
          _id: null,
          t: { $top: { sortBy: { a: -1 }, output: ['$a', '$b'] } },
          b: { $bottomN: { n: 2, sortBy: { a: -1 }, output: '$a' } },
        },
      },
    ],
    [
      { a: 1, b: 'x' },
      { a: 3, b: 'y' },
      { a: 2, b: 'z' },
    ],
    [{ _id: null, t: [3, 'y'], b: [2, 1] }],
  ],
  [
    '$group with N accumulators',
    [
      {
        $group: {
          _id: null,
          f: { $firstN: { n: 2, input: '$a' } },
          l: { $lastN: { n: 2, input: '$a' } },
          mx: { $maxN: { n: 2, input: '$a' } },
          mn: { $minN: { n: 1, input: '$a' } },
        },
      },
    ],
    [{ a: 1 }, { a: 3 }, { a: 2 }],
    [{ _id: null, f: [1, 3], l: [3, 2], mx: [3, 2], mn: [1] }],
  ],
  [
    '$group with $mergeObjects and $stdDevPop',
    [{ $group: { _id: null, m: { $mergeObjects: '$o' }, d: { $stdDevPop: '$a' } } }],
    [
      { o: { x: 1 }, a: 1 },
      { o: { y: 2 }, a: 3 },
    ],
    [{ _id: null, m: { x: 1, y: 2 }, d: double(1) }],
  ],
  [
    '$sortByCount',
    [{ $sortByCount: '$item' }],
    ITEMS.slice(0, 4),
    [
      { _id: 'xyz', count: 2 },
      { _id: 'abc', count: 1 },
      { _id: 'jkl', count: 1 },
    ],
  ],
  [
    '$bucket',
    [
      {
        $bucket: {
          groupBy: '$price',
          boundaries: [0, 10, 15],
          default: 'other',
          output: { n: { $sum: 1 } },
        },
      },
    ],
    ITEMS,
    [
      { _id: 0, n: 2 },
      { _id: 10, n: 2 },
      { _id: 'other', n: 1 },
    ],
  ],
  [
    '$bucketAuto',
    [{ $bucketAuto: { groupBy: '$price', buckets: 2 } }],
    ITEMS,
    [
      { _id: { min: 5, max: 20 }, count: 4 },
      { _id: { min: 20, max: 20 }, count: 1 },
    ],
  ],
  [
    '$unwind',
    [{ $unwind: '$s' }],
    [{ i: 'a', s: ['S', 'M'] }, { i: 'b', s: [] }, { i: 'c', s: 'L' }, { i: 'd' }],
    [
      { i: 'a', s: 'S' },
      { i: 'a', s: 'M' },
      { i: 'c', s: 'L' },
    ],
  ],
  [
    '$unwind keeping empty',
    [{ $unwind: { path: '$s', preserveNullAndEmptyArrays: true, includeArrayIndex: 'at' } }],
    [
      { i: 'a', s: ['S'] },
      { i: 'b', s: [] },
      { i: 'd', s: null },
    ],
    [
      { i: 'a', s: 'S', at: 0n },
      { i: 'b', at: null },
      { i: 'd', s: null, at: null },
    ],
  ],
  [
    '$facet',
    [
      {
        $facet: {
          n: [{ $count: 'n' }],
          two: [{ $sort: { _id: -1 } }, { $limit: 2 }, { $project: { _id: 1 } }],
        },
      },
    ],
    ITEMS,
    [{ n: [{ n: 5 }], two: [{ _id: 5 }, { _id: 4 }] }],
  ],
  [
    '$redact',
    [
      {
        $redact: {
          $cond: [
            { $gt: [{ $size: { $setIntersection: ['$tags', ['G']] } }, 0] },
            '$$DESCEND',
            '$$PRUNE',
          ],
        },
      },
    ],
    [{ tags: ['G'], a: { tags: ['X'] }, b: [{ tags: ['G'], z: 1 }, { tags: [] }, 3] }],
    [{ tags: ['G'], b: [{ tags: ['G'], z: 1 }, 3] }],
  ],
  ['$documents', [{ $documents: [{ x: 1 }, { x: { $add: [1, 1] } }] }], [], [{ x: 1 }, { x: 2 }]],
  [
    '$sample of all',
    [{ $sample: { size: 10 } }, { $sort: { _id: 1 } }, { $project: { _id: 1 } }],
    ITEMS.slice(0, 2),
    [{ _id: 1 }, { _id: 2 }],
  ],
];

describe('pipelines', () => {
  it.each(STAGES)('run %s', (_name, stages, input, expected) => {
    expect(run(stages, input)).toEqual(expected);
  });
});

describe('joins', () => {
  const orders = [
    { _id: 1, item: 'almonds', quantity: 2 },
    { _id: 2, item: 'pecans', quantity: 1 },
    { _id: 3 },
  ];
  const inventory = [
    { _id: 1, sku: 'almonds', instock: 120 },
    { _id: 2, sku: 'bread', instock: 80 },
    { _id: 4, sku: 'pecans', instock: 70 },
    { _id: 5, sku: null },
    { _id: 6 },
  ];

  it('matches equal fields, missing with null', () => {
    const stages = [
      { $lookup: { from: 'inventory', localField: 'item', foreignField: 'sku', as: 'found' } },
      { $project: { ids: '$found._id' } },
    ];
    expect(run(stages, orders, { inventory })).toEqual([
      { _id: 1, ids: [1] },
      { _id: 2, ids: [4] },
      { _id: 3, ids: [5, 6] },
    ]);
  });

  it('matches each element of a local array', () => {
    const stages = [
      { $lookup: { from: 'inventory', localField: 'items', foreignField: 'sku', as: 'found' } },
      { $project: { ids: '$found._id' } },
    ];
    const input = [{ _id: 1, items: ['pecans', 'bread'] }];
    expect(run(stages, input, { inventory })).toEqual([{ _id: 1, ids: [2, 4] }]);
  });

  it('gives variables to an inner pipeline, beside an equality', () => {
    const stages = [
      {
        $lookup: {
          from: 'inventory',
          localField: 'item',
          foreignField: 'sku',
          let: { wanted: '$quantity' },
          pipeline: [
            { $match: { $expr: { $gte: ['$instock', '$$wanted'] } } },
            { $project: { _id: 0, instock: 1, wanted: '$$wanted' } },
          ],
          as: 'found',
        },
      },
    ];
    expect(run(stages, orders.slice(0, 1), { inventory })).toEqual([
      { ...orders[0], found: [{ instock: 120, wanted: 2 }] },
    ]);
  });

  it('narrows an equality with a variable and keeps nested variables apart', () => {
    const stages = [
      {
        $lookup: {
          from: 'inventory',
          let: { item: '$item' },
          pipeline: [
            { $match: { $expr: { $eq: ['$sku', '$$item'] } } },
            {
              $lookup: {
                from: 'inventory',
                let: { stock: '$instock' },
                pipeline: [
                  { $match: { $expr: { $lt: ['$instock', '$$stock'] }, sku: { $ne: null } } },
                  { $project: { _id: 0, sku: 1, outer: '$$item' } },
                ],
                as: 'less',
              },
            },
          ],
          as: 'found',
        },
      },
      { $project: { less: '$found.less' } },
    ];
    expect(run(stages, orders.slice(0, 2), { inventory })).toEqual([
      {
        _id: 1,
        less: [
          [
            { sku: 'bread', outer: 'almonds' },
            { sku: 'pecans', outer: 'almonds' },
          ],
        ],
      },
      { _id: 2, less: [[]] },
    ]);
  });

  it('answers by a hash join where no index serves the foreign field', () => {
    const context: PipelineContext = {
      ...createContext({ input: orders, inventory }),
      hasIndexOn: () => false,
    };
    const stages = [
      { $lookup: { from: 'inventory', localField: 'item', foreignField: 'sku', as: 'found' } },
      { $project: { ids: '$found._id' } },
    ];
    const pipeline = compilePipeline(stages.map(toValue), context);
    const source = context.find({ database: 'test', collection: 'input' });
    expect(drain(pipeline.run(source))).toEqual([
      { _id: 1, ids: [1] },
      { _id: 2, ids: [4] },
      { _id: 3, ids: [5, 6] },
    ]);
  });

  it('walks a graph to the depth asked for', () => {
    const employees = [
      { _id: 1, name: 'Dev' },
      { _id: 2, name: 'Eliot', boss: 'Dev' },
      { _id: 3, name: 'Ron', boss: 'Eliot' },
      { _id: 4, name: 'Andrew', boss: 'Eliot' },
    ];
    const stages = [
      { $match: { _id: 3 } },
      {
        $graphLookup: {
          from: 'input',
          startWith: '$boss',
          connectFromField: 'boss',
          connectToField: 'name',
          depthField: 'depth',
          as: 'chain',
        },
      },
      { $project: { chain: { $map: { input: '$chain', in: ['$$this.name', '$$this.depth'] } } } },
    ];
    expect(run(stages, employees)).toEqual([
      {
        _id: 3,
        chain: [
          ['Eliot', 0n],
          ['Dev', 1n],
        ],
      },
    ]);
  });

  it('unites collections', () => {
    const stages = [
      { $unionWith: { coll: 'inventory', pipeline: [{ $match: { instock: { $gt: 75 } } }] } },
      { $count: 'n' },
    ];
    expect(run(stages, orders, { inventory })).toEqual([{ n: 5 }]);
  });
});

type ErrorRow = readonly [stages: readonly Plain[], code: number, message: string | RegExp];
const ERRORS: readonly ErrorRow[] = [
  [[{ $foo: 1 }], 40324, "Unrecognized pipeline stage name: '$foo'"],
  [[{}], 40323, 'A pipeline stage specification object must contain exactly one field.'],
  [[1], 14, "Each element of the 'pipeline' array must be an object"],
  [[{ $out: 'x' }, { $limit: 1 }], 40601, '$out can only be the final stage in the pipeline'],
  [
    [{ $limit: 1 }, { $collStats: {} }],
    40602,
    '$collStats is only valid as the first stage in a pipeline.',
  ],
  [
    [{ $facet: { a: [{ $facet: {} }] } }],
    40600,
    '$facet is not allowed to be used within a $facet stage',
  ],
  [[{ $limit: 0 }], 15958, 'the limit must be positive'],
  [
    [{ $limit: 'a' }],
    5107201,
    'invalid argument to $limit stage: Expected a number in: $limit: "a"',
  ],
  [
    [{ $skip: -1 }],
    5107200,
    'invalid argument to $skip stage: Expected a non-negative number in: $skip: -1',
  ],
  [[{ $sort: {} }], 15976, '$sort stage must have at least one sort key'],
  [[{ $group: { a: 1 } }], 40234, "The field 'a' must be an accumulator object"],
  [[{ $group: {} }], 15955, 'a group specification must include an _id'],
  [[{ $group: { _id: 1, a: { $foo: 1 } } }], 15952, "unknown group operator '$foo'"],
  [
    [{ $project: {} }],
    51272,
    'Invalid $project :: caused by :: projection specification must have at least one field',
  ],
  [
    [{ $project: { a: 1, b: 0 } }],
    31254,
    'Invalid $project :: caused by :: Cannot do exclusion on field b in inclusion projection',
  ],
  [
    [{ $project: { a: 0, b: 1 } }],
    31253,
    'Invalid $project :: caused by :: Cannot do inclusion on field b in exclusion projection',
  ],
  [[{ $project: { a: 1, 'a.b': 1 } }], 31249, /Path collision at a\.b remaining portion b/],
  [[{ $unwind: 'a' }], 28818, "path option to $unwind stage should be prefixed with a '$': a"],
  [[{ $lookup: { from: 'x' } }], 40414, "BSON field '$lookup.as' is missing but a required field"],
  [[{ $count: '' }], 40157, 'the count field must be a non-empty string'],
  [
    [{ $replaceRoot: { newRoot: '$a' } }],
    40228,
    /^'newRoot' expression {2}must evaluate to an object/,
  ],
  [
    [{ $addFields: { a: { $foo: 1 } } }],
    168,
    "Invalid $addFields :: caused by :: Unrecognized expression '$foo'",
  ],
];

describe('pipeline errors', () => {
  it.each(ERRORS)('refuse %j with code %i', (stages, code, message) => {
    const error = errorOf(stages, [{ _id: 1 }]);
    expect(error.code).toBe(code);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
  });
});

describe('the planner’s share of a pipeline', () => {
  const leadingOf = (stages: readonly Plain[]) => {
    const { leading } = compilePipeline(stages.map(toValue), createContext({}));
    return {
      filter: toPlain(leading.filter),
      sort: toPlain(leading.sort),
      skip: leading.skip,
      limit: leading.limit,
      consumed: leading.consumedStages,
      fields: leading.fields === undefined ? undefined : [...leading.fields],
    };
  };

  it('is the leading filter, sort, skip and limit', () => {
    const stages = [
      { $match: { a: 1 } },
      { $match: { b: 2 } },
      { $sort: { c: 1 } },
      { $skip: 5 },
      { $limit: 10 },
      { $project: { a: 1 } },
    ];
    expect(leadingOf(stages)).toEqual({
      filter: { $and: [{ a: 1 }, { b: 2 }] },
      sort: { c: 1 },
      skip: 5,
      limit: 10,
      consumed: 4,
      fields: ['a', 'b', 'c', '_id'],
    });
  });

  it('takes in filters from behind sorts and fields they do not read', () => {
    const stages = [{ $sort: { c: 1 } }, { $addFields: { x: 1 } }, { $match: { a: 1 } }];
    expect(leadingOf(stages)).toMatchObject({ filter: { a: 1 }, sort: { c: 1 }, consumed: 2 });
    expect(leadingOf([{ $addFields: { a: 2 } }, { $match: { a: 1 } }])).toMatchObject({
      consumed: 0,
    });
  });

  it('needs no field for a count', () => {
    expect(leadingOf([{ $group: { _id: null, n: { $sum: 1 } } }]).fields).toEqual([]);
    expect(leadingOf([{ $match: { a: 1 } }, { $count: 'n' }]).fields).toEqual(['a']);
  });
});
