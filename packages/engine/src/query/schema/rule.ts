/** What the keywords of `$jsonSchema` have in common. */
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';

/** One keyword of a schema, compiled. */
export interface SchemaRule {
  readonly keyword: string;
  /** True for values the keyword does not speak of. */
  test(value: Value): boolean;
  /** Why `value`, which fails, fails: one entry of `schemaRulesNotSatisfied`. */
  explain(value: Value): Document;
}

export interface Schema {
  /** `title` and `description`, which the details of a failure repeat. */
  readonly annotations: Document;
  readonly rules: readonly SchemaRule[];
  test(value: Value): boolean;
  /** The entries of all rules that fail. */
  explain(value: Value): Value[];
}

/** Parses a subschema; handed to keywords that contain schemas. */
export type ParseSchema = (spec: Value, keyword: string) => Schema;

export function failedToParse(message: string): MongoCommandError {
  return new MongoCommandError('FailedToParse', message);
}

export function typeMismatch(message: string): MongoCommandError {
  return new MongoCommandError('TypeMismatch', message);
}

/** A rule about a plain condition, explained by a reason and the value considered. */
export function conditionRule(
  keyword: string,
  specifiedAs: Document,
  reason: string,
  test: (value: Value) => boolean,
): SchemaRule {
  return {
    keyword,
    test,
    explain: (value) =>
      new Map<string, Value>([
        ['operatorName', keyword],
        ['specifiedAs', specifiedAs],
        ['reason', reason],
        ['consideredValue', value],
      ]),
  };
}

/** `{ name: value }`. */
export function single(name: string, value: Value): Document {
  return new Map([[name, value]]);
}

/** A details document beginning with the operator's name. */
export function details(operatorName: string, ...fields: readonly [string, Value][]): Document {
  return new Map<string, Value>([['operatorName', operatorName], ...fields]);
}
