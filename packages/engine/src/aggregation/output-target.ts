/** `$out` and `$merge`: where a pipeline's documents go, and what becomes of what is there. */
import { type Document, ObjectId, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { failedToParse, locationError } from './aggregation-error.ts';
import { checkVariableName, type Evaluator } from './expression/operator.ts';
import { describeValue, isNullish, typeName } from './expression/value-kind.ts';
import { parseFieldPath, readPath } from './field-path.ts';
import type { Namespace } from './pipeline-context.ts';
import type { StageContext } from './stages/stage.ts';
import { compileUpdateStages } from './update-pipeline.ts';

export interface OutTarget {
  readonly kind: 'out';
  readonly namespace: Namespace;
  readonly timeseries?: Document | undefined;
}

export type WhenMatched = 'replace' | 'keepExisting' | 'merge' | 'fail' | 'pipeline';
export type WhenNotMatched = 'insert' | 'discard' | 'fail';

/**
 * The writer finds the document whose `on` fields equal those of `key(document)`, by a unique index
 * it checks for first (`fieldsNotUnique`), and stores what `merge` gives.
 */
export interface MergeTarget {
  readonly kind: 'merge';
  readonly namespace: Namespace;
  readonly on: readonly string[];
  readonly whenMatched: WhenMatched;
  readonly whenNotMatched: WhenNotMatched;
  /** The document as it may be inserted: with an `_id`. */
  complete(document: Document): Document;
  /** The values of the `on` fields, by their paths. @throws when one is missing */
  key(document: Document): Document;
  /** The document to store over `existing`, undefined to leave it. @throws when set to fail */
  merge(existing: Document, document: Document): Document | undefined;
  /** The document to insert where none was matched, undefined for none. @throws when set to fail */
  insert(document: Document): Document | undefined;
}

export type OutputTarget = OutTarget | MergeTarget;

/** Refusal of a `$merge` whose `on` fields have no unique index. */
export function fieldsNotUnique(): MongoCommandError {
  return locationError(51183, 'Cannot find index to verify that join fields will be unique');
}

export function compileOut(spec: Value, context: StageContext): OutTarget {
  const { database } = context.pipeline;
  if (typeof spec === 'string') {
    return { kind: 'out', namespace: { database, collection: spec } };
  }
  if (!(spec instanceof Map)) {
    throw locationError(
      16990,
      `$out only supports a string or object argument, but found ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (name !== 'db' && name !== 'coll' && name !== 'timeseries') {
      throw locationError(40415, `BSON field '$out.${name}' is an unknown field.`);
    }
  }
  const timeseries = spec.get('timeseries');
  if (timeseries !== undefined && !(timeseries instanceof Map)) {
    throw failedToParse('$out timeseries must be an object');
  }
  return {
    kind: 'out',
    namespace: {
      database: readText(spec, '$out', 'db'),
      collection: readText(spec, '$out', 'coll'),
    },
    timeseries,
  };
}

function readText(spec: Document, stage: string, name: string, otherwise?: string): string {
  const value = spec.get(name) ?? otherwise;
  if (value === undefined) {
    throw locationError(40414, `BSON field '${stage}.${name}' is missing but a required field`);
  }
  if (typeof value !== 'string') {
    throw failedToParse(
      `BSON field '${stage}.${name}' is the wrong type '${typeName(value)}', expected type 'string'`,
    );
  }
  return value;
}

function readInto(into: Value | undefined, context: StageContext): Namespace {
  const { database } = context.pipeline;
  if (typeof into === 'string') return { database, collection: into };
  if (into === undefined) {
    throw locationError(40414, "BSON field '$merge.into' is missing but a required field");
  }
  if (!(into instanceof Map)) {
    throw locationError(
      51178,
      `$merge 'into' field  must be either a string or an object, but found ${typeName(into)}`,
    );
  }
  return {
    database: readText(into, '$merge.into', 'db', database),
    collection: readText(into, '$merge.into', 'coll'),
  };
}

function readOn(value: Value | undefined): readonly string[] {
  if (value === undefined) return ['_id'];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) {
    throw locationError(
      51186,
      `$merge 'on' field  must be either a string or an array of strings, but found ${typeName(value)}`,
    );
  }
  if (value.length === 0) {
    throw locationError(
      51187,
      "If explicitly specifying $merge 'on', must include at least one field",
    );
  }
  const paths = value.map((path) => {
    if (typeof path === 'string') return path;
    throw locationError(
      51134,
      `$merge 'on' array elements must be strings, but found ${typeName(path)}`,
    );
  });
  const repeated = paths.find((path, i) => paths.indexOf(path) !== i);
  if (repeated !== undefined) {
    throw locationError(31465, `Found a duplicate field '${repeated}'`);
  }
  return paths;
}

const MATCHED: ReadonlySet<Value> = new Set(['replace', 'keepExisting', 'merge', 'fail']);
const NOT_MATCHED: ReadonlySet<Value> = new Set(['insert', 'discard', 'fail']);

function badMode(field: string, value: Value): MongoCommandError {
  return new MongoCommandError(
    'BadValue',
    `Enumeration value '${String(value)}' for field '$merge.${field}' is not a valid value.`,
  );
}

const OPTIONS = new Set(['into', 'on', 'let', 'whenMatched', 'whenNotMatched']);

export function compileMerge(given: Value, context: StageContext): MergeTarget {
  const spec: Document =
    typeof given === 'string' ? new Map([['into', given]]) : (given as Document);
  if (!(spec instanceof Map)) {
    throw locationError(
      51182,
      `$merge requires a string or object argument, but found ${typeName(given)}`,
    );
  }
  for (const name of spec.keys()) {
    if (!OPTIONS.has(name)) {
      throw locationError(40415, `BSON field '$merge.${name}' is an unknown field.`);
    }
  }
  const matched = spec.get('whenMatched') ?? 'merge';
  const notMatched = spec.get('whenNotMatched') ?? 'insert';
  if (!Array.isArray(matched) && !MATCHED.has(matched)) throw badMode('whenMatched', matched);
  if (!NOT_MATCHED.has(notMatched)) throw badMode('whenNotMatched', notMatched);
  if (spec.has('let') && !Array.isArray(matched)) {
    throw locationError(
      51199,
      `Cannot use 'let' variables with 'whenMatched: ${String(matched)}' mode`,
    );
  }
  const on = readOn(spec.get('on'));
  const paths = on.map((path) => ({ path, parts: parseFieldPath(path) }));
  const whenMatched = Array.isArray(matched) ? 'pipeline' : (matched as WhenMatched);
  return {
    kind: 'merge',
    namespace: readInto(spec.get('into'), context),
    on,
    whenMatched,
    whenNotMatched: notMatched as WhenNotMatched,
    complete(document) {
      if (document.has('_id')) return document;
      return new Map<string, Value>([['_id', new ObjectId()], ...document]);
    },
    key(document) {
      const key: Document = new Map();
      for (const { path, parts } of paths) key.set(path, readKey(document, path, parts));
      return key;
    },
    merge: compileMergeMode(matched, spec.get('let'), context),
    insert(document) {
      if (notMatched === 'discard') return undefined;
      if (notMatched === 'insert') return document;
      throw new MongoCommandError(
        'Location13113',
        '$merge could not find a matching document in the target collection for at least one document in the source collection',
      );
    },
  };
}

function readKey(document: Document, path: string, parts: readonly string[]): Value {
  const value = readPath(document, parts);
  if (isNullish(value)) {
    throw locationError(
      51132,
      `$merge write error: 'on' field '${path}' cannot be missing, null or undefined`,
    );
  }
  if (Array.isArray(value)) {
    throw locationError(51185, `$merge write error: 'on' field '${path}' cannot be an array`);
  }
  return value;
}

type Merge = (existing: Document, document: Document) => Document | undefined;

function compileMergeMode(mode: Value, letSpec: Value | undefined, context: StageContext): Merge {
  if (Array.isArray(mode)) return compileMergePipeline(mode, letSpec, context);
  switch (mode) {
    case 'replace':
      return (existing, document) => withExistingId(existing, document);
    case 'merge':
      return (existing, document) => {
        const merged = new Map(existing);
        for (const [name, value] of document) merged.set(name, value);
        return merged;
      };
    case 'keepExisting':
      return () => undefined;
    default:
      return (_existing, document) => {
        throw new MongoCommandError(
          'DuplicateKey',
          `$merge found a document matching ${describeValue(document)} and whenMatched is 'fail'`,
        );
      };
  }
}

function withExistingId(existing: Document, document: Document): Document {
  const id = existing.get('_id');
  if (document.has('_id') || id === undefined) return document;
  return new Map<string, Value>([['_id', id], ...document]);
}

/** The update pipeline sees the existing document; `$$new` is the incoming one. */
function compileMergePipeline(
  stages: readonly Value[],
  letSpec: Value | undefined,
  context: StageContext,
): Merge {
  let { scope } = context;
  const { frame } = context;
  const assignments: { slot: number; evaluate: Evaluator }[] = [];
  const variables = letSpec ?? new Map<string, Value>([['new', '$$ROOT']]);
  if (!(variables instanceof Map)) {
    throw failedToParse("BSON field '$merge.let' must be an object");
  }
  for (const [name, expression] of variables) {
    if (name !== 'new') checkVariableName(name);
    const { evaluate } = context.scope.compile(expression);
    const bound = scope.bind(name);
    scope = bound.scope;
    assignments.push({ slot: bound.slot, evaluate });
  }
  const update = compileUpdateStages(stages, { ...context, scope });
  return (existing, document) => {
    for (const { slot, evaluate } of assignments) frame[slot] = evaluate(document, frame);
    return update(existing);
  };
}
