/** Random values and documents for property tests. */
import fc from 'fast-check';
import {
  Binary,
  BSONRegExp,
  Code,
  DateTime,
  Decimal128,
  type Document,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  toDouble,
  type Value,
} from '../../src/bson/value.ts';

const int32 = fc.integer({ min: -2147483648, max: 2147483647 });
const double = fc.double().map((value): Value => toDouble(value));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const decimal = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }),
    fc.integer({ min: -40, max: 40 }),
  )
  .map(([digits, exponent]): Value => Decimal128.fromString(`${digits}E${exponent}`));

export const arbitraryNumber: fc.Arbitrary<Value> = fc.oneof(
  int32,
  fc.integer({ min: -5, max: 5 }),
  double,
  fc.integer({ min: -5, max: 5 }).map((value): Value => toDouble(value)),
  int64,
  fc.integer({ min: -5, max: 5 }).map((value): Value => BigInt(value)),
  decimal,
  fc.integer({ min: -5, max: 5 }).map((value): Value => Decimal128.fromString(`${value}.0`)),
);

const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('a', 'b', '\u{ffff}', '\u{1f600}', ''),
);

export const arbitraryLeaf: fc.Arbitrary<Value> = fc.oneof(
  { arbitrary: arbitraryNumber, weight: 4 },
  { arbitrary: text.map((value): Value => value), weight: 4 },
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes): Value => new ObjectId(bytes)),
  fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map((value): Value => new DateTime(value)),
  fc
    .tuple(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(0, 2, 4, 5, 128))
    .map(([bytes, subtype]): Value => new Binary(bytes, subtype)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]): Value => new Timestamp({ t, i })),
  fc
    .tuple(fc.string({ maxLength: 5 }), fc.constantFrom('', 'i', 'im', 'x'))
    .map(([pattern, options]): Value => new BSONRegExp(pattern.replaceAll('\0', ''), options)),
  fc.string({ maxLength: 5 }).map((code): Value => new Code(code)),
  fc.constant(new MinKey()),
  fc.constant(new MaxKey()),
);

export const arbitraryName: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom('a', 'b', 'c', '0', '1'), weight: 6 },
  fc.string({ maxLength: 8 }).map((name) => name.replaceAll('\0', '')),
  fc.constantFrom('_proto_', 'élan', 'a field name longer than thirty-two characters'),
);

const { document, value } = fc.letrec<{ value: Value; document: Document }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: arbitraryLeaf, weight: 5 },
    { arbitrary: tie('document').map((inner): Value => inner), weight: 1 },
    { arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((items): Value => items), weight: 1 },
  ),
  document: fc
    .uniqueArray(fc.tuple(arbitraryName, tie('value')), {
      maxLength: 5,
      selector: ([name]) => name,
    })
    .map((entries): Document => new Map(entries)),
}));

export const arbitraryValue: fc.Arbitrary<Value> = value;
export const arbitraryDocument: fc.Arbitrary<Document> = document;
