/** Expressions and pipelines whose outcome does not hang on an order that MongoDB leaves open. */
import { Int32 } from 'bson';
import fc from 'fast-check';
import {
  arbitraryFilter,
  arbitraryNumber,
  arbitraryText,
  arbitraryValue,
  type DriverDocument,
  type DriverValue,
} from './arbitrary-query.ts';

export type Stage = DriverDocument;

/** No path through an array: see the table of differences. */
const field = fc.constantFrom('$a', '$b', '$c', '$o', '$o.a', '$o.b', '$o.c');
const literal = (values: fc.Arbitrary<DriverValue>): fc.Arbitrary<DriverValue> =>
  values.map(($literal) => ({ $literal }));
const numbers = literal(fc.array(arbitraryNumber, { maxLength: 4 }));
const names = (...list: string[]): fc.Arbitrary<string> => fc.constantFrom(...list);

interface Kinds {
  any: DriverValue;
  number: DriverValue;
  text: DriverValue;
  array: DriverValue;
  truth: DriverValue;
  date: DriverValue;
  object: DriverValue;
}

function call(
  operators: fc.Arbitrary<string>,
  operands: fc.Arbitrary<readonly DriverValue[]>,
): fc.Arbitrary<DriverDocument> {
  return fc.tuple(operators, operands).map(([name, list]) => ({ [name]: [...list] }));
}

const DATE_PARTS = [
  '$year',
  '$month',
  '$dayOfMonth',
  '$dayOfWeek',
  '$dayOfYear',
  '$hour',
  '$minute',
  '$second',
  '$millisecond',
  '$isoWeek',
  '$isoWeekYear',
  '$isoDayOfWeek',
  '$week',
];
const UNITS = ['day', 'month', 'hour', 'week', 'year', 'quarter'];

const kinds = fc.letrec<Kinds>((tie) => {
  const any = tie('any');
  const number = tie('number');
  const text = tie('text');
  const array = tie('array');
  const date = tie('date');
  const truth = tie('truth');
  const depth = { maxDepth: 3, depthSize: 'small' } as const;
  return {
    any: fc.oneof(
      depth,
      { weight: 4, arbitrary: field },
      { weight: 3, arbitrary: literal(arbitraryValue) },
      { weight: 2, arbitrary: number },
      { weight: 2, arbitrary: text },
      { weight: 2, arbitrary: array },
      { weight: 2, arbitrary: truth },
      { weight: 1, arbitrary: tie('object') },
      { weight: 1, arbitrary: date },
      { weight: 2, arbitrary: call(names('$ifNull'), fc.tuple(any, any)) },
      { weight: 2, arbitrary: call(names('$cond'), fc.tuple(truth, any, any)) },
      {
        weight: 1,
        arbitrary: fc.tuple(truth, any, any).map(([test, then, other]) => ({
          $switch: { branches: [{ case: test, then }], default: other },
        })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(any, any)
          .map(([x, y]) => ({ $let: { vars: { x }, in: { $ifNull: ['$$x', y] } } })),
      },
      {
        weight: 1,
        arbitrary: call(names('$arrayElemAt'), fc.tuple(array, fc.integer({ min: -3, max: 3 }))),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(names('$first', '$last', '$max', '$min'), array)
          .map(([name, list]) => ({ [name]: list })),
      },
      { weight: 1, arbitrary: any.map((x) => ({ $type: x })) },
    ),
    number: fc.oneof(
      depth,
      { weight: 4, arbitrary: literal(arbitraryNumber) },
      { weight: 2, arbitrary: field },
      {
        weight: 3,
        arbitrary: call(
          names('$add', '$multiply', '$subtract', '$divide', '$mod'),
          fc.tuple(number, number),
        ),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(
            names(
              '$abs',
              '$ceil',
              '$floor',
              '$trunc',
              '$round',
              '$sqrt',
              '$toInt',
              '$toDouble',
              '$toLong',
              '$toDecimal',
            ),
            number,
          )
          .map(([name, x]) => ({ [name]: x })),
      },
      {
        weight: 1,
        arbitrary: call(
          names('$round', '$trunc'),
          fc.tuple(number, fc.integer({ min: -1, max: 2 })),
        ),
      },
      { weight: 1, arbitrary: call(names('$pow'), fc.tuple(number, fc.nat({ max: 3 }))) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(names('$strLenCP', '$strLenBytes'), text)
          .map(([name, x]) => ({ [name]: x })),
      },
      { weight: 1, arbitrary: array.map(($size) => ({ $size })) },
      { weight: 1, arbitrary: call(names('$cmp'), fc.tuple(any, any)) },
      {
        weight: 1,
        arbitrary: call(names('$indexOfCP', '$indexOfBytes', '$strcasecmp'), fc.tuple(text, text)),
      },
      { weight: 1, arbitrary: call(names('$indexOfArray'), fc.tuple(array, any)) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            names('$sum', '$avg', '$stdDevPop'),
            fc.oneof(array, fc.array(any, { maxLength: 3 })),
          )
          .map(([name, x]) => ({ [name]: x })),
      },
      {
        weight: 1,
        arbitrary: call(
          names('$bitAnd', '$bitOr', '$bitXor'),
          fc.tuple(
            fc.nat({ max: 7 }).map((n) => new Int32(n)),
            number,
          ),
        ),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...DATE_PARTS), date)
          .map(([name, x]) => ({ [name]: x })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(date, date, fc.constantFrom(...UNITS))
          .map(([startDate, endDate, unit]) => ({ $dateDiff: { startDate, endDate, unit } })),
      },
      {
        weight: 1,
        arbitrary: any.map((input) => ({
          $convert: { input, to: 'int', onError: -1, onNull: null },
        })),
      },
    ),
    text: fc.oneof(
      depth,
      { weight: 4, arbitrary: literal(arbitraryText) },
      { weight: 2, arbitrary: field },
      { weight: 2, arbitrary: call(names('$concat'), fc.tuple(text, text)) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(names('$toUpper', '$toLower', '$toString'), text)
          .map(([name, x]) => ({ [name]: x })),
      },
      {
        weight: 1,
        arbitrary: call(
          names('$substrCP', '$substrBytes'),
          fc.tuple(text, fc.nat({ max: 3 }), fc.nat({ max: 3 })),
        ),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(names('$trim', '$ltrim', '$rtrim'), text)
          .map(([name, input]) => ({ [name]: { input } })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(names('$replaceOne', '$replaceAll'), text)
          .map(([name, input]) => ({ [name]: { input, find: 'a', replacement: 'zz' } })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(date, fc.constantFrom('%Y-%m-%d', '%H:%M:%S.%L', '%j %u %V'))
          .map(([when, format]) => ({ $dateToString: { date: when, format } })),
      },
    ),
    array: fc.oneof(
      depth,
      { weight: 3, arbitrary: literal(fc.array(arbitraryValue, { maxLength: 4 })) },
      { weight: 2, arbitrary: field },
      { weight: 2, arbitrary: fc.array(any, { maxLength: 3 }) },
      { weight: 2, arbitrary: call(names('$concatArrays'), fc.tuple(array, array)) },
      {
        weight: 1,
        arbitrary: call(
          names('$setUnion', '$setIntersection', '$setDifference'),
          fc.tuple(numbers, numbers),
        ).map(ordered),
      },
      {
        weight: 1,
        arbitrary: call(names('$slice'), fc.tuple(array, fc.integer({ min: -3, max: 3 }))),
      },
      { weight: 1, arbitrary: array.map(($reverseArray) => ({ $reverseArray })) },
      {
        weight: 2,
        arbitrary: fc.tuple(array, truth).map(([input, cond]) => ({
          $filter: { input, as: 'x', cond: { $or: [cond, { $gt: ['$$x', 1] }] } },
        })),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(array, any)
          .map(([input, other]) => ({ $map: { input, as: 'x', in: { $ifNull: ['$$x', other] } } })),
      },
      { weight: 1, arbitrary: numbers.map((input) => ({ $sortArray: { input, sortBy: -1 } })) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.nat({ max: 3 }), fc.nat({ max: 6 }))
          .map(([from, to]) => ({ $range: [from, to] })),
      },
      { weight: 1, arbitrary: call(names('$split'), fc.tuple(text, fc.constantFrom('a', ' '))) },
      { weight: 1, arbitrary: tie('object').map(($objectToArray) => ({ $objectToArray })) },
      { weight: 1, arbitrary: fc.tuple(array, array).map((inputs) => ({ $zip: { inputs } })) },
    ),
    truth: fc.oneof(
      depth,
      {
        weight: 4,
        arbitrary: call(names('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'), fc.tuple(any, any)),
      },
      { weight: 2, arbitrary: call(names('$and', '$or'), fc.tuple(truth, truth)) },
      { weight: 1, arbitrary: truth.map((x) => ({ $not: [x] })) },
      { weight: 1, arbitrary: call(names('$in'), fc.tuple(any, array)) },
      { weight: 1, arbitrary: call(names('$setEquals', '$setIsSubset'), fc.tuple(array, array)) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(names('$isArray', '$isNumber', '$toBool'), any)
          .map(([name, x]) => ({ [name]: x })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(names('$anyElementTrue', '$allElementsTrue'), array)
          .map(([name, x]) => ({ [name]: [x] })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(text, fc.constantFrom('a', '^b', 'B'))
          .map(([input, regex]) => ({ $regexMatch: { input, regex, options: 'i' } })),
      },
    ),
    date: fc.oneof(
      depth,
      {
        weight: 3,
        arbitrary: literal(
          fc.constantFrom(
            new Date(0),
            new Date('2026-03-01T10:20:30.400Z'),
            new Date('2024-02-29T23:59:59Z'),
          ),
        ),
      },
      { weight: 1, arbitrary: field },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            names('$dateAdd', '$dateSubtract'),
            date,
            fc.constantFrom(...UNITS),
            fc.integer({ min: -3, max: 14 }),
          )
          .map(([name, startDate, unit, amount]) => ({ [name]: { startDate, unit, amount } })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(date, fc.constantFrom(...UNITS))
          .map(([when, unit]) => ({ $dateTrunc: { date: when, unit } })),
      },
    ),
    object: fc.oneof(
      depth,
      { weight: 2, arbitrary: fc.tuple(any, any).map(([a, b]) => ({ a, b })) },
      { weight: 1, arbitrary: field },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie('object'), tie('object'))
          .map(($mergeObjects) => ({ $mergeObjects })),
      },
    ),
  };
});

/** What sets give has no order of its own. */
function ordered(input: DriverDocument): DriverDocument {
  return { $sortArray: { input, sortBy: 1 } };
}

export const arbitraryExpression: fc.Arbitrary<DriverValue> = kinds.any;

const accumulator = fc.oneof(
  fc
    .tuple(
      names('$sum', '$avg', '$min', '$max', '$first', '$last', '$push', '$stdDevPop'),
      fc.oneof(field, kinds.number),
    )
    .map(([name, x]) => ({ [name]: x })),
  fc.constant({ $count: {} }),
  fc
    .tuple(names('$firstN', '$lastN', '$minN', '$maxN'), fc.constantFrom(1, 2), field)
    .map(([name, n, input]) => ({ [name]: { n, input } })),
);
/** SecantusDB's `$bucket` has no `$count`. */
const inBucket = accumulator.map((one) => ('$count' in one ? { $sum: 1 } : one));
const arbitraryShape = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'o.a', 'o.b', 'd'), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.constantFrom(0, 1),
  )
  .map(([paths, shown]) => Object.fromEntries(paths.map((path) => [path, shown])));
const arbitraryOrder = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'o.a', 'o.b', 'd', 'x'), fc.constantFrom(1, -1)),
    {
      minLength: 1,
      maxLength: 3,
      // only one of them can be an array
      selector: ([path]) => (path === 'c' || path === 'o.b' ? path : 'array'),
    },
  )
  .map((parts) => ({ ...Object.fromEntries(parts), _id: 1 }));
const arbitraryGroup = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: field },
      { weight: 1, arbitrary: kinds.any },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    accumulator,
    accumulator,
  )
  .map(([_id, x, y]): Stage[] => [{ $group: { _id, x, y } }, { $sort: { _id: 1 } }]);

const arbitraryStages: fc.Arbitrary<Stage[]> = fc.oneof(
  { weight: 3, arbitrary: arbitraryFilter.map(($match): Stage[] => [{ $match }]) },
  { weight: 2, arbitrary: arbitraryShape.map((fields): Stage[] => [{ $project: fields }]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(names('a', 'b', 'd', 'o.b', 'd.e'), kinds.any)
      .map(([path, x]): Stage[] => [{ $addFields: { [path]: { $ifNull: [x, null] } } }]),
  },
  { weight: 3, arbitrary: arbitraryGroup },
  { weight: 2, arbitrary: arbitraryOrder.map(($sort): Stage[] => [{ $sort }]) },
  { weight: 1, arbitrary: fc.nat({ max: 5 }).map(($skip): Stage[] => [{ $skip }]) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 10 }).map(($limit): Stage[] => [{ $limit }]) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('$a', '$b', '$o.a'), fc.boolean(), fc.option(fc.constant('at')))
      .map(([path, preserveNullAndEmptyArrays, at]): Stage[] => [
        {
          $unwind: {
            path,
            preserveNullAndEmptyArrays,
            ...(at !== null && { includeArrayIndex: at }),
          },
        },
        // a long by the manual, an int in SecantusDB
        ...(at === null ? [] : [{ $addFields: { at: { $toInt: '$at' } } }]),
      ]),
  },
  { weight: 1, arbitrary: fc.constantFrom('a', 'o.b', 'b').map(($unset): Stage[] => [{ $unset }]) },
  { weight: 1, arbitrary: fc.constant<Stage[]>([{ $count: 'n' }]) },
  {
    weight: 1,
    arbitrary: field.map((path): Stage[] => [
      { $sortByCount: path },
      { $sort: { count: -1, _id: 1 } },
    ]),
  },
  {
    weight: 1,
    arbitrary: kinds.object.map((x): Stage[] => [
      { $replaceRoot: { newRoot: { $cond: [{ $eq: [{ $type: x }, 'object'] }, x, { none: 1 }] } } },
    ]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(field, inBucket)
      .map(([groupBy, x]): Stage[] => [
        { $bucket: { groupBy, boundaries: [0, 1, 2, 5], default: 'other', output: { x } } },
        { $sort: { _id: 1 } },
      ]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        names('$sum', '$max', '$push', '$avg'),
        field,
        fc.constantFrom(['unbounded', 'current'], [-1, 1], ['unbounded', 'unbounded']),
      )
      .map(([name, x, documents]): Stage[] => [
        {
          $setWindowFields: {
            sortBy: { _id: 1 },
            output: { w: { [name]: x, window: { documents } } },
          },
        },
      ]),
  },
);

/** Begins in the order of `_id`. */
export const arbitraryPipeline: fc.Arbitrary<Stage[]> = fc
  .array(arbitraryStages, { minLength: 1, maxLength: 4 })
  .map((parts) => [{ $sort: { _id: 1 } }, ...parts.flat()]);
