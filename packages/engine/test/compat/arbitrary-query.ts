/** Documents, filters, sorts and projections over few names and values, so that they meet. */
import {
  Binary,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import fc from 'fast-check';

/** A value as the driver takes it. */
export type DriverValue = unknown;
export type DriverDocument = Record<string, DriverValue>;

const PATHS = ['a', 'b', 'c', 'a.b', 'a.a', 'b.c', 'a.0', 'b.1', 'a.b.c', 'c.0.a'] as const;
export const arbitraryPath: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c') },
  { weight: 2, arbitrary: fc.constantFrom(...PATHS) },
);

export const arbitraryNumber: fc.Arbitrary<DriverValue> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -2, max: 4 }).map((n) => new Int32(n)) },
  { weight: 2, arbitrary: fc.constantFrom(0.5, 1, 2, -1.5, 3, 0).map((n) => new Double(n)) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2, 3).map((n) => Long.fromNumber(n)) },
  { weight: 1, arbitrary: fc.constantFrom('1', '2.5', '3').map((n) => Decimal128.fromString(n)) },
);
export const arbitraryText: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'ab', 'B', '', 'x y');
const DATES = [new Date(0), new Date(86_400_000), new Date('2026-03-01T10:20:30.400Z')];
const IDS = ['0123456789abcdef01234567', 'ffffffffffffffffffffffff'].map(
  (hex) => new ObjectId(hex),
);

/** @param text - numbers and texts are most of it */
const arbitraryRare: fc.Arbitrary<DriverValue> = fc.constantFrom(
  new Timestamp({ t: 1, i: 1 }),
  new Timestamp({ t: 2, i: 0 }),
  new Binary(Buffer.from('ab')),
  new Binary(Buffer.from('b'), 4),
  new MinKey(),
  new MaxKey(),
);
export const arbitraryLeaf: fc.Arbitrary<DriverValue> = fc.oneof(
  { weight: 8, arbitrary: arbitraryNumber },
  { weight: 5, arbitrary: arbitraryText },
  { weight: 2, arbitrary: fc.boolean() },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.constantFrom(...DATES) },
  { weight: 1, arbitrary: fc.constantFrom(...IDS) },
  { weight: 1, arbitrary: arbitraryRare },
);

const { value, object } = fc.letrec<{ value: DriverValue; object: DriverDocument }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 6, arbitrary: arbitraryLeaf },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 2, arbitrary: tie('object') },
  ),
  object: fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('value')), {
      maxLength: 2,
      selector: ([name]) => name,
    })
    .map((entries) => Object.fromEntries(entries)),
}));
export const arbitraryValue: fc.Arbitrary<DriverValue> = value;
export const arbitraryObject: fc.Arbitrary<DriverDocument> = object;

/** An empty array sorts and groups apart: see the table of differences. */
const inhabited: fc.Arbitrary<DriverValue> = value.map(withoutEmptyArrays);

function withoutEmptyArrays(one: DriverValue): DriverValue {
  if (Array.isArray(one)) return one.length === 0 ? null : one.map(withoutEmptyArrays);
  if (typeof one !== 'object' || one === null || Object.getPrototypeOf(one) !== Object.prototype) {
    return one;
  }
  return Object.fromEntries(
    Object.entries(one).map(([name, member]) => [name, withoutEmptyArrays(member)]),
  );
}

/** A document without `_id`, whose `o` has fields of its own and is never an array. */
export const arbitraryPlainDocument: fc.Arbitrary<DriverDocument> = fc
  .record(
    {
      a: inhabited,
      b: fc.oneof(arbitraryLeaf, fc.array(arbitraryNumber, { minLength: 1, maxLength: 4 })),
      c: arbitraryNumber,
      o: fc.record({ a: inhabited, b: arbitraryNumber, c: arbitraryText }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  )
  .map((fields) => ({ ...fields }));

const flatObject = fc
  .record({ a: arbitraryLeaf, b: arbitraryLeaf }, { requiredKeys: [] })
  .map((fields) => ({ ...fields }));
const flat = fc.oneof(arbitraryLeaf, flatObject);

/** Arrays in one field only, two cannot be sorted by at once; of documents or of what is none. */
export const arbitrarySortable: fc.Arbitrary<DriverDocument> = fc
  .record(
    {
      a: fc.oneof(
        flat,
        fc.array(arbitraryLeaf, { maxLength: 4 }),
        fc.array(
          fc.record({ a: arbitraryLeaf, b: arbitraryLeaf }).map((fields) => ({ ...fields })),
          { maxLength: 4 },
        ),
      ),
      b: flat,
      c: flatObject,
    },
    { requiredKeys: [] },
  )
  .map((fields) => ({ ...fields }));

/** A document without `_id`. */
export const arbitraryDocument: fc.Arbitrary<DriverDocument> = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(
        { weight: 3, arbitrary: value },
        { weight: 2, arbitrary: fc.array(value, { maxLength: 4 }) },
      ),
    ),
    { maxLength: 3, selector: ([name]) => name },
  )
  .map((entries) => Object.fromEntries(entries));

const TYPES = [
  'double',
  'string',
  'object',
  'array',
  'bool',
  'date',
  'null',
  'int',
  'long',
  'decimal',
  'number',
  'objectId',
  'timestamp',
  'binData',
  'minKey',
];
const arbitraryRegExp = fc
  .tuple(fc.constantFrom('a', '^a', 'b$', '^[ab]+$', 'x.y', '^$'), fc.constantFrom('', 'i'))
  .map(([pattern, options]) => new BSONRegExp(pattern, options));

const arbitraryComparison = fc
  .tuple(fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'), value)
  .map(([name, operand]): DriverDocument => ({ [name]: operand }));
const arbitraryRange = fc
  .tuple(
    fc.constantFrom('$gt', '$gte'),
    arbitraryLeaf,
    fc.constantFrom('$lt', '$lte'),
    arbitraryLeaf,
  )
  .map(([low, from, high, to]): DriverDocument => ({ [low]: from, [high]: to }));
const arbitrarySimple: fc.Arbitrary<DriverDocument> = fc.oneof(
  { weight: 5, arbitrary: arbitraryComparison },
  { weight: 2, arbitrary: arbitraryRange },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom('$in', '$nin'),
        fc.array(fc.oneof(value, arbitraryRegExp), { maxLength: 3 }),
      )
      .map(([name, list]) => ({ [name]: list })),
  },
  { weight: 2, arbitrary: fc.boolean().map(($exists) => ({ $exists })) },
  {
    weight: 2,
    arbitrary: fc
      .oneof(
        fc.constantFrom(...TYPES),
        fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 2 }),
      )
      .map(($type) => ({ $type })),
  },
  { weight: 1, arbitrary: fc.nat({ max: 3 }).map(($size) => ({ $size })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(0, 1, -1))
      .map(([divisor, remainder]) => ({ $mod: [divisor, remainder] })),
  },
  { weight: 1, arbitrary: arbitraryRegExp.map(($regex) => ({ $regex })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear'),
        fc.nat({ max: 5 }),
      )
      .map(([name, mask]) => ({ [name]: mask })),
  },
);

const { filter, operators } = fc.letrec<{ filter: DriverDocument; operators: DriverDocument }>(
  (tie) => ({
    operators: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      { weight: 8, arbitrary: arbitrarySimple },
      {
        weight: 2,
        arbitrary: fc.array(value, { minLength: 1, maxLength: 2 }).map(($all) => ({ $all })),
      },
      { weight: 2, arbitrary: tie('operators').map(($not) => ({ $not })) },
      { weight: 2, arbitrary: tie('operators').map(($elemMatch) => ({ $elemMatch })) },
      { weight: 1, arbitrary: tie('filter').map(($elemMatch) => ({ $elemMatch })) },
    ),
    filter: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      {
        weight: 3,
        arbitrary: fc.tuple(arbitraryPath, value).map(([path, operand]) => ({ [path]: operand })),
      },
      {
        weight: 8,
        arbitrary: fc
          .tuple(arbitraryPath, tie('operators'))
          .map(([path, ops]) => ({ [path]: ops })),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(
            fc.constantFrom('$and', '$or', '$nor'),
            fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
          )
          .map(([name, parts]) => ({ [name]: parts })),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(arbitraryPath, tie('operators'), arbitraryPath, tie('operators'))
          .map(([path, ops, other, more]) => ({ [path]: ops, [other]: more })),
      },
    ),
  }),
);
export const arbitraryFilter: fc.Arbitrary<DriverDocument> = filter;
export const arbitraryOperators: fc.Arbitrary<DriverDocument> = operators;

/** The last part makes the order complete; no two parts go into the same array. */
export const arbitrarySort: fc.Arbitrary<DriverDocument> = fc
  .uniqueArray(fc.tuple(arbitraryPath, fc.constantFrom(1, -1)), {
    minLength: 1,
    maxLength: 3,
    selector: ([path]) => path.split('.')[0],
  })
  .map((parts) => ({ ...Object.fromEntries(parts), _id: 1 }));

const arbitraryInclusion: fc.Arbitrary<DriverDocument> = fc
  .tuple(
    fc.uniqueArray(arbitraryPath, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(0, 1),
    fc.option(fc.constantFrom(0, 1)),
  )
  .map(([paths, shown, id]) => ({
    ...Object.fromEntries(paths.map((path) => [path, shown])),
    ...(id !== null && { _id: id }),
  }));
export const arbitraryProjection: fc.Arbitrary<DriverDocument> = fc.oneof(
  { weight: 6, arbitrary: arbitraryInclusion },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('a', 'b', 'c'),
        fc.oneof(
          fc.integer({ min: -3, max: 3 }),
          fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 1, max: 3 })),
        ),
      )
      .map(([path, $slice]) => ({ [path]: { $slice } })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b', 'c'), operators)
      .map(([path, $elemMatch]) => ({ [path]: { $elemMatch } })),
  },
);
