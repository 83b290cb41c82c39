/** `$arg`, `$fk` and `$ifarg` in queries and pipelines (graphql.md §5.3, §5.4). */
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import { lookUpPath } from './value-path.ts';

/** What operators can refer to. */
export interface Bindings {
  /** The field's arguments. */
  readonly args: BsonDocument;
  /** The parent document. */
  readonly parent: BsonValue | undefined;
  /** The top-level document above the field; undefined on fields of `Query`. */
  readonly rootDocument: BsonValue | undefined;
  /** The account's properties, null without an account; undefined where `@user` is not known. */
  readonly user: BsonDocument | null | undefined;
}

/** A mapping that cannot be filled in for this field; its message becomes the field's error. */
export class InterpolationError extends Error {
  override readonly name = 'InterpolationError';
}

/**
 * The value with its operators replaced, arguments first; what is put in is not looked into again.
 *
 * @throws InterpolationError
 */
export function interpolate(value: BsonValue, bindings: Bindings): BsonValue {
  if (Array.isArray(value)) return value.map((item) => interpolate(item, bindings));
  if (!isDocument(value)) return value;
  if (value.size === 1) {
    const reference = value.get('$arg');
    if (reference !== undefined) return readArgument(reference, bindings);
    const path = value.get('$fk');
    if (path !== undefined) return readForeignKey(path, bindings);
  }
  const result: BsonDocument = new Map();
  for (const [name, member] of value) result.set(name, interpolate(member, bindings));
  return result;
}

/**
 * The pipeline with its optional stages decided and its operators replaced.
 *
 * @throws InterpolationError
 */
export function interpolateStages(
  stages: readonly BsonValue[],
  bindings: Bindings,
): BsonDocument[] {
  const chosen = stages.map((stage) => chooseStage(stage, bindings));
  return chosen
    .filter((stage) => stage !== undefined)
    .map((stage) => {
      const filled = interpolate(stage, bindings);
      if (!isDocument(filled)) throw new InterpolationError('a stage must be an object');
      return filled;
    });
}

function chooseStage(stage: BsonValue, bindings: Bindings): BsonValue | undefined {
  if (!isDocument(stage)) throw new InterpolationError('a stage must be an object');
  const clause = stage.get('$ifarg');
  if (clause === undefined) return stage;
  if (stage.size !== 1 || !Array.isArray(clause) || clause.length < 2 || clause.length > 3) {
    throw malformedCondition();
  }
  const [condition, then, otherwise] = clause;
  const names = Array.isArray(condition) ? condition : [condition];
  const isBound = names.map((name) => {
    if (typeof name !== 'string') throw malformedCondition();
    return lookUpArgument(name, bindings) !== undefined;
  });
  return isBound.every(Boolean) ? then : otherwise;
}

function malformedCondition(): InterpolationError {
  return new InterpolationError(
    '$ifarg must be an array of [condition, stage] or [condition, stage, else stage]',
  );
}

function readArgument(reference: BsonValue, bindings: Bindings): BsonValue {
  if (typeof reference === 'string') {
    const value = lookUpArgument(reference, bindings);
    if (value === undefined) throw new InterpolationError(`variable ${reference} not bound`);
    return value;
  }
  const [name, fallback] = Array.isArray(reference) && reference.length === 2 ? reference : [];
  if (typeof name !== 'string') {
    throw new InterpolationError('$arg must be a name or an array of [name, default]');
  }
  const value = lookUpArgument(name, bindings);
  // null counts as given
  return value === undefined ? interpolate(fallback ?? null, bindings) : value;
}

function lookUpArgument(name: string, bindings: Bindings): BsonValue | undefined {
  const { args, rootDocument, user } = bindings;
  const literal = args.get(name);
  if (literal !== undefined) return literal;
  const [head = '', ...rest] = name.split('.');
  const path = rest.join('.');
  if (head === 'rootDoc' && rootDocument !== undefined) {
    return path === '' ? rootDocument : lookUpPath(rootDocument, path);
  }
  if (head === '@user' && user !== undefined) {
    return path === '' ? user : lookUpPath(user ?? undefined, path);
  }
  return path === '' ? undefined : lookUpPath(args.get(head), path);
}

function readForeignKey(path: BsonValue, { parent }: Bindings): BsonValue {
  if (typeof path !== 'string') throw new InterpolationError('$fk must be the path of a field');
  return lookUpPath(parent, path) ?? null;
}
