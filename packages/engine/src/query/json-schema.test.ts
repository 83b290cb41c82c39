import { describe, expect, it } from 'vitest';
import { doc, plain } from '../../test/support/ejson.ts';
import { compileFilter } from './filter.ts';
import { compileJsonSchema } from './json-schema.ts';
import { explainValidationFailure } from './validation-details.ts';

type Plain = Readonly<Record<string, unknown>>;

const matches = (schema: Plain, document: Plain) =>
  compileFilter(doc({ $jsonSchema: schema })).matches(doc(document));

describe('$jsonSchema', () => {
  const cases: readonly (readonly [Plain, Plain, boolean])[] = [
    [{ required: ['a'] }, { a: null }, true],
    [{ required: ['a'] }, { b: 1 }, false],
    [{ properties: { a: { bsonType: 'int' } } }, { a: 1 }, true],
    [{ properties: { a: { bsonType: 'int' } } }, {}, true],
    [{ properties: { a: { bsonType: ['string', 'null'] } } }, { a: 1 }, false],
    [{ properties: { a: { type: 'number' } } }, { a: 1.5 }, true],
    [{ properties: { a: { minimum: 3 } } }, { a: 3 }, true],
    [{ properties: { a: { minimum: 3, exclusiveMinimum: true } } }, { a: 3 }, false],
    [{ properties: { a: { minimum: 3 } } }, { a: 'x' }, true],
    [{ properties: { a: { multipleOf: 0.5 } } }, { a: 1.5 }, true],
    [{ properties: { a: { maxLength: 2 } } }, { a: '\u{1f600}\u{1f600}' }, true],
    [{ properties: { a: { pattern: '^x' } } }, { a: 'yx' }, false],
    [{ properties: { a: { enum: [1, 'x'] } } }, { a: 'x' }, true],
    [{ additionalProperties: false, properties: { a: {} } }, { a: 1 }, true],
    [{ additionalProperties: false, properties: { a: {} } }, { a: 1, b: 1 }, false],
    [{ patternProperties: { '^s': { type: 'string' } } }, { s1: 1 }, false],
    [{ minProperties: 2 }, { a: 1 }, false],
    [{ dependencies: { a: ['b'] } }, { a: 1 }, false],
    [{ dependencies: { a: { required: ['c'] } } }, { b: 1 }, true],
    [{ properties: { a: { items: { type: 'string' } } } }, { a: ['x', 1] }, false],
    [{ properties: { a: { items: [{}, {}], additionalItems: false } } }, { a: [1, 2, 3] }, false],
    [{ properties: { a: { uniqueItems: true } } }, { a: [1, 2, 1] }, false],
    [{ properties: { a: { minItems: 1 } } }, { a: [] }, false],
    [{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }, { b: 1 }, true],
    [{ oneOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1, b: 1 }, false],
    [{ allOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1 }, false],
    [{ not: { required: ['a'] } }, { a: 1 }, false],
  ];
  it.each(cases)('%j on %j gives %s', (schema, document, expected) => {
    expect(matches(schema, document)).toBe(expected);
  });

  const errors: readonly (readonly [Plain, number, string])[] = [
    [{ foo: 1 }, 9, 'Unknown $jsonSchema keyword: foo'],
    [{ $ref: 'x' }, 9, "$jsonSchema keyword '$ref' is not currently supported"],
    [{ type: 'integer' }, 9, "$jsonSchema type 'integer' is not currently supported."],
    [{ required: [] }, 9, "$jsonSchema keyword 'required' cannot be an empty array"],
    [{ minimum: 'x' }, 14, "$jsonSchema keyword 'minimum' must be a number"],
    [{ bsonType: 'foo' }, 2, 'Unknown type name alias: foo'],
  ];
  it.each(errors)('%j is refused with code %i: %s', (schema, code, message) => {
    expect(() => compileJsonSchema(doc(schema))).toThrow(
      expect.objectContaining({ code, message }),
    );
  });
});

describe('the details of a failed validation', () => {
  const explain = (validator: Plain, document: Plain) =>
    plain(explainValidationFailure(compileFilter(doc(validator)), doc(document)));

  it('are those of MongoDB for a schema', () => {
    const schema = {
      bsonType: 'object',
      title: 'Student',
      required: ['name', 'age'],
      properties: {
        age: { bsonType: 'int', description: 'must be an int' },
        gpa: { bsonType: 'double', maximum: 4 },
      },
    };
    expect(explain({ $jsonSchema: schema }, { _id: 1, age: 'x', gpa: 5.5 })).toEqual({
      failingDocumentId: 1,
      details: {
        operatorName: '$jsonSchema',
        title: 'Student',
        schemaRulesNotSatisfied: [
          {
            operatorName: 'properties',
            propertiesNotSatisfied: [
              {
                propertyName: 'age',
                description: 'must be an int',
                details: [
                  {
                    operatorName: 'bsonType',
                    specifiedAs: { bsonType: 'int' },
                    reason: 'type did not match',
                    consideredValue: 'x',
                    consideredType: 'string',
                  },
                ],
              },
              {
                propertyName: 'gpa',
                details: [
                  {
                    operatorName: 'maximum',
                    specifiedAs: { maximum: 4 },
                    reason: 'comparison failed',
                    consideredValue: 5.5,
                  },
                ],
              },
            ],
          },
          {
            operatorName: 'required',
            specifiedAs: { required: ['name', 'age'] },
            missingProperties: ['name'],
          },
        ],
      },
    });
  });

  it('are those of MongoDB for query operators', () => {
    expect(explain({ a: { $gt: 5 } }, { _id: 1, a: 3 })).toEqual({
      failingDocumentId: 1,
      details: {
        operatorName: '$gt',
        specifiedAs: { a: { $gt: 5 } },
        reason: 'comparison failed',
        consideredValue: 3,
      },
    });
    expect(explain({ a: { $gt: 5 }, b: { $exists: true } }, { _id: 1, a: 9 })).toEqual({
      failingDocumentId: 1,
      details: {
        operatorName: '$and',
        clausesNotSatisfied: [
          {
            index: 1,
            details: {
              operatorName: '$exists',
              specifiedAs: { b: { $exists: true } },
              reason: 'path does not exist',
            },
          },
        ],
      },
    });
  });
});
