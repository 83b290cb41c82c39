import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BsonDocument, BsonValue } from './bson.ts';
import { bsonTypeOf, Double, documentOf, Long, ObjectId, toNumber } from './bson.ts';
import {
  decodeDocument,
  encodeDocument,
  rawFieldKey,
  rawFieldNames,
  readRawField,
  readRawPath,
  removeRawField,
  valueKey,
} from './raw-bson.ts';

const value: fc.Arbitrary<BsonValue> = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.double().map((n) => new Double(n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
  fc.array(fc.integer()),
);
const document: fc.Arbitrary<BsonDocument> = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z0-9_]{0,8}$/), value))
  .map((fields) => new Map(fields));

describe('raw BSON', () => {
  it('decodes to what was encoded, in order', () => {
    fc.assert(
      fc.property(document, (fields) => {
        const decoded = decodeDocument(encodeDocument(fields));
        expect([...decoded]).toEqual([...fields]);
      }),
    );
  });

  it('reads, lists and removes top-level fields without decoding', () => {
    fc.assert(
      fc.property(document, (fields) => {
        const bytes = encodeDocument(fields);
        expect(rawFieldNames(bytes)).toEqual([...fields.keys()]);
        expect(readRawField(bytes, 'never there')).toBeUndefined();
        for (const [name, expected] of fields) {
          expect(readRawField(bytes, name)).toEqual(expected);
          expect(rawFieldKey(bytes, name)).toBe(valueKey(expected));
          const rest = new Map(fields);
          rest.delete(name);
          expect(Buffer.from(removeRawField(bytes, name))).toEqual(encodeDocument(rest));
        }
      }),
    );
  });

  it('follows paths through documents', () => {
    const bytes = encodeDocument(documentOf({ metadata: { _etag: 5 }, a: 1 }));
    expect(readRawPath(bytes, 'metadata._etag')).toBe(5);
    expect(readRawPath(bytes, 'a._etag')).toBeUndefined();
  });

  it('tells int32 1, int64 1 and double 1 apart', () => {
    const keys = [1, Long.fromInt(1), new Double(1), '1'].map((item) => valueKey(item));
    expect(new Set(keys).size).toBe(4);
    const id = new ObjectId();
    expect(valueKey(id)).toBe(rawFieldKey(encodeDocument(new Map([['v', id]])), 'v'));
  });
});

describe('values', () => {
  it('are named as in the Java driver', () => {
    expect(
      [1, Long.ONE, new Double(1), 'x', null, [], new Map(), new Date(0)].map(bsonTypeOf),
    ).toEqual(['INT32', 'INT64', 'DOUBLE', 'STRING', 'NULL', 'ARRAY', 'DOCUMENT', 'DATE_TIME']);
  });

  it('from literals keep doubles apart from integers', () => {
    const literal = documentOf({ a: 1, b: 1.5, c: { d: [2 ** 40] }, e: undefined });
    expect(literal.get('a')).toBe(1);
    expect(literal.get('b')).toEqual(new Double(1.5));
    expect(literal.has('e')).toBe(false);
    expect([Long.fromInt(3), new Double(1.5), 2, 'x'].map(toNumber)).toEqual([
      3,
      1.5,
      2,
      undefined,
    ]);
  });
});
