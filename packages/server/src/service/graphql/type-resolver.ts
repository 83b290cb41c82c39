/** `$typeResolver`: which object type a value of an interface or union has (graphql.md §5.6). */
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import { valueKey } from '../../model/raw-bson.ts';
import { parseJson } from '../../representation/json-reader.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { DefinitionError } from './definition-error.ts';
import { lookUpPath } from './value-path.ts';

/** The name of a value's type; undefined when no predicate holds. */
export type TypeResolver = (value: BsonValue) => string | undefined;

/** A predicate of the language that permissions are written in; parsed by who gives the parser. */
export type PredicateNode =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly child: PredicateNode }
  | { readonly kind: 'and' | 'or'; readonly children: readonly PredicateNode[] }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly positional: readonly PredicateArgument[];
      readonly named: ReadonlyMap<string, PredicateArgument>;
    };

type PredicateArgument = { readonly kind: string; readonly text?: string };

/** Throws when a text is no predicate. */
export type PredicateParser = (text: string) => PredicateNode;

type Test = (value: BsonValue) => boolean;

/**
 * The resolvers of all interfaces or all unions of a schema; checked in steps, each for all of them.
 *
 * @param types - the object types that each must tell apart
 * @throws DefinitionError
 */
export function readTypeResolvers(
  kind: 'interface' | 'union',
  types: ReadonlyMap<string, ReadonlySet<string>>,
  mappings: BsonDocument,
  parsePredicate: PredicateParser,
): Map<string, TypeResolver> {
  const steps = [...types.keys()].map((name) => {
    const mapping = mappings.get(name);
    if (!isDocument(mapping)) throw new DefinitionError(`Missing mappings for ${kind} ${name}`);
    return { name, resolver: mapping.get('$typeResolver') };
  });
  for (const { name, resolver } of steps) {
    if (resolver === undefined) {
      throw new DefinitionError(`Missing $typeResolver for ${kind} ${name}`);
    }
  }
  const documents = steps.map(({ name, resolver }) => {
    if (isDocument(resolver)) return { name, resolver };
    throw new DefinitionError(
      `Wrong mappings for ${kind} ${name}: the $typeResolver is not an Object`,
    );
  });
  const tests = documents.map(({ name, resolver }) => ({
    name,
    tests: [...resolver].map(([type, text]) => ({ type, test: readTest(text, parsePredicate) })),
  }));
  for (const { name, tests: entries } of tests) {
    const named = new Set(entries.map(({ type }) => type));
    if ([...(types.get(name) ?? [])].every((type) => named.has(type))) continue;
    throw new DefinitionError(
      `$typeResolver for ${kind} ${name} does not map all ${kind === 'union' ? 'union members' : 'objects implementing it'}`,
    );
  }
  return new Map(
    tests.map(({ name, tests: entries }) => [
      name,
      (value: BsonValue) => entries.find(({ test }) => test(value))?.type,
    ]),
  );
}

function readTest(text: BsonValue, parsePredicate: PredicateParser): Test {
  if (typeof text !== 'string') {
    throw new DefinitionError(`$typeResolver predicate is not a String: ${writeJson(text)}`);
  }
  try {
    return toTest(parsePredicate(text));
  } catch {
    throw new DefinitionError(`error parsing $typeResolver predicate: ${text}`);
  }
}

function toTest(node: PredicateNode): Test {
  switch (node.kind) {
    case 'constant':
      return () => node.value;
    case 'not': {
      const test = toTest(node.child);
      return (value) => !test(value);
    }
    case 'and': {
      const tests = node.children.map(toTest);
      return (value) => tests.every((test) => test(value));
    }
    case 'or': {
      const tests = node.children.map(toTest);
      return (value) => tests.some((test) => test(value));
    }
    case 'call':
      return toCall(node);
  }
}

function toCall(call: Extract<PredicateNode, { kind: 'call' }>): Test {
  const { name, positional, named } = call;
  const argument = (key: string, position: number): string => {
    const text = (named.get(key) ?? positional[position])?.text;
    if (text === undefined) throw new Error(`${name} lacks the argument ${key}`);
    return text;
  };
  switch (name) {
    case 'field-exists': {
      const given = positional.length > 0 ? positional : [...named.values()];
      const paths = given.map(({ text }) => text ?? '');
      if (paths.length === 0 || paths.includes('')) throw new Error('field-exists lacks a path');
      return (value) => paths.every((path) => hasPath(value, path));
    }
    case 'field-eq': {
      const path = argument('field', 0);
      const wanted = valueKey(parseJson(argument('value', 1)));
      return (value) => {
        const found = lookUpPath(value, path);
        return found !== undefined && valueKey(found) === wanted;
      };
    }
    case 'value-eq': {
      const wanted = valueKey(parseJson(argument('value', 0)));
      return (value) => valueKey(value) === wanted;
    }
    default:
      throw new Error(`there is no predicate ${name}`);
  }
}

function hasPath(value: BsonValue, path: string): boolean {
  return lookUpPath(value, path) !== undefined;
}
