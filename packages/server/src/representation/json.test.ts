import { deserialize, EJSON, serialize } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from '../model/bson.ts';
import { decodeDocument, encodeDocument } from '../model/raw-bson.ts';
import type { JsonMode } from './json-mode.ts';
import { parseJson } from './json-reader.ts';
import { writeJson } from './json-writer.ts';
import { transcodeArray, transcodeDocument } from './transcode.ts';

const MODES: readonly JsonMode[] = ['default', 'strict', 'extended', 'relaxed', 'shell'];

const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((s) => !s.includes('\0'));
const anyText = fc.oneof(text, fc.string({ maxLength: 300 }), fc.constant('a\u0000b"\\\n\u007f'));
const int32 = fc.integer();
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const leaf: fc.Arbitrary<BsonValue> = fc.oneof(
  { arbitrary: int32, weight: 3 },
  { arbitrary: anyText, weight: 4 },
  fc.constant(null),
  fc.boolean(),
  int64.map((n) => Long.fromBigInt(n)),
  fc.double().map((n) => new Double(n)),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((id) => new ObjectId(id)),
  fc
    .tuple(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 1, 3, 5, 128))
    .map(([bytes, type]) => new Binary(bytes, type)),
  fc
    .tuple(fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff }))
    .map(([t, i]) => new Timestamp({ t, i })),
  fc.tuple(text, fc.constantFrom('', 'i', 'im')).map(([p, o]) => new BSONRegExp(p, o)),
  text.map((s) => new BSONSymbol(s)),
  text.map((s) => new Code(s)),
  fc.constantFrom('1.10', '-0', 'NaN', '9.99E+6000').map((s) => Decimal128.fromString(s)),
  fc.constant(new MinKey()),
  fc.constant(new MaxKey()),
);
const { document } = fc.letrec<{ document: BsonDocument; value: BsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('document'),
    fc.array(tie('value'), { maxLength: 5 }),
  ),
  document: fc
    .array(fc.tuple(fc.oneof(text, fc.constantFrom('a', 'name', '__proto__', '2')), tie('value')), {
      maxLength: 6,
    })
    .map((fields) => new Map(fields) as BsonDocument),
}));

describe('transcoder', () => {
  it.each(MODES)('gives what the writer gives for the decoded document, mode %s', (mode) => {
    fc.assert(
      fc.property(document, (value) => {
        const bytes = encodeDocument(value);
        const expected = writeJson(decodeDocument(bytes), mode);
        expect(transcodeDocument(bytes, mode).toString()).toBe(expected);
        expect(transcodeArray([bytes, bytes], mode).toString()).toBe(`[${expected}, ${expected}]`);
      }),
      { numRuns: 300 },
    );
  });

  it('agrees with the bson library on relaxed Extended JSON', () => {
    const plain = fc.dictionary(
      fc.string().filter((name) => name !== '__proto__' && !name.includes('\0')),
      fc.oneof(
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(fc.string()),
        fc.constant(new ObjectId()),
        fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }),
      ),
    );
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = serialize(value);
        const ours = JSON.parse(transcodeDocument(bytes, 'relaxed').toString());
        const theirs = JSON.parse(EJSON.stringify(deserialize(bytes), { relaxed: true }));
        // the Java driver drops trailing zeros of a date's fraction, the bson library does not
        expect(normalizeDates(ours)).toEqual(normalizeDates(theirs));
      }),
    );
  });

  it('survives documents larger than its buffer and escapes that grow sixfold', () => {
    const value: BsonDocument = new Map<string, BsonValue>([
      ['control', '\u0001'.repeat(300_000)],
      ['many', Array.from({ length: 50_000 }, () => null)],
      ['\u0002'.repeat(200_000), 'ü'.repeat(200_000)],
    ]);
    const bytes = encodeDocument(value);
    expect(transcodeDocument(bytes).toString()).toBe(writeJson(value));
  });

  it('never hangs on damaged bytes', () => {
    fc.assert(
      fc.property(
        document,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))),
        (value, changes) => {
          const bytes = encodeDocument(value);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          for (const read of [transcodeDocument, decodeDocument]) {
            try {
              read(bytes);
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
            }
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('writes broken UTF-8 as the replacement character', () => {
    const bytes = encodeDocument(new Map([['a', 'xyz']]));
    bytes[12] = 0xff;
    expect(transcodeDocument(bytes).toString()).toBe('{"a": "x\ufffdz"}');
  });
});

function normalizeDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalizeDates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      name === '$date' && typeof inner === 'string'
        ? [name, new Date(inner).getTime()]
        : [name, normalizeDates(inner)],
    ),
  );
}

describe('reader and writer', () => {
  it.each(['extended', 'strict', 'shell'] as const)('are inverse in mode %s', (mode) => {
    fc.assert(
      fc.property(document, (value) => {
        fc.pre(isReadable(value, mode));
        const once = writeJson(value, mode);
        expect(writeJson(parseJson(once), mode)).toBe(once);
      }),
      { numRuns: 300 },
    );
  });

  it('never fails with anything but its own error on arbitrary text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]():,"\'/\\$-0123.eE anulISODatewObj') }),
        (input) => {
          try {
            parseJson(input);
          } catch (error) {
            expect((error as Error).name).toBe('JsonParseError');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Documents whose first name is `$…` read as something else; shell regexes and symbols do not round-trip. */
function isReadable(value: BsonValue, mode: JsonMode): boolean {
  if (value instanceof BSONRegExp) return mode !== 'shell' || /^\w*$/.test(value.pattern);
  if (Array.isArray(value)) return value.every((item) => isReadable(item, mode));
  if (!(value instanceof Map)) return true;
  return [...value].every(([name, item]) => !name.startsWith('$') && isReadable(item, mode));
}

describe('JSON modes', () => {
  const oid = new ObjectId('5d95ef77fe51a3a5a3a5a3a5');
  const rows: readonly [string, BsonValue, Readonly<Record<JsonMode, string>>][] = [
    ['int32', 1, row('1', '1', '{"$numberInt": "1"}', '1', '1')],
    [
      'int64',
      Long.fromNumber(3_000_000_000),
      row(
        '3000000000',
        '{"$numberLong": "3000000000"}',
        '{"$numberLong": "3000000000"}',
        '3000000000',
        'NumberLong("3000000000")',
      ),
    ],
    ['double', new Double(1), row('1.0', '1.0', '{"$numberDouble": "1.0"}', '1.0', '1.0')],
    [
      'large double',
      new Double(1e10),
      row('1.0E10', '1.0E10', '{"$numberDouble": "1.0E10"}', '1.0E10', '1.0E10'),
    ],
    [
      'small double',
      new Double(0.00012),
      row('1.2E-4', '1.2E-4', '{"$numberDouble": "1.2E-4"}', '1.2E-4', '1.2E-4'),
    ],
    [
      'NaN',
      new Double(Number.NaN),
      row(
        '{"$numberDouble": "NaN"}',
        'NaN',
        '{"$numberDouble": "NaN"}',
        '{"$numberDouble": "NaN"}',
        'NaN',
      ),
    ],
    [
      'decimal',
      Decimal128.fromString('1.10'),
      row(
        '{"$numberDecimal": "1.10"}',
        '{"$numberDecimal": "1.10"}',
        '{"$numberDecimal": "1.10"}',
        '{"$numberDecimal": "1.10"}',
        'NumberDecimal("1.10")',
      ),
    ],
    [
      'date',
      new Date(1577836800500),
      row(
        '{"$date": 1577836800500 }',
        '{"$date": 1577836800500}',
        '{"$date": {"$numberLong": "1577836800500"}}',
        '{"$date": "2020-01-01T00:00:00.5Z"}',
        'ISODate("2020-01-01T00:00:00.500Z")',
      ),
    ],
    [
      'ObjectId',
      oid,
      row(
        '{"$oid": "5d95ef77fe51a3a5a3a5a3a5"}',
        '{"$oid": "5d95ef77fe51a3a5a3a5a3a5"}',
        '{"$oid": "5d95ef77fe51a3a5a3a5a3a5"}',
        '{"$oid": "5d95ef77fe51a3a5a3a5a3a5"}',
        'ObjectId("5d95ef77fe51a3a5a3a5a3a5")',
      ),
    ],
    [
      'binary',
      new Binary(Buffer.from([1, 2]), 0),
      row(
        '{"$binary": {"base64": "AQI=", "subType": "00"}}',
        '{"$binary": "AQI=", "$type": "00"}',
        '{"$binary": {"base64": "AQI=", "subType": "00"}}',
        '{"$binary": {"base64": "AQI=", "subType": "00"}}',
        'new BinData(0, "AQI=")',
      ),
    ],
    [
      'regex',
      new BSONRegExp('a', 'i'),
      row(
        '{"$regularExpression": {"pattern": "a", "options": "i"}}',
        '{"$regex": "a", "$options": "i"}',
        '{"$regularExpression": {"pattern": "a", "options": "i"}}',
        '{"$regularExpression": {"pattern": "a", "options": "i"}}',
        '/a/i',
      ),
    ],
    [
      'timestamp',
      new Timestamp({ t: 1, i: 2 }),
      row(
        '{"$timestamp": {"t": 1, "i": 2}}',
        '{"$timestamp": {"t": 1, "i": 2}}',
        '{"$timestamp": {"t": 1, "i": 2}}',
        '{"$timestamp": {"t": 1, "i": 2}}',
        'Timestamp(1, 2)',
      ),
    ],
    [
      'minKey',
      new MinKey(),
      row('{"$minKey": 1}', '{"$minKey": 1}', '{"$minKey": 1}', '{"$minKey": 1}', 'MinKey'),
    ],
  ];
  for (const [name, value, expected] of rows) {
    it.each(MODES)(`spell ${name} as specified, mode %s`, (mode) => {
      expect(writeJson(value, mode)).toBe(expected[mode]);
      const bytes = encodeDocument(new Map([['v', value]]));
      expect(transcodeDocument(bytes, mode).toString()).toBe(`{"v": ${expected[mode]}}`);
    });
  }

  it('drop trailing zeros of relaxed dates', () => {
    expect(writeJson(new Date(260), 'relaxed')).toBe('{"$date": "1970-01-01T00:00:00.26Z"}');
    expect(writeJson(new Date(1000), 'relaxed')).toBe('{"$date": "1970-01-01T00:00:01Z"}');
    expect(writeJson(new Date(-1), 'relaxed')).toBe('{"$date": {"$numberLong": "-1"}}');
  });
});

function row(
  byDefault: string,
  strict: string,
  extended: string,
  relaxed: string,
  shell: string,
): Readonly<Record<JsonMode, string>> {
  return { default: byDefault, strict, extended, relaxed, shell };
}

describe('JSON reader', () => {
  const accepted: readonly [string, string][] = [
    ['{a: 1, \'b\': "x", "c": \'y\'}', '{"a": 1, "b": "x", "c": "y"}'],
    [
      '{"a": 2147483647, "b": 2147483648, "c": 1.0, "d": 1e3}',
      '{"a": {"$numberInt": "2147483647"}, "b": {"$numberLong": "2147483648"}, "c": {"$numberDouble": "1.0"}, "d": {"$numberDouble": "1000.0"}}',
    ],
    ['{"a": 1} trailing', '{"a": {"$numberInt": "1"}}'],
    ['{"a": 1,}', '{"a": {"$numberInt": "1"}}'],
    ['[1 2]', '[{"$numberInt": "1"}, {"$numberInt": "2"}]'],
    ["{a: ObjectId('5d95ef77fe51a3a5a3a5a3a5')}", '{"a": {"$oid": "5d95ef77fe51a3a5a3a5a3a5"}}'],
    ['{"$oid": "5d95ef77fe51a3a5a3a5a3a5"}', '{"$oid": "5d95ef77fe51a3a5a3a5a3a5"}'],
    ["ISODate('2020-01-01T00:00:00.500Z')", '{"$date": {"$numberLong": "1577836800500"}}'],
    ['new Date(1577836800500)', '{"$date": {"$numberLong": "1577836800500"}}'],
    ['{"$date": "2020-01-01T01:00:00.5+01:00"}', '{"$date": {"$numberLong": "1577836800500"}}'],
    ['{"$date": {"$numberLong": "5"}}', '{"$date": {"$numberLong": "5"}}'],
    ['{"$date": 5}', '{"$date": {"$numberLong": "5"}}'],
    ['NumberLong("7")', '{"$numberLong": "7"}'],
    ['NumberInt(7)', '{"$numberInt": "7"}'],
    ['NumberDecimal("1.5")', '{"$numberDecimal": "1.5"}'],
    ['Timestamp(1, 2)', '{"$timestamp": {"t": 1, "i": 2}}'],
    ['BinData(0, "AQI=")', '{"$binary": {"base64": "AQI=", "subType": "00"}}'],
    ['{"$binary": "AQI=", "$type": "05"}', '{"$binary": {"base64": "AQI=", "subType": "05"}}'],
    [
      '{"$binary": {"base64": "AQI=", "subType": "05"}}',
      '{"$binary": {"base64": "AQI=", "subType": "05"}}',
    ],
    [
      'UUID("00112233-4455-6677-8899-aabbccddeeff")',
      '{"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "04"}}',
    ],
    ['/a.b/i', '{"$regularExpression": {"pattern": "a.b", "options": "i"}}'],
    [
      '{"$regex": "a", "$options": "i"}',
      '{"$regularExpression": {"pattern": "a", "options": "i"}}',
    ],
    ['{"x": {"$regex": "a"}}', '{"x": {"$regex": "a"}}'],
    ['{"x": {"$type": "string"}}', '{"x": {"$type": "string"}}'],
    ['{"x": {"$in": [1]}}', '{"x": {"$in": [{"$numberInt": "1"}]}}'],
    ['{"$code": "f()", "$scope": {"a": true}}', '{"$code": "f()", "$scope": {"a": true}}'],
    [
      '[MinKey, MaxKey(), undefined, NaN, -Infinity]',
      '[{"$minKey": 1}, {"$maxKey": 1}, null, {"$numberDouble": "NaN"}, {"$numberDouble": "-Infinity"}]',
    ],
    ['{"$numberDouble": "1"}', '{"$numberDouble": "1.0"}'],
    ['{"a\\u00e9": "\\ud83d\\ude00"}', '{"aé": "\\ud83d\\ude00"}'],
    ['-0', '{"$numberInt": "0"}'],
    [
      '{"2": 1, "1": 2, "__proto__": 3}',
      '{"2": {"$numberInt": "1"}, "1": {"$numberInt": "2"}, "__proto__": {"$numberInt": "3"}}',
    ],
  ];
  it.each(accepted)('reads %s', (input, expected) => {
    const value = parseJson(input);
    expect(
      writeJson(value, 'extended').replace(/\{"\$numberInt": "1"\}, "b": "x"/, '1, "b": "x"'),
    ).toBe(expected);
  });

  const refused: readonly [string, string][] = [
    ['{a: #}', "Invalid JSON input. Position: 5. Character: '#'."],
    ['{"a": 1', "JSON reader was expecting a name but found '<eof>'."],
    ['{"a" 1}', "JSON reader was expecting ':' but found '1'."],
    ['{"a": abc}', "JSON reader was expecting a value but found 'abc'."],
    ['{"a": }', "JSON reader was expecting a value but found '}'."],
    ['{1 : 2}', "JSON reader was expecting a name but found '1'."],
    ['abc', "JSON reader was expecting a value but found 'abc'."],
    ['', "JSON reader was expecting a value but found '<eof>'."],
    ['{"a": "x', 'End of file in JSON string.'],
    ['{"a": "\\x"}', "Invalid escape sequence in JSON string '\\x'."],
    ['{"a": 1x}', 'Invalid JSON number'],
    ['{"a": constructor}', "JSON reader was expecting a value but found 'constructor'."],
    ['{"a": new toString()}', "JSON reader expected a type name but found 'toString'."],
    ['{"$oid": "zz"}', 'invalid hexadecimal representation of an ObjectId: [zz]'],
    [`{"a": ${'9'.repeat(100_000)}}`, 'For input string: "999'],
    [`{"a" "${'x'.repeat(1000)}"}`, `found '${'x'.repeat(256)}...'.`],
    ['[1, 2', "JSON reader was expecting a value but found '<eof>'."],
    ['['.repeat(1000), 'JSON is nested deeper than 200 levels'],
    ['{a:'.repeat(100_000), 'JSON is nested deeper than 200 levels'],
  ];
  it.each(refused)('refuses with a text: %#', (input, message) => {
    expect(() => parseJson(input)).toThrow(message);
  });
});
