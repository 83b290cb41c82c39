/** Updates: operators, replacements and pipelines (manual, "Update Operators"). */
import type { Collator } from '../bson/compare.ts';
import { valuesIdentical } from '../bson/compare.ts';
import { typeName } from '../bson/types.ts';
import { type DateTime, type Document, Timestamp, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument, describeValue } from './describe.ts';
import { type CompileExpression, type Positions, positionOf } from './filter.ts';
import { type ApplyContext, applyToDocument, type UpdateChanges } from './update/apply-tree.ts';
import { bit, extreme, increment, multiply } from './update/arithmetic.ts';
import { type ElementTest, parseArrayFilters } from './update/array-filters.ts';
import { currentDate, rename, set, UNSET } from './update/fields.ts';
import { failedToParse, type Modifier, type ModifierOptions } from './update/modifier.ts';
import { buildPathTree, checkUpdatePath, type PathModifier } from './update/path-tree.ts';
import { pop, pull, pullAll } from './update/pull.ts';
import { addToSet, push } from './update/push.ts';

export { findAmbiguousPaths } from './update/ambiguous-paths.ts';
export { noChanges, type UpdateChanges } from './update/apply-tree.ts';
export { diffDocuments } from './update/diff.ts';

/** Compiles an update pipeline; given by `aggregation/`. */
export type CompileUpdatePipeline = (
  stages: readonly Value[],
  variables?: ReadonlyMap<string, Value>,
) => (document: Document) => Document;

export interface UpdateOptions {
  readonly arrayFilters?: readonly Document[] | undefined;
  readonly collation?: Collator | undefined;
  readonly variables?: ReadonlyMap<string, Value> | undefined;
  readonly compileExpression?: CompileExpression | undefined;
  readonly compilePipeline?: CompileUpdatePipeline | undefined;
}

export interface UpdateContext {
  /** From the filter, for the positional `$`. */
  readonly positions?: Positions | undefined;
  /** True while an upsert makes its document: `$setOnInsert` applies, `_id` may be set. */
  readonly isInsert?: boolean | undefined;
  readonly now: DateTime;
  readonly timestamp: Timestamp;
  /**
   * Filled in with what operators changed; of replacements and pipelines nothing is reported (use
   * `diffDocuments`).
   */
  readonly changes?: UpdateChanges | undefined;
}

export interface Update {
  readonly kind: 'operators' | 'replacement' | 'pipeline';
  readonly isReplacement: boolean;
  /** The updated document; the input is left alone and given back when nothing changed. */
  apply(document: Document, context: UpdateContext): Document;
}

/** MongoDB's limit of a stored document. */
export const MAX_DOCUMENT_SIZE: number = 16 * 1024 * 1024;

/** Refuses an updated document that has become too large. */
export function checkUpdatedSize(byteLength: number): void {
  if (byteLength > MAX_DOCUMENT_SIZE) {
    throw new MongoCommandError(
      'Location17419',
      `Resulting document after update is larger than ${MAX_DOCUMENT_SIZE}`,
    );
  }
}

// ---------------------------------------------------------------- parsing

function parseModifier(
  operator: string,
  path: string,
  argument: Value,
  options: ModifierOptions,
): Modifier {
  switch (operator) {
    case '$set':
    case '$setOnInsert':
      return set(operator, argument);
    case '$unset':
      return UNSET;
    case '$inc':
      return increment(path, argument);
    case '$mul':
      return multiply(path, argument);
    case '$min':
    case '$max':
      return extreme(operator, argument, options);
    case '$currentDate':
      return currentDate(argument);
    case '$bit':
      return bit(argument);
    case '$push':
      return push(argument, options);
    case '$addToSet':
      return addToSet(argument, options);
    case '$pop':
      return pop(path, argument);
    case '$pull':
      return pull(argument, options);
    case '$pullAll':
      return pullAll(argument, options);
    default:
      throw failedToParse(
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
  }
}

function parseOperators(
  update: Document,
  options: UpdateOptions,
  tests: ReadonlyMap<string, ElementTest>,
): readonly PathModifier[] {
  const modifierOptions: ModifierOptions = {
    collation: options.collation,
    compileExpression: options.compileExpression,
  };
  const modifiers: PathModifier[] = [];
  for (const [operator, fields] of update) {
    if (!(fields instanceof Map)) {
      // An unknown name is the better complaint.
      if (!operator.startsWith('$')) parseModifier(operator, '', null, modifierOptions);
      throw failedToParse(
        `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${describeValue(fields)}}`,
      );
    }
    if (fields.size === 0) {
      if (!OPERATORS.has(operator)) parseModifier(operator, '', null, modifierOptions);
      continue;
    }
    for (const [path, argument] of fields) {
      checkUpdatePath(path, tests);
      if (operator === '$rename') {
        const { target, atSource, atTarget } = rename(path, argument);
        checkUpdatePath(target, tests);
        modifiers.push({ path, modifier: atSource }, { path: target, modifier: atTarget });
      } else {
        modifiers.push({
          path,
          modifier: parseModifier(operator, path, argument, modifierOptions),
        });
      }
    }
  }
  return modifiers;
}

const OPERATORS: ReadonlySet<string> = new Set([
  '$set',
  '$setOnInsert',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$rename',
  '$currentDate',
  '$bit',
  '$push',
  '$addToSet',
  '$pop',
  '$pull',
  '$pullAll',
]);

function checkFiltersUsed(
  tests: ReadonlyMap<string, ElementTest>,
  modifiers: readonly PathModifier[],
  update: Document,
): void {
  for (const identifier of tests.keys()) {
    const used = modifiers.some(({ path }) => path.split('.').includes(`$[${identifier}]`));
    if (!used) {
      throw failedToParse(
        `The array filter for identifier '${identifier}' was not used in the update ${describeDocument(update)}`,
      );
    }
  }
}

// ---------------------------------------------------------------- the immutable _id

function checkId(before: Document, after: Document, isInsert: boolean): void {
  const id = before.get('_id');
  const newId = after.get('_id');
  if (id === newId || (isInsert && id === undefined)) return;
  if (!valuesIdentical(id, newId)) {
    throw new MongoCommandError(
      'ImmutableField',
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    );
  }
}

/** The document with `_id` first, as it is stored. */
export function withIdFirst(document: Document): Document {
  const id = document.get('_id');
  const [first] = document.keys();
  if (id === undefined || first === '_id') return document;
  return new Map([['_id', id], ...document]);
}

// ---------------------------------------------------------------- the three kinds

function compileOperators(update: Document, options: UpdateOptions): Update {
  const tests = parseArrayFilters(options.arrayFilters ?? [], {
    collation: options.collation,
    variables: options.variables,
    compileExpression: options.compileExpression,
  });
  const modifiers = parseOperators(update, options, tests);
  checkFiltersUsed(tests, modifiers, update);
  // Conflicts are refused even where an operator would not apply ($setOnInsert on an update).
  const fullTree = buildPathTree(modifiers);
  const updating = modifiers.filter(({ modifier }) => modifier.operator !== '$setOnInsert');
  const updateTree = updating.length === modifiers.length ? fullTree : buildPathTree(updating);
  const positional = modifiers.some(({ path }) => path.split('.').includes('$'));
  const conditional = modifiers.some(({ modifier }) => modifier.applies !== undefined);

  /** The tree for one document; built anew only where it depends on the document. */
  const treeFor = (context: ApplyContext, isInsert: boolean, position: number | undefined) => {
    const usesPosition = positional && position !== undefined;
    if (!usesPosition && !conditional) return isInsert ? fullTree : updateTree;
    const list = isInsert ? modifiers : updating;
    const active = list.filter(({ modifier }) => modifier.applies?.(context) !== false);
    return buildPathTree(active, position);
  };

  return {
    kind: 'operators',
    isReplacement: false,
    apply(document, context) {
      const isInsert = context.isInsert === true;
      const applyContext: ApplyContext = {
        before: document,
        now: context.now,
        timestamp: context.timestamp,
        elementTests: tests,
        changes: context.changes,
      };
      const tree = treeFor(applyContext, isInsert, positionOf(context.positions));
      const after = applyToDocument(tree, document, '', applyContext);
      checkId(document, after, isInsert);
      return after;
    },
  };
}

/** A zero timestamp at the top level of a stored document means "now" (manual, "Timestamps"). */
export function fillTimestamps(document: Document, timestamp: Timestamp): Document {
  let result = document;
  for (const [name, value] of document) {
    if (value instanceof Timestamp && value.low === 0 && value.high === 0 && name !== '_id') {
      if (result === document) result = new Map(document);
      result.set(name, timestamp);
    }
  }
  return result;
}

function compileReplacement(replacement: Document): Update {
  for (const name of replacement.keys()) {
    if (name.startsWith('$')) {
      throw new MongoCommandError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
    }
  }
  return {
    kind: 'replacement',
    isReplacement: true,
    apply: (document, context) =>
      replace(document, fillTimestamps(replacement, context.timestamp), context.isInsert === true),
  };
}

function replace(document: Document, replacement: Document, isInsert: boolean): Document {
  const id = document.get('_id');
  const newId = replacement.get('_id');
  if (id !== undefined && newId !== undefined && !valuesIdentical(id, newId)) {
    throw new MongoCommandError(
      'ImmutableField',
      isInsert
        ? `The _id field cannot be changed from {_id: ${describeValue(id)}} to {_id: ${describeValue(newId)}}.`
        : `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${describeValue(newId)}`,
    );
  }
  const after =
    newId !== undefined || id === undefined
      ? withIdFirst(replacement)
      : new Map([['_id', id], ...replacement]);
  return valuesIdentical(document, after) ? document : after;
}

const PIPELINE_STAGES: ReadonlySet<string> = new Set([
  '$addFields',
  '$set',
  '$project',
  '$unset',
  '$replaceRoot',
  '$replaceWith',
]);

function compilePipelineUpdate(stages: readonly Value[], options: UpdateOptions): Update {
  if ((options.arrayFilters ?? []).length > 0) {
    throw failedToParse('Cannot specify arrayFilters and a pipeline update');
  }
  if (options.compilePipeline === undefined) {
    throw new MongoCommandError('NotImplemented', 'pipeline updates are not allowed here');
  }
  for (const stage of stages) {
    const [name] = stage instanceof Map ? stage.keys() : [];
    if (name !== undefined && !PIPELINE_STAGES.has(name)) {
      throw new MongoCommandError(
        'InvalidOptions',
        `${name} is not allowed to be used within an update`,
      );
    }
  }
  const run = options.compilePipeline(stages, options.variables);
  return {
    kind: 'pipeline',
    isReplacement: false,
    apply(document, context) {
      const result = run(document);
      const id = document.get('_id');
      const newId = result.get('_id');
      if (id !== undefined && newId !== undefined && !valuesIdentical(id, newId)) {
        throw new MongoCommandError(
          'ImmutableField',
          "Performing an update on the path '_id' would modify the immutable field '_id'",
        );
      }
      const after =
        id !== undefined && newId === undefined
          ? new Map([['_id', id], ...result])
          : withIdFirst(result);
      if (context.isInsert !== true && valuesIdentical(document, after)) return document;
      return after;
    },
  };
}

/**
 * Compiles an update: an array is a pipeline, a document whose first field is an operator holds
 * operators, any other replaces.
 *
 * @throws FailedToParse, ConflictingUpdateOperators, BadValue … with MongoDB's texts
 */
export function compileUpdate(update: Document | Value[], options: UpdateOptions = {}): Update {
  if (Array.isArray(update)) return compilePipelineUpdate(update, options);
  const [first] = update.keys();
  if (first?.startsWith('$') === true) return compileOperators(update, options);
  if ((options.arrayFilters ?? []).length > 0) {
    throw failedToParse('Cannot specify arrayFilters and a replacement-style update');
  }
  return compileReplacement(update);
}

// ---------------------------------------------------------------- upserts

/** Refuses what cannot be an `_id`. */
export function checkIdType(id: Value | undefined): void {
  const type = typeName(id);
  if (type === 'array' || type === 'regex' || type === 'undefined') {
    throw new MongoCommandError('InvalidIdField', `The '_id' value cannot be of type ${type}`);
  }
}
