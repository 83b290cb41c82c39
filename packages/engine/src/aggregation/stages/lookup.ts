/** `$lookup`: by equal fields, by a pipeline with `let`, or by both. */
import { hashableKey } from '../../bson/compare.ts';
import { collectPath, splitPath } from '../../bson/path.ts';
import { type Document, toDocument, type Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { failedToParse, locationError, typeMismatch } from '../aggregation-error.ts';
import { checkVariableName, type Evaluator, type FieldUse } from '../expression/operator.ts';
import { describeValue, typeName } from '../expression/value-kind.ts';
import type { ExpressionScope } from '../expression.ts';
import { parseFieldPath, withPath } from '../field-path.ts';
import { keepMetadata } from '../metadata.ts';
import type { Source } from '../pipeline-context.ts';
import { type CompiledStages, collectInto, type StageContext, type StreamStage } from './stage.ts';

interface Assignment {
  readonly slot: number;
  readonly evaluate: Evaluator;
}

interface Join {
  readonly from: string | undefined;
  readonly as: readonly string[];
  readonly local: readonly string[] | undefined;
  readonly foreign: string | undefined;
  readonly assignments: readonly Assignment[];
  readonly stages: CompiledStages;
  /** The joined documents are the same for every input document. */
  readonly isUncorrelated: boolean;
  /** The joined documents follow from the values of `localField` alone. */
  readonly followsFromLocal: boolean;
}

const OPTIONS = new Set(['from', 'as', 'localField', 'foreignField', 'let', 'pipeline']);

function readText(spec: Document, name: string): string | undefined {
  const value = spec.get(name);
  if (value === undefined || typeof value === 'string') return value;
  throw failedToParse(`$lookup '${name}' field must be a string, but found ${typeName(value)}`);
}

function checkShape(spec: Document): void {
  for (const name of spec.keys()) {
    if (!OPTIONS.has(name)) {
      throw locationError(40415, `BSON field '$lookup.${name}' is an unknown field.`);
    }
  }
  const hasPipeline = spec.has('pipeline');
  const hasLocal = spec.has('localField');
  const hasForeign = spec.has('foreignField');
  if (!spec.has('as')) {
    throw locationError(40414, "BSON field '$lookup.as' is missing but a required field");
  }
  if (hasLocal !== hasForeign) {
    throw failedToParse(
      "$lookup requires both or neither of 'localField' and 'foreignField' to be specified",
    );
  }
  if (!hasPipeline && !(hasLocal && hasForeign)) {
    throw failedToParse(
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    );
  }
  if (spec.has('let') && !hasPipeline) {
    throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'");
  }
}

function startsWithDocuments(pipeline: readonly Value[]): boolean {
  const [first] = pipeline;
  return first instanceof Map && first.has('$documents');
}

interface LetVariables {
  readonly scope: ExpressionScope;
  readonly assignments: readonly Assignment[];
}

/** Variables of `let`: computed from the input document, in scope in the inner pipeline. */
export function bindLet(
  spec: Value | undefined,
  context: StageContext,
  use: FieldUse,
): LetVariables {
  let inner = context.scope.withUse({ fields: new Set(), whole: false });
  if (spec === undefined) return { scope: inner, assignments: [] };
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `$lookup argument 'let: ${describeValue(spec)}' must be an object, is type ${typeName(spec)}`,
    );
  }
  const outer = context.scope.withUse(use);
  const assignments = [...spec].map(([name, expression]) => {
    checkVariableName(name);
    const { evaluate } = outer.compile(expression);
    const bound = inner.bind(name);
    inner = bound.scope;
    return { slot: bound.slot, evaluate };
  });
  return { scope: inner, assignments };
}

export function compileLookup(spec: Value, context: StageContext): StreamStage {
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `the $lookup stage specification must be an object, but found ${typeName(spec)}`,
    );
  }
  checkShape(spec);
  const pipeline = spec.get('pipeline') ?? [];
  if (!Array.isArray(pipeline)) {
    throw typeMismatch('A pipeline must be an array of objects');
  }
  const from = readText(spec, 'from');
  if (from === undefined && !startsWithDocuments(pipeline)) {
    throw failedToParse("must specify 'pipeline' when 'from' is empty");
  }
  const local = readText(spec, 'localField');
  const foreign = readText(spec, 'foreignField');
  const use: FieldUse = { fields: new Set(), whole: false };
  const { scope, assignments } = bindLet(spec.get('let'), context, use);
  const as = parseFieldPath(readText(spec, 'as') as string);
  if (local !== undefined) use.fields.add(parseFieldPath(local)[0] as string);
  use.fields.add(as[0] as string);
  if (foreign !== undefined) parseFieldPath(foreign);
  const isSteady = !scope.hasSlots && !isRandom(pipeline);
  const join: Join = {
    from,
    as,
    local: local === undefined ? undefined : splitPath(local),
    foreign,
    assignments,
    stages: context.compileStages(pipeline, '$lookup', scope),
    isUncorrelated: local === undefined && isSteady,
    followsFromLocal: local !== undefined && isSteady,
  };
  return {
    kind: 'stream',
    name: '$lookup',
    spec,
    use,
    run: (source) => joinAll(source, join, context),
  };
}

function isRandom(value: Value): boolean {
  if (Array.isArray(value)) return value.some(isRandom);
  if (!(value instanceof Map)) return false;
  return [...value].some(
    ([name, inner]) => ['$rand', '$sample', '$sampleRate'].includes(name) || isRandom(inner),
  );
}

function* joinAll(source: Source, join: Join, context: StageContext): Source {
  const { as, stages, from, isUncorrelated } = join;
  const { frame } = context;
  let shared: Document[] | undefined;
  const table = createHashTable(join, context);
  const memory = join.followsFromLocal ? new JoinMemory() : undefined;
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    for (const { slot, evaluate } of join.assignments) frame[slot] = evaluate(document, frame);
    const values = join.local === undefined ? [] : localValues(document, join.local);
    const key = memory === undefined ? '' : hashableKey(values);
    let joined = shared ?? memory?.get(key);
    if (joined === undefined) {
      joined = [];
      if (table !== undefined && !table.isBuilt) yield* table.build();
      const found =
        table?.isUsable === true
          ? stages.run(table.find(values))
          : stages.readFrom(from, equalityFilter(values, join));
      yield* collectInto(found, joined);
      if (isUncorrelated) shared = joined;
      memory?.set(key, joined);
    }
    yield keepMetadata(document, withPath(document, as, joined));
  }
}

/** The values `localField` has: arrays on the way and at the end give their elements. */
function localValues(document: Document, path: readonly string[]): Value[] {
  const values: Value[] = [];
  for (const value of collectPath(document, path, false)) {
    if (Array.isArray(value)) values.push(...value);
    else values.push(value ?? null);
  }
  return values;
}

function equalityFilter(values: readonly Value[], { foreign }: Join): Document | undefined {
  if (foreign === undefined) return undefined;
  const [only] = values;
  if (values.length === 1 && only !== undefined) {
    return toDocument({ [foreign]: toDocument({ $eq: only }) });
  }
  // `$in` would match by a regular expression where `$eq` compares it
  const equalities = values.map((value) => toDocument({ [foreign]: toDocument({ $eq: value }) }));
  const isPlain = values.every((value) => typeName(value) !== 'regex');
  return isPlain || values.length === 0
    ? toDocument({ [foreign]: toDocument({ $in: [...values] }) })
    : toDocument({ $or: equalities });
}

const MAX_REMEMBERED_DOCUMENTS = 10_000;

/** What was joined for values met before; forgotten as a whole when it grows too large. */
class JoinMemory {
  private readonly joined = new Map<string, Document[]>();
  private size = 0;

  get(key: string): Document[] | undefined {
    return this.joined.get(key);
  }

  set(key: string, documents: Document[]): void {
    this.size += documents.length + 1;
    if (this.size > MAX_REMEMBERED_DOCUMENTS) {
      this.joined.clear();
      this.size = documents.length + 1;
    }
    this.joined.set(key, documents);
  }
}

const MAX_HASHED_DOCUMENTS = 200_000;

interface PlacedDocument {
  /** Place in the collection's natural order. */
  readonly place: number;
  readonly document: Document;
}

/** The other collection by the values of `foreignField`, for when no index has them. */
class HashTable {
  isBuilt = false;
  isUsable = false;
  private readonly byKey = new Map<string, PlacedDocument[]>();
  private readonly from: string;
  private readonly foreign: readonly string[];
  private readonly context: StageContext;

  constructor(from: string, foreign: string, context: StageContext) {
    this.from = from;
    this.foreign = splitPath(foreign);
    this.context = context;
  }

  *build(): Generator<typeof PAUSE> {
    this.isBuilt = true;
    const { pipeline, collation } = this.context;
    let count = 0;
    const namespace = { database: pipeline.database, collection: this.from };
    for (const document of pipeline.find(namespace, undefined, { collation })) {
      if (document === PAUSE) {
        yield PAUSE;
        continue;
      }
      if (++count > MAX_HASHED_DOCUMENTS) {
        this.byKey.clear();
        return;
      }
      this.insert({ place: count, document });
    }
    this.isUsable = true;
  }

  private insert(entry: PlacedDocument): void {
    const keys = collectPath(entry.document, this.foreign, true).map((value) =>
      this.keyOf(value ?? null),
    );
    for (const key of new Set(keys)) {
      const bucket = this.byKey.get(key);
      if (bucket === undefined) this.byKey.set(key, [entry]);
      else bucket.push(entry);
    }
  }

  private keyOf(value: Value): string {
    return hashableKey(value, this.context.collation);
  }

  find(values: readonly Value[]): readonly Document[] {
    const found = new Set<PlacedDocument>();
    for (const value of values) {
      for (const entry of this.byKey.get(this.keyOf(value)) ?? []) found.add(entry);
    }
    const entries = [...found];
    if (values.length > 1) entries.sort((a, b) => a.place - b.place);
    return entries.map((entry) => entry.document);
  }
}

function createHashTable(join: Join, context: StageContext): HashTable | undefined {
  const { from, foreign } = join;
  const { database, hasIndexOn } = context.pipeline;
  if (from === undefined || foreign === undefined || hasIndexOn === undefined) return undefined;
  if (hasIndexOn.call(context.pipeline, { database, collection: from }, foreign)) return undefined;
  return new HashTable(from, foreign, context);
}
