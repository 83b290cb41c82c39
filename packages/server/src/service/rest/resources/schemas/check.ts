/** What the checks of all kinds of keywords share. */

import { isInt64 } from '../../../../model/bson.ts';
import { type JsonForm, type JsonObject, numberIn, typeNameOf } from './json-form.ts';
import { compilePattern } from './pattern.ts';
import { type Violation, violation } from './violation.ts';

/** Inspects one value. */
export type Check = (value: JsonForm) => Violation | undefined;

/** A schema that cannot be used: unknown types, unresolvable references, bad patterns. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** What compiling one schema needs of its surroundings. */
export interface SchemaScope {
  /** URL of the document that the schema stands in. */
  readonly baseUrl: string;
  compile(schema: JsonForm, baseUrl: string): Check;
}

/** The complaint about a value of another type. */
export function wrongType(expected: string, value: JsonForm): Violation {
  return violation(`expected type: ${expected}, found: ${typeNameOf(value)}`);
}

/** Compiles a pattern, with a complaint that names it. */
export function compilePatternOf(source: string): (text: string) => boolean {
  try {
    return compilePattern(source);
  } catch (cause) {
    throw new SchemaError(`invalid pattern ${source}`, { cause });
  }
}

/** A keyword whose value is a count; undefined when absent. */
export function limitOf(node: JsonObject, keyword: string): number | undefined {
  const value = node.get(keyword);
  if (value === undefined) return undefined;
  if (typeof value === 'number' || isInt64(value)) return numberIn(value);
  throw new SchemaError(`${keyword} must be an integer`);
}
