/** `arrayFilters`: which elements `$[identifier]` stands for (manual, "Positional Operators"). */
import type { Document, Value } from '../../bson/value.ts';
import { compileFilter, type Filter, type FilterOptions } from '../filter.ts';
import { badValue, failedToParse } from './modifier.ts';

/** Tests array elements for the filter of one identifier. */
export type ElementTest = (element: Value) => boolean;

/** The first path part of each field a filter names, looking into $and, $or, $nor. */
function topLevelNames(filter: Document, names: Set<string>): void {
  for (const [name, value] of filter) {
    if (!name.startsWith('$')) {
      names.add(name.split('.', 1)[0] ?? '');
    } else if (Array.isArray(value)) {
      for (const clause of value) if (clause instanceof Map) topLevelNames(clause, names);
    }
  }
}

function identifierOf(filter: Document): string {
  const names = new Set<string>();
  topLevelNames(filter, names);
  const [first, second] = names;
  if (first === undefined) {
    throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters');
  }
  if (second !== undefined) {
    throw failedToParse(
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${first}' and '${second}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(first)) {
    throw badValue(
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${first}'`,
    );
  }
  return first;
}

function elementTest(identifier: string, filter: Filter): ElementTest {
  return (element) => filter.matches(new Map([[identifier, element]]));
}

/** The element test of each identifier. */
export function parseArrayFilters(
  filters: readonly Document[],
  options: FilterOptions,
): ReadonlyMap<string, ElementTest> {
  const tests = new Map<string, ElementTest>();
  for (const filter of filters) {
    const identifier = identifierOf(filter);
    if (tests.has(identifier)) {
      throw failedToParse(
        `Found multiple array filters with the same top-level field name ${identifier}`,
      );
    }
    tests.set(identifier, elementTest(identifier, compileFilter(filter, options)));
  }
  return tests;
}
