/** `$graphLookup`: breadth first, each document of the other collection once. */
import { hashableKey } from '../../bson/compare.ts';
import { collectPath, splitPath } from '../../bson/path.ts';
import { type Document, toDocument, type Value } from '../../bson/value.ts';
import { PAUSE, type Pause } from '../../lib/pause.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import type { Evaluator, FieldUse } from '../expression/operator.ts';
import { describeValue, isNumeric, toInt64, typeName } from '../expression/value-kind.ts';
import { parseFieldPath, withPath } from '../field-path.ts';
import { keepMetadata } from '../metadata.ts';
import type { Source } from '../pipeline-context.ts';
import { pipelineExpressionCompiler } from './match.ts';
import type { StageContext, StreamStage } from './stage.ts';

interface Graph {
  readonly from: string;
  readonly as: readonly string[];
  readonly startWith: Evaluator;
  readonly connectFrom: readonly string[];
  readonly connectTo: string;
  readonly maxDepth: number;
  readonly depthField: readonly string[] | undefined;
  readonly restrict: Document | undefined;
}

const REQUIRED = ['from', 'as', 'startWith', 'connectFromField', 'connectToField'];
const OPTIONAL = ['maxDepth', 'depthField', 'restrictSearchWithMatch'];

function readText(spec: Document, name: string): string {
  const value = spec.get(name);
  if (typeof value === 'string') return value;
  throw locationError(
    40103,
    `expected string as argument for ${name}, found: ${describeValue(value)}`,
  );
}

function readMaxDepth(value: Value | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (!isNumeric(value)) {
    throw locationError(40100, `maxDepth must be numeric, found type: ${typeName(value)}`);
  }
  const depth = toInt64(value);
  if (depth === undefined) {
    throw locationError(
      40102,
      `maxDepth could not be represented as a long long: ${describeValue(value)}`,
    );
  }
  if (depth < 0n) {
    throw locationError(40101, `maxDepth requires a nonnegative argument, found: ${depth}`);
  }
  return Number(depth);
}

export function compileGraphLookup(spec: Value, context: StageContext): StreamStage {
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `the $graphLookup stage specification must be an object, but found ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (!REQUIRED.includes(name) && !OPTIONAL.includes(name)) {
      throw locationError(40104, `Unknown argument to $graphLookup: ${name}`);
    }
  }
  if (!REQUIRED.every((name) => spec.has(name))) {
    throw locationError(
      40105,
      "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
    );
  }
  const restrict = spec.get('restrictSearchWithMatch');
  if (restrict !== undefined && !(restrict instanceof Map)) {
    throw locationError(
      40185,
      `restrictSearchWithMatch must be an object, found ${typeName(restrict)}`,
    );
  }
  const use: FieldUse = { fields: new Set(), whole: false };
  const as = parseFieldPath(readText(spec, 'as'));
  use.fields.add(as[0] as string);
  parseFieldPath(readText(spec, 'connectFromField'));
  parseFieldPath(readText(spec, 'connectToField'));
  const graph: Graph = {
    from: readText(spec, 'from'),
    as,
    startWith: context.scope.withUse(use).compile(spec.get('startWith') as Value).evaluate,
    connectFrom: splitPath(readText(spec, 'connectFromField')),
    connectTo: readText(spec, 'connectToField'),
    maxDepth: readMaxDepth(spec.get('maxDepth')),
    depthField: spec.has('depthField') ? parseFieldPath(readText(spec, 'depthField')) : undefined,
    restrict,
  };
  return {
    kind: 'stream',
    name: '$graphLookup',
    spec,
    use,
    run: (source) => searchAll(source, graph, context),
  };
}

function* searchAll(source: Source, graph: Graph, context: StageContext): Source {
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    const found: Document[] = [];
    yield* search(document, graph, context, found);
    yield keepMetadata(document, withPath(document, graph.as, found));
  }
}

function* search(
  document: Document,
  graph: Graph,
  context: StageContext,
  found: Document[],
): Generator<Pause> {
  const { collation, frame, pipeline } = context;
  const start = graph.startWith(document, frame);
  const asked = new Set<string>();
  const visited = new Set<string>();
  let frontier = unasked(Array.isArray(start) ? start : [start ?? null], asked, collation);
  const options = { collation, compileExpression: pipelineExpressionCompiler(context) };
  const namespace = { database: pipeline.database, collection: graph.from };
  for (let depth = 0; frontier.length > 0 && depth <= graph.maxDepth; depth++) {
    const next: Value[] = [];
    const filter = frontierFilter(frontier, graph);
    for (const reached of pipeline.find(namespace, filter, options)) {
      if (reached === PAUSE) {
        yield PAUSE;
        continue;
      }
      const key = hashableKey(reached.get('_id'));
      if (visited.has(key)) continue;
      visited.add(key);
      const { depthField } = graph;
      found.push(depthField === undefined ? reached : withPath(reached, depthField, BigInt(depth)));
      for (const value of collectPath(reached, graph.connectFrom, false)) {
        if (Array.isArray(value)) next.push(...value);
        else if (value !== undefined) next.push(value);
      }
    }
    frontier = unasked(next, asked, collation);
  }
}

/** Values not searched for before. */
function unasked(
  values: readonly Value[],
  asked: Set<string>,
  collation: StageContext['collation'],
): Value[] {
  return values.filter((value) => {
    const key = hashableKey(value, collation);
    if (asked.has(key)) return false;
    asked.add(key);
    return true;
  });
}

function frontierFilter(frontier: readonly Value[], { connectTo, restrict }: Graph): Document {
  const step = toDocument({ [connectTo]: toDocument({ $in: [...frontier] }) });
  return restrict === undefined ? step : toDocument({ $and: [step, restrict] });
}
