/** Keywords of `$jsonSchema` about objects. */

import { typeName } from '../../bson/types.ts';
import type { Document, Value } from '../../bson/value.ts';
import { compileRegex } from '../regex.ts';
import {
  details,
  failedToParse,
  type ParseSchema,
  type Schema,
  type SchemaRule,
  single,
  typeMismatch,
} from './rule.ts';
import { sizeArgument } from './scalar-rules.ts';

function objectArgument(keyword: string, argument: Value): Document {
  if (!(argument instanceof Map)) {
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an object`);
  }
  return argument;
}

/** An array of different strings, not empty. */
function namesArgument(keyword: string, argument: Value): readonly string[] {
  if (!Array.isArray(argument)) {
    throw typeMismatch(
      `$jsonSchema keyword '${keyword}' must be an array, but found an element of type ${typeName(argument)}`,
    );
  }
  if (argument.length === 0) {
    throw failedToParse(`$jsonSchema keyword '${keyword}' cannot be an empty array`);
  }
  const names = new Set<string>();
  for (const name of argument) {
    if (typeof name !== 'string') {
      throw typeMismatch(
        `$jsonSchema keyword '${keyword}' must be an array of strings, but found an element of type: '${typeName(name)}'`,
      );
    }
    if (names.has(name)) {
      throw failedToParse(`$jsonSchema keyword '${keyword}' array cannot contain duplicate values`);
    }
    names.add(name);
  }
  return [...names];
}

export function requiredRule(argument: Value): SchemaRule {
  const names = namesArgument('required', argument);
  return {
    keyword: 'required',
    test: (value) => !(value instanceof Map) || names.every((name) => value.has(name)),
    explain: (value) =>
      details(
        'required',
        ['specifiedAs', single('required', argument)],
        [
          'missingProperties',
          names.filter((name) => value instanceof Map && !value.has(name)).sort(),
        ],
      ),
  };
}

export function propertiesRule(argument: Value, parse: ParseSchema): SchemaRule {
  const schemas = [...objectArgument('properties', argument)].map(
    ([name, spec]) => [name, parse(spec, 'properties')] as const,
  );
  return {
    keyword: 'properties',
    test(value) {
      if (!(value instanceof Map)) return true;
      for (const [name, schema] of schemas) {
        const member = value.get(name);
        if (member !== undefined && !schema.test(member)) return false;
      }
      return true;
    },
    explain(value) {
      const failing: Value[] = [];
      for (const [name, schema] of schemas) {
        const member = value instanceof Map ? value.get(name) : undefined;
        if (member === undefined || schema.test(member)) continue;
        failing.push(
          new Map<string, Value>([
            ['propertyName', name],
            ...schema.annotations,
            ['details', schema.explain(member)],
          ]),
        );
      }
      return details('properties', ['propertiesNotSatisfied', failing]);
    },
  };
}

interface PatternSchema {
  readonly pattern: string;
  readonly schema: Schema;
  test(name: string): boolean;
}

function parsePatterns(argument: Value, parse: ParseSchema): readonly PatternSchema[] {
  return [...objectArgument('patternProperties', argument)].map(([pattern, spec]) => {
    const regex = compileRegex(pattern, '');
    return { pattern, schema: parse(spec, 'patternProperties'), test: (name) => regex.test(name) };
  });
}

export function patternPropertiesRule(argument: Value, parse: ParseSchema): SchemaRule {
  const patterns = parsePatterns(argument, parse);
  return {
    keyword: 'patternProperties',
    test(value) {
      if (!(value instanceof Map)) return true;
      for (const [name, member] of value) {
        for (const { test, schema } of patterns) {
          if (test(name) && !schema.test(member)) return false;
        }
      }
      return true;
    },
    explain(value) {
      const failing: Value[] = [];
      for (const [name, member] of value instanceof Map ? value : []) {
        for (const { test, schema, pattern } of patterns) {
          if (!test(name) || schema.test(member)) continue;
          failing.push(
            new Map<string, Value>([
              ['propertyName', name],
              ...schema.annotations,
              ['regexMatched', pattern],
              ['details', schema.explain(member)],
            ]),
          );
        }
      }
      return details('patternProperties', ['details', failing]);
    },
  };
}

/** `additionalProperties`, which looks at what `properties` and `patternProperties` leave. */
export function additionalPropertiesRule(schema: Document, parse: ParseSchema): SchemaRule {
  const argument = schema.get('additionalProperties') ?? null;
  const named = schema.get('properties');
  const names = new Set(named instanceof Map ? named.keys() : []);
  const patterns = parsePatterns(schema.get('patternProperties') ?? new Map(), parse);
  const isAdditional = (name: string) =>
    !names.has(name) && !patterns.some((pattern) => pattern.test(name));
  const additional = (value: Value): (readonly [string, Value])[] =>
    value instanceof Map ? [...value].filter(([name]) => isAdditional(name)) : [];
  if (typeof argument === 'boolean') {
    return {
      keyword: 'additionalProperties',
      test: (value) => argument || additional(value).length === 0,
      explain: (value) =>
        details(
          'additionalProperties',
          ['specifiedAs', single('additionalProperties', argument)],
          ['additionalProperties', additional(value).map(([name]) => name)],
        ),
    };
  }
  if (!(argument instanceof Map)) {
    throw typeMismatch("$jsonSchema keyword 'additionalProperties' must be an object or a boolean");
  }
  const inner = parse(argument, 'additionalProperties');
  return {
    keyword: 'additionalProperties',
    test: (value) => additional(value).every(([, member]) => inner.test(member)),
    explain(value) {
      const [name, member] = additional(value).find(([, item]) => !inner.test(item)) ?? ['', null];
      return details(
        'additionalProperties',
        ['reason', 'at least one additional property did not match the subschema'],
        ['failingProperty', name],
        ['details', inner.explain(member)],
      );
    },
  };
}

export function propertyCountRule(
  keyword: 'minProperties' | 'maxProperties',
  argument: Value,
): SchemaRule {
  const size = sizeArgument(keyword, argument);
  return {
    keyword,
    test: (value) =>
      !(value instanceof Map) ||
      (keyword === 'minProperties' ? value.size >= size : value.size <= size),
    explain: (value) =>
      details(
        keyword,
        ['specifiedAs', single(keyword, argument)],
        ['reason', 'specified number of properties was not satisfied'],
        ['numberOfProperties', value instanceof Map ? value.size : 0],
      ),
  };
}

interface Dependency {
  readonly name: string;
  readonly names: readonly string[] | undefined;
  readonly schema: Schema | undefined;
}

function holds(dependency: Dependency, value: Document): boolean {
  if (!value.has(dependency.name)) return true;
  return (
    (dependency.names ?? []).every((name) => value.has(name)) &&
    (dependency.schema?.test(value) ?? true)
  );
}

export function dependenciesRule(argument: Value, parse: ParseSchema): SchemaRule {
  const dependencies = [...objectArgument('dependencies', argument)].map(
    ([name, spec]): Dependency => {
      if (Array.isArray(spec)) {
        return { name, names: namesArgument('dependencies', spec), schema: undefined };
      }
      return { name, names: undefined, schema: parse(spec, 'dependencies') };
    },
  );
  return {
    keyword: 'dependencies',
    test: (value) =>
      !(value instanceof Map) || dependencies.every((dependency) => holds(dependency, value)),
    explain(value) {
      if (!(value instanceof Map)) return details('dependencies');
      const failing = dependencies
        .filter((dependency) => !holds(dependency, value))
        .map((dependency): Value => {
          const entry: Document = single('conditionalProperty', dependency.name);
          if (dependency.schema === undefined) {
            const missing = (dependency.names ?? []).filter((name) => !value.has(name));
            entry.set('missingProperties', missing);
          } else {
            entry.set('details', dependency.schema.explain(value));
          }
          return entry;
        });
      return details('dependencies', ['failingDependencies', failing]);
    },
  };
}
