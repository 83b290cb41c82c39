/** `$var` and `$ifvar` in the pipelines of aggregations and change streams (rest-resources.md §6.2). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../../../model/bson.ts';

/** What may stand for a variable: nothing found is told from a null value. */
type Lookup = { readonly value: BsonValue } | undefined;

/**
 * The stages with optional stages decided and variables replaced.
 *
 * @throws ERR_REQUEST_AGGREGATION with 422 for malformed `$var` and `$ifvar`, `variable <n> not bound` with 400
 */
export function bindVariables(
  stages: readonly BsonDocument[],
  variables: BsonDocument,
): BsonDocument[] {
  const bound: BsonDocument[] = [];
  for (const stage of stages) {
    const chosen = chooseStage(stage, variables);
    if (chosen === undefined) continue;
    const replaced = replaceVariables(chosen, variables);
    if (!isDocument(replaced)) throw invalidAggregation();
    bound.push(replaced);
  }
  return bound;
}

/** The refusal of a definition that cannot be executed. */
export function invalidAggregation(): QuorateError {
  return new QuorateError('ERR_REQUEST_AGGREGATION', {
    status: 422,
    message: 'invalid aggregation',
  });
}

/** A variable without value and default; the aggregation and the stream service word it differently. */
export class VariableNotBoundError extends Error {
  override readonly name = 'VariableNotBoundError';

  constructor(variable: string) {
    super(`variable ${variable} not bound`);
  }
}

/** The stage itself, the branch of `$ifvar` that applies, or nothing. */
function chooseStage(stage: BsonDocument, variables: BsonDocument): BsonDocument | undefined {
  if (!stage.has('$ifvar')) return stage;
  const clause = stage.get('$ifvar');
  if (stage.size !== 1 || !Array.isArray(clause) || clause.length < 2 || clause.length > 3) {
    throw invalidAggregation();
  }
  const [condition, then, otherwise] = clause;
  const names = Array.isArray(condition) ? condition : [condition];
  if (!isDocument(then) || (clause.length === 3 && !isDocument(otherwise))) {
    throw invalidAggregation();
  }
  const isBound = names.map((name) => {
    if (typeof name !== 'string') throw invalidAggregation();
    return lookUp(name, variables) !== undefined;
  });
  if (isBound.every(Boolean)) return then;
  return isDocument(otherwise) ? otherwise : undefined;
}

function replaceVariables(value: BsonValue, variables: BsonDocument): BsonValue {
  if (Array.isArray(value)) return value.map((item) => replaceVariables(item, variables));
  if (!isDocument(value)) return value;
  if (value.size === 1 && value.has('$var')) return readVariable(value.get('$var'), variables);
  const result: BsonDocument = new Map();
  for (const [name, member] of value) result.set(name, replaceVariables(member, variables));
  return result;
}

function readVariable(reference: BsonValue | undefined, variables: BsonDocument): BsonValue {
  if (typeof reference === 'string') {
    const found = lookUp(reference, variables);
    if (found === undefined) throw new VariableNotBoundError(reference);
    return found.value;
  }
  if (!Array.isArray(reference) || reference.length !== 2) throw invalidAggregation();
  const [name, fallback] = reference;
  if (typeof name !== 'string') throw invalidAggregation();
  const found = lookUp(name, variables);
  return found === undefined ? replaceVariables(fallback ?? null, variables) : found.value;
}

/** The name as it is, else as a path: `a.b`, `a[0]`, `a['quoted.key']`. */
function lookUp(name: string, variables: BsonDocument): Lookup {
  const literal = variables.get(name);
  if (literal !== undefined) return { value: literal };
  if (!/[.[]/.test(name)) return undefined;
  const pieces = splitPath(name);
  if (pieces === undefined) return undefined;
  // predefined names such as `@mongoPermissions.readFilter` hold dots themselves
  for (let head = pieces.length - 1; head > 0; head -= 1) {
    const start = variables.get(pieces.slice(0, head).join('.'));
    if (start === undefined) continue;
    const found = descend(start, pieces.slice(head));
    if (found !== undefined) return { value: found };
  }
  return undefined;
}

function descend(start: BsonValue, pieces: readonly (string | number)[]): BsonValue | undefined {
  let current: BsonValue | undefined = start;
  for (const piece of pieces) {
    if (isDocument(current)) current = current.get(String(piece));
    else if (Array.isArray(current) && /^\d+$/.test(String(piece)))
      current = current[Number(piece)];
    else return undefined;
  }
  return current;
}

const PIECE = /\.?([^.[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]/y;

function splitPath(path: string): (string | number)[] | undefined {
  const pieces: (string | number)[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < path.length) {
    const match = PIECE.exec(path);
    if (match === null) return undefined;
    const [, name, index, single, double] = match;
    pieces.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index));
  }
  return pieces;
}
