import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { readQuery } from './validate-query.ts';

const schema = buildSchema(
  'type Item { next: Item name: String } type Query { item: Item a: Int }',
);
const nested = (depth: number) =>
  `{ item ${'{ next '.repeat(depth)} { name } ${'}'.repeat(depth)} }`;

describe('readQuery', () => {
  it('names the rule and the fields of an error', () => {
    expect(readQuery(schema, '{ item { next { nope } } }', 0)).toMatchObject({
      kind: 'invalid',
      errors: [
        {
          message: expect.stringMatching(
            /^Validation error \(FieldUndefined@\[item\/next\/nope\]\)/,
          ),
        },
      ],
    });
  });

  it('refuses what is nested deeper than the stack bears, and lives', () => {
    for (const depth of [1000, 3000, 4900]) {
      const outcome = readQuery(schema, nested(depth), 0);
      expect(['valid', 'syntax']).toContain(outcome.kind);
    }
  });

  it('refuses a query of too many tokens', () => {
    expect(readQuery(schema, `{ ${'a '.repeat(20_000)} }`, 0).kind).toBe('syntax');
  });

  it('measures depth through fragments', () => {
    const query = 'query { item { ...F } } fragment F on Item { next { ... on Item { name } } }';
    expect(readQuery(schema, query, 3).kind).toBe('valid');
    expect(readQuery(schema, query, 2).kind).toBe('invalid');
  });

  it('lists the fields of the first operation that have fields themselves', () => {
    expect(readQuery(schema, '{ a item { name } x: item { name } }', 0)).toMatchObject({
      rootFields: 'item,item',
    });
  });
});
