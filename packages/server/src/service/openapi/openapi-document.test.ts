import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { createOpenApiDocument } from './openapi-document.ts';
import type { DescribedCollection } from './openapi-parts.ts';
import { toOpenApiSchema } from './openapi-schema.ts';

const collection: DescribedCollection = {
  database: 'db',
  name: 'people',
  path: '/db/people',
  kind: 'collection',
  schema: {
    definitions: { p: { type: 'integer' } },
    properties: { n: { $ref: '#/definitions/p' } },
  },
  aggregations: ['by age', 'x'],
  streams: ['all'],
};

describe('the OpenAPI description', () => {
  it('is valid OpenAPI 3.1', async () => {
    const document = createOpenApiDocument({
      version: '1.0.0',
      serverUrl: '/',
      collections: [
        collection,
        { ...collection, name: 'p.files', path: '/db/p.files', kind: 'bucket' },
      ],
    });
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document) as Record<string, unknown>)).toEqual({
      valid: true,
    });
    expect(validator.version).toBe('3.1');
  });

  it('gives collections of like names different components', () => {
    const collections = [
      { ...collection, name: 'a b', path: '/db/a%20b' },
      { ...collection, name: 'a_b', path: '/db/a_b' },
    ];
    const { components } = createOpenApiDocument({ version: '1', serverUrl: '/', collections }) as {
      components: { schemas: object };
    };
    expect(Object.keys(components.schemas)).toEqual(['Error', 'db_a_b', 'db_a_b_2']);
  });

  it.each([
    [{ minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    [
      { items: [{}], additionalItems: false },
      { prefixItems: [{}], items: false },
    ],
    [
      { dependencies: { a: ['b'], c: { type: 'object' } } },
      { dependentRequired: { a: ['b'] }, dependentSchemas: { c: { type: 'object' } } },
    ],
    [
      { properties: { id: { type: 'string' } }, id: 'http://x', $schema: 'y' },
      { properties: { id: { type: 'string' } } },
    ],
    [{ $ref: '#/definitions/x' }, { $ref: '#/components/schemas/c/$defs/x' }],
    [{ $ref: 'http://schema-store/db/other#' }, {}],
  ])('turns draft-04 %j into %j', (schema, expected) => {
    expect(toOpenApiSchema(schema, 'c')).toEqual(expected);
  });
});
