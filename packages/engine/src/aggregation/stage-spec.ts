/** A stage as it is written: a document of one field. */
import type { Document, Value } from '../bson/value.ts';
import type { MongoCommandError } from '../errors/mongo-command-error.ts';
import { locationError, typeMismatch } from './aggregation-error.ts';

export interface StageSpec {
  readonly name: string;
  readonly argument: Value;
}

export function readStage(spec: Value): StageSpec {
  if (!(spec instanceof Map)) {
    throw typeMismatch("Each element of the 'pipeline' array must be an object");
  }
  if (spec.size !== 1) {
    throw locationError(
      40323,
      'A pipeline stage specification object must contain exactly one field.',
    );
  }
  const [name, argument] = [...spec][0] as [string, Value];
  return { name, argument };
}

export function unknownStage(name: string): MongoCommandError {
  return locationError(40324, `Unrecognized pipeline stage name: '${name}'`);
}

/** The argument of a leading `$changeStream`, which is run by the caller, and the stages after it. */
export function splitChangeStream(
  specs: readonly Value[],
): { readonly spec: Document; readonly rest: readonly Value[] } | undefined {
  const [first, ...rest] = specs;
  if (!(first instanceof Map) || !first.has('$changeStream')) return undefined;
  const { argument } = readStage(first);
  if (!(argument instanceof Map)) {
    throw locationError(50808, '$changeStream stage expects a document as argument');
  }
  return { spec: argument, rest };
}
