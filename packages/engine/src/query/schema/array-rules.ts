/** Keywords of `$jsonSchema` about arrays. */
import { hashableKey } from '../../bson/compare.ts';
import type { Document, Value } from '../../bson/value.ts';
import {
  conditionRule,
  details,
  type ParseSchema,
  type SchemaRule,
  single,
  typeMismatch,
} from './rule.ts';
import { sizeArgument } from './scalar-rules.ts';

export function itemCountRule(keyword: 'minItems' | 'maxItems', argument: Value): SchemaRule {
  const size = sizeArgument(keyword, argument);
  return conditionRule(
    keyword,
    single(keyword, argument),
    'array did not match specified length',
    (value) =>
      !Array.isArray(value) ||
      (keyword === 'minItems' ? value.length >= size : value.length <= size),
  );
}

function firstDuplicate(values: readonly Value[]): Value | undefined {
  const seen = new Set<string>();
  for (const value of values) {
    const key = hashableKey(value);
    if (seen.has(key)) return value;
    seen.add(key);
  }
  return undefined;
}

export function uniqueItemsRule(argument: Value): SchemaRule {
  if (typeof argument !== 'boolean') {
    throw typeMismatch("$jsonSchema keyword 'uniqueItems' must be a boolean");
  }
  return {
    keyword: 'uniqueItems',
    test: (value) => !argument || !Array.isArray(value) || firstDuplicate(value) === undefined,
    explain: (value) =>
      details(
        'uniqueItems',
        ['specifiedAs', single('uniqueItems', argument)],
        ['reason', 'found a duplicate item'],
        ['consideredValue', value],
        ['duplicatedValue', (Array.isArray(value) ? firstDuplicate(value) : undefined) ?? null],
      ),
  };
}

export function itemsRule(argument: Value, parse: ParseSchema): SchemaRule {
  if (Array.isArray(argument)) return tupleRule(argument, parse);
  if (!(argument instanceof Map)) {
    throw typeMismatch("$jsonSchema keyword 'items' must be an array or an object");
  }
  const schema = parse(argument, 'items');
  return {
    keyword: 'items',
    test: (value) => !Array.isArray(value) || value.every((item) => schema.test(item)),
    explain(value) {
      const items = Array.isArray(value) ? value : [];
      const index = items.findIndex((item) => !schema.test(item));
      return details(
        'items',
        ['reason', 'At least one item did not match the sub-schema'],
        ['itemIndex', index],
        ['details', schema.explain(items[index] ?? null)],
      );
    },
  };
}

function tupleRule(argument: readonly Value[], parse: ParseSchema): SchemaRule {
  const schemas = argument.map((spec) => parse(spec, 'items'));
  const failing = (items: readonly Value[]) =>
    items.slice(0, schemas.length).flatMap((item, index) => {
      const schema = schemas[index];
      return schema === undefined || schema.test(item) ? [] : [{ index, item, schema }];
    });
  return {
    keyword: 'items',
    test: (value) => !Array.isArray(value) || failing(value).length === 0,
    explain: (value) =>
      details('items', [
        'details',
        failing(Array.isArray(value) ? value : []).map(
          ({ index, item, schema }): Value =>
            new Map<string, Value>([
              ['itemIndex', index],
              ...schema.annotations,
              ['details', schema.explain(item)],
            ]),
        ),
      ]),
  };
}

/** `additionalItems`, which speaks of the items behind a tuple of `items` only. */
export function additionalItemsRule(schema: Document, parse: ParseSchema): SchemaRule {
  const argument = schema.get('additionalItems') ?? null;
  const items = schema.get('items');
  const from = Array.isArray(items) ? items.length : Number.POSITIVE_INFINITY;
  const additional = (value: Value) => (Array.isArray(value) ? value.slice(from) : []);
  if (typeof argument === 'boolean') {
    return {
      keyword: 'additionalItems',
      test: (value) => argument || additional(value).length === 0,
      explain: (value) =>
        details(
          'additionalItems',
          ['specifiedAs', single('additionalItems', argument)],
          ['reason', 'found additional items'],
          ['additionalItems', additional(value)],
        ),
    };
  }
  if (!(argument instanceof Map)) {
    throw typeMismatch(
      "$jsonSchema keyword 'additionalItems' must be either an object or a boolean",
    );
  }
  const inner = parse(argument, 'additionalItems');
  return {
    keyword: 'additionalItems',
    test: (value) => additional(value).every((item) => inner.test(item)),
    explain(value) {
      const rest = additional(value);
      const index = rest.findIndex((item) => !inner.test(item));
      return details(
        'additionalItems',
        ['reason', 'At least one additional item did not match the sub-schema'],
        ['itemIndex', from + index],
        ['details', inner.explain(rest[index] ?? null)],
      );
    },
  };
}
