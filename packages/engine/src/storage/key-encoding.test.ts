import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareValues } from '../bson/compare.ts';
import {
  Binary,
  BSONRegExp,
  BsonUndefined,
  Code,
  DateTime,
  Decimal128,
  Double,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  type Value,
} from '../bson/value.ts';
import {
  type Direction,
  encodeKey,
  encodeStringPrefix,
  encodeValue,
  isTruncatedKey,
  joinKeyParts,
} from './key-encoding.ts';

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -60, max: 60 }))
  .map(([coefficient, exponent]) => Decimal128.fromString(`${coefficient}E${exponent}`));

const number: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, 2n ** 53n - 1n, -(2n ** 63n), 2n ** 63n - 1n),
  fc.double(),
  fc.double().map((value) => new Double(value)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
    const text = value.toExponential(15).replace('e', 'E');
    return Decimal128.fromString(text);
  }),
  fc.integer({ min: -3, max: 3 }).map((value) => Decimal128.fromString(`${value}.00`)),
  decimal,
  fc.constantFrom(
    Decimal128.fromString('NaN'),
    Decimal128.fromString('-Infinity'),
    Decimal128.fromString('Infinity'),
    Decimal128.fromString('9.999999999999999999999999999999999E+6144'),
    Decimal128.fromString('-1E-6176'),
    Decimal128.fromString('0.1'),
    0.1,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
  ),
);

const text = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom('', '\0', 'a\0', 'a\0b', 'a', 'ab', '\uffff', '\u{10000}'),
);

const leaf: fc.Arbitrary<Value> = fc.oneof(
  { arbitrary: number, weight: 4 },
  { arbitrary: text, weight: 3 },
  fc.constantFrom<Value>(null, true, false, new MinKey(), new MaxKey(), BsonUndefined.instance),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((ms) => new DateTime(ms)),
  fc.integer({ min: -2, max: 2 }).map((ms) => new DateTime(ms)),
  fc
    .tuple(fc.uint8Array({ maxLength: 3 }), fc.integer({ min: 0, max: 2 }))
    .map(([bytes, subtype]) => new Binary(bytes, subtype)),
  fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)).map(([t, i]) => new Timestamp({ t, i })),
  text.filter((pattern) => !pattern.includes('\0')).map((pattern) => new BSONRegExp(pattern, 'i')),
  text.map((code) => new Code(code)),
);

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom('', 'a', 'b', 'ab'), tie('value')), { maxLength: 3 })
      .map((fields) => new Map(fields)),
  ),
}));

const sign = (order: number): number => Math.sign(order) + 0;
const hasLoneSurrogate = (key: Buffer): boolean => key.includes('\ufffd');

describe('encodeKey', () => {
  it('orders keys as compareValues orders values', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [keyA, keyB] = [encodeKey([a], [1]), encodeKey([b], [1])];
        fc.pre(!hasLoneSurrogate(keyA) && !hasLoneSurrogate(keyB));
        expect(sign(Buffer.compare(keyA, keyB))).toBe(sign(compareValues(a, b)));
      }),
      { numRuns: 3000 },
    );
  });

  it('orders numbers exactly across their types', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const order = Buffer.compare(encodeKey([a], [1]), encodeKey([b], [1]));
        expect(sign(order)).toBe(sign(compareValues(a, b)));
      }),
      { numRuns: 5000 },
    );
  });

  it('orders compound keys field by field in the directions given', () => {
    const direction = fc.constantFrom<Direction>(1, -1);
    fc.assert(
      fc.property(
        fc.tuple(leaf, leaf),
        fc.tuple(leaf, leaf),
        fc.boolean(),
        direction,
        direction,
        (a, b, share, first, second) => {
          const other: [Value, Value] = share ? [a[0], b[1]] : b;
          const expected =
            compareValues(a[0], other[0]) * first || compareValues(a[1], other[1]) * second;
          const keyA = encodeKey(a, [first, second]);
          const keyB = encodeKey(other, [first, second]);
          expect(sign(Buffer.compare(keyA, keyB))).toBe(sign(expected));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives equal numbers one key', () => {
    const keys = [1, 1n, new Double(1), Decimal128.fromString('1.00')].map((one) =>
      encodeKey([one], [1]).toString('hex'),
    );
    expect(new Set(keys).size).toBe(1);
  });

  it('cuts keys that are too long and keeps them apart', () => {
    const long = 'x'.repeat(5000);
    const key = encodeKey([long], [1]);
    expect(isTruncatedKey(key)).toBe(true);
    expect(key.length).toBeLessThan(1900);
    expect(encodeKey([`${long}a`], [1]).equals(key)).toBe(false);
    expect(encodeKey([long], [1]).equals(key)).toBe(true);
    expect(joinKeyParts([encodeValue(long, 1)]).equals(key)).toBe(true);
    expect(isTruncatedKey(encodeKey(['short'], [1]))).toBe(false);
  });

  it('puts all strings with a prefix behind the key of the prefix', () => {
    const prefix = encodeStringPrefix('ab', 1);
    for (const text of ['ab', 'abc', 'ab\0']) {
      expect(encodeKey([text], [1]).subarray(0, prefix.length).equals(prefix)).toBe(true);
    }
    expect(encodeKey(['ac'], [1]).subarray(0, prefix.length).equals(prefix)).toBe(false);
  });
});
