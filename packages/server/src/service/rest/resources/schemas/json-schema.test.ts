import { describe, expect, it } from 'vitest';
import { documentOf, ObjectId } from '../../../../model/bson.ts';
import { parseJson } from '../../../../representation/json-reader.ts';
import { compileSchema } from './compile-schema.ts';
import { type JsonObject, toJsonForm } from './json-form.ts';
import { checkAgainstMetaSchema } from './meta-schema.ts';
import { listViolations } from './violation.ts';

const URL = 'http://schema-store/db/s';

function check(schema: string, value: string): string[] {
  const compiled = compileSchema(toJsonForm(parseJson(schema)) as JsonObject, URL, new Map());
  const failure = compiled(toJsonForm(parseJson(value)));
  return failure === undefined ? [] : listViolations(failure);
}

describe('draft-04 validation', () => {
  it.each([
    ['{properties:{n:{type:"number"}}}', '{n:"x"}', ['#/n: expected type: Number, found: String']],
    [
      '{properties:{n:{type:"integer"}}}',
      '{n:1.5}',
      ['#/n: expected type: Integer, found: BigDecimal'],
    ],
    [
      '{required:["n","s"]}',
      '{}',
      [
        '#: 2 schema violations found',
        '#: required key [n] not found',
        '#: required key [s] not found',
      ],
    ],
    ['{required:["n"]}', '{}', ['#: required key [n] not found']],
    [
      '{properties:{a:{}},additionalProperties:false}',
      '{b:1}',
      ['#: extraneous key [b] is not permitted'],
    ],
    [
      '{additionalProperties:{type:"string"}}',
      '{b:1}',
      ['#/b: expected type: String, found: Integer'],
    ],
    [
      '{patternProperties:{"^x":{type:"string"}}}',
      '{xa:1}',
      ['#/xa: expected type: String, found: Integer'],
    ],
    [
      '{properties:{s:{type:"string",minLength:3}}}',
      '{s:"ab"}',
      ['#/s: expected minLength: 3, actual: 2'],
    ],
    ['{properties:{s:{maxLength:1}}}', '{s:"ab"}', ['#/s: expected maxLength: 1, actual: 2']],
    [
      '{properties:{s:{pattern:"^a+$"}}}',
      '{s:"b"}',
      ['#/s: string [b] does not match pattern ^a+$'],
    ],
    ['{properties:{n:{minimum:5}}}', '{n:1}', ['#/n: 1 is not greater or equal to 5']],
    ['{properties:{n:{maximum:5,exclusiveMaximum:true}}}', '{n:5}', ['#/n: 5 is not less than 5']],
    ['{properties:{n:{multipleOf:0.1}}}', '{n:0.3}', []],
    ['{properties:{n:{multipleOf:2}}}', '{n:3}', ['#/n: 3 is not a multiple of 2']],
    ['{properties:{s:{enum:["a"]}}}', '{s:"b"}', ['#/s: b is not a valid enum value']],
    [
      '{properties:{s:{type:"string",enum:["a"]}}}',
      '{s:"b"}',
      ['#/s: only 1 subschema matches out of 2', '#/s: b is not a valid enum value'],
    ],
    [
      '{properties:{s:{type:["string","null"]}}}',
      '{s:1}',
      [
        '#/s: no subschema matched out of the total 2 subschemas',
        '#/s: expected type: String, found: Integer',
        '#/s: expected: null, found: Integer',
      ],
    ],
    [
      '{oneOf:[{type:"object"},{required:["a"]}]}',
      '{a:1}',
      ['#: 2 subschemas matched instead of one'],
    ],
    [
      '{not:{type:"object"}}',
      '{}',
      ['#: subject must not be valid against schema {"type":"object"}'],
    ],
    [
      '{properties:{l:{items:{type:"string"}}}}',
      '{l:["a",1]}',
      ['#/l/1: expected type: String, found: Integer'],
    ],
    ['{properties:{l:{uniqueItems:true}}}', '{l:[1,1.0]}', ['#/l: array items are not unique']],
    ['{properties:{l:{minItems:2}}}', '{l:[1]}', ['#/l: expected minimum item count: 2, found: 1']],
    [
      '{properties:{l:{items:[{}],additionalItems:false}}}',
      '{l:[1,2]}',
      ['#/l: expected: [1] array items, found: [2]'],
    ],
    ['{dependencies:{a:["b"]}}', '{a:1}', ['#: property [b] is required']],
    ['{minProperties:2}', '{a:1}', ['#: minimum size: [2], found: [1]']],
    [
      '{definitions:{p:{type:"string"}},properties:{a:{$ref:"#/definitions/p"}}}',
      '{a:1}',
      ['#/a: expected type: String, found: Integer'],
    ],
    [
      '{properties:{c:{$ref:"#"}},required:["v"]}',
      '{v:1,c:{c:{v:1}}}',
      ['#/c: required key [v] not found'],
    ],
    [
      '{properties:{e:{format:"email"}}}',
      '{e:"nope"}',
      ['#/e: [nope] is not a valid email address'],
    ],
    ['{properties:{e:{format:"email"}}}', '{e:"a.b@example.org"}', []],
    [
      '{properties:{e:{format:"ipv4"}}}',
      '{e:"1.2.3"}',
      ['#/e: [1.2.3] is not a valid ipv4 address'],
    ],
    [
      '{properties:{e:{format:"date-time"}}}',
      '{e:"2020-02-30T00:00:00Z"}',
      [expect.stringContaining('#/e: [2020-02-30T00:00:00Z] is not a valid date-time. Expected [')],
    ],
    [
      '{properties:{"a/b":{type:"string"}}}',
      '{"a/b":1}',
      ['#/a~1b: expected type: String, found: Integer'],
    ],
    ['{if:{type:"object"},then:{required:["x"]},const:3}', '{}', []],
  ])('%s on %s gives %j', (schema, value, expected) => {
    expect(check(schema, value)).toEqual(expected);
  });

  it('sees ObjectIds as objects with $oid', () => {
    const schema = toJsonForm(
      parseJson('{properties:{o:{type:"object",required:["$oid"]}}}'),
    ) as JsonObject;
    const value = toJsonForm(documentOf({ o: new ObjectId() }));
    expect(compileSchema(schema, URL, new Map())(value)).toBeUndefined();
  });

  it('runs dangerous patterns in linear time', () => {
    expect(
      check('{properties:{s:{pattern:"^(a+)+$"}}}', `{s:"${'a'.repeat(5000)}!"}`),
    ).toHaveLength(1);
  });

  it('gives up on a schema that refers to itself without descending', () => {
    expect(() => check('{$ref:"#"}', '{}')).toThrow('without end');
  });
});

describe('the meta-schema', () => {
  it('complains about unknown types as the reference does', () => {
    const failure = checkAgainstMetaSchema(toJsonForm(parseJson('{type:"foo"}')));
    expect(failure && listViolations(failure)).toEqual([
      '#/type: no subschema matched out of the total 2 subschemas',
      '#/type: expected type: JSONArray, found: String',
      '#/type: foo is not a valid enum value',
    ]);
  });

  it.each([
    '{}',
    '{type:"object",properties:{a:{type:["string","null"]}},required:["a"]}',
    '{items:[{},{}]}',
  ])('accepts %s', (schema) => {
    expect(checkAgainstMetaSchema(toJsonForm(parseJson(schema)))).toBeUndefined();
  });
});
