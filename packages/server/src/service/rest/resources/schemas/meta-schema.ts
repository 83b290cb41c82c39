/** The schema of schemas: draft-04, from its specification (draft-zyp-json-schema-04, appendix). */

import { documentOf } from '../../../../model/bson.ts';
import { compileSchema } from './compile-schema.ts';
import { toJsonObject } from './json-form.ts';

/** URL by which schemas may refer to it. */
export const META_SCHEMA_URL = 'http://json-schema.org/draft-04/schema';

const schemaArray = { type: 'array', minItems: 1, items: { $ref: '#' } };
const positiveInteger = { type: 'integer', minimum: 0 };
const schemaMembers = { type: 'object', additionalProperties: { $ref: '#' }, default: {} };
const stringArray = { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true };

/** `type` lists its array form first: so the reference orders the complaints about it (rest-resources.md §4.1). */
export const META_SCHEMA = toJsonObject(
  documentOf({
    id: 'http://json-schema.org/draft-04/schema#',
    $schema: 'http://json-schema.org/draft-04/schema#',
    definitions: {
      schemaArray,
      positiveInteger,
      simpleTypes: {
        enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'],
      },
    },
    type: 'object',
    properties: {
      id: { type: 'string' },
      $schema: { type: 'string' },
      title: { type: 'string' },
      description: { type: 'string' },
      default: {},
      multipleOf: { type: 'number', minimum: 0, exclusiveMinimum: true },
      maximum: { type: 'number' },
      exclusiveMaximum: { type: 'boolean' },
      minimum: { type: 'number' },
      exclusiveMinimum: { type: 'boolean' },
      maxLength: positiveInteger,
      minLength: positiveInteger,
      pattern: { type: 'string', format: 'regex' },
      additionalItems: { anyOf: [{ type: 'boolean' }, { $ref: '#' }], default: {} },
      items: { anyOf: [{ $ref: '#' }, schemaArray], default: {} },
      maxItems: positiveInteger,
      minItems: positiveInteger,
      uniqueItems: { type: 'boolean', default: false },
      maxProperties: positiveInteger,
      minProperties: positiveInteger,
      required: stringArray,
      additionalProperties: { anyOf: [{ type: 'boolean' }, { $ref: '#' }], default: {} },
      definitions: schemaMembers,
      properties: schemaMembers,
      patternProperties: schemaMembers,
      dependencies: {
        type: 'object',
        additionalProperties: { anyOf: [{ $ref: '#' }, stringArray] },
      },
      enum: { type: 'array', minItems: 1, uniqueItems: true },
      type: {
        anyOf: [
          {
            type: 'array',
            items: { $ref: '#/definitions/simpleTypes' },
            minItems: 1,
            uniqueItems: true,
          },
          { $ref: '#/definitions/simpleTypes' },
        ],
      },
      format: { type: 'string' },
      allOf: schemaArray,
      anyOf: schemaArray,
      oneOf: schemaArray,
      not: { $ref: '#' },
    },
    dependencies: {
      exclusiveMaximum: ['maximum'],
      exclusiveMinimum: ['minimum'],
    },
    default: {},
  }),
);

/** Inspects a schema. */
export const checkAgainstMetaSchema = compileSchema(META_SCHEMA, META_SCHEMA_URL, new Map());
