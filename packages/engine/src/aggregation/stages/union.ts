/** `$unionWith` and `$facet`: streams side by side. */
import type { Document, Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { failedToParse, locationError, typeMismatch } from '../aggregation-error.ts';
import { describeValue, typeName } from '../expression/value-kind.ts';
import { parseFieldPath } from '../field-path.ts';
import type { Source } from '../pipeline-context.ts';
import { type CompiledStages, collectInto, type StageContext, type StreamStage } from './stage.ts';

interface Union {
  readonly collection: string | undefined;
  readonly pipeline: readonly Value[];
}

function readUnion(spec: Value): Union {
  if (typeof spec === 'string') return { collection: spec, pipeline: [] };
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `the $unionWith stage specification must be an object or string, but found ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (name !== 'coll' && name !== 'pipeline') {
      throw locationError(40415, `BSON field '$unionWith.${name}' is an unknown field.`);
    }
  }
  const collection = spec.get('coll');
  const pipeline = spec.get('pipeline') ?? [];
  if (collection !== undefined && typeof collection !== 'string') {
    throw typeMismatch(
      `BSON field '$unionWith.coll' is the wrong type '${typeName(collection)}', expected type 'string'`,
    );
  }
  if (!Array.isArray(pipeline)) {
    throw typeMismatch(
      `BSON field '$unionWith.pipeline' is the wrong type '${typeName(pipeline)}', expected type 'array'`,
    );
  }
  const [first] = pipeline;
  if (collection === undefined && !(first instanceof Map && first.has('$documents'))) {
    throw failedToParse(
      '$unionWith stage without explicit collection must have a pipeline with $documents as first stage',
    );
  }
  return { collection, pipeline };
}

export function compileUnionWith(spec: Value, context: StageContext): StreamStage {
  const { collection, pipeline } = readUnion(spec);
  const stages = context.compileStages(pipeline, '$unionWith');
  return {
    kind: 'stream',
    name: '$unionWith',
    spec,
    *run(source) {
      yield* source;
      yield* stages.readFrom(collection);
    },
  };
}

interface Facet {
  readonly name: string;
  readonly stages: CompiledStages;
}

function* runFacets(source: Source, facets: readonly Facet[]): Source {
  const input: Document[] = [];
  yield* collectInto(source, input);
  const result: Document = new Map();
  for (const { name, stages } of facets) {
    const output: Document[] = [];
    yield* collectInto(stages.run(withPauses(input)), output);
    result.set(name, output);
  }
  yield result;
}

/** Collected documents as a stream that stays interruptible. */
function* withPauses(documents: readonly Document[]): Source {
  for (let i = 0; i < documents.length; i++) {
    if ((i & 1023) === 1023) yield PAUSE;
    yield documents[i] as Document;
  }
}

export function compileFacet(spec: Value, context: StageContext): StreamStage {
  if (!(spec instanceof Map) || spec.size === 0) {
    throw locationError(
      40169,
      `the $facet specification must be a non-empty object, but found: $facet: ${describeValue(spec)}`,
    );
  }
  const facets = [...spec].map(([name, pipeline]): Facet => {
    if (!Array.isArray(pipeline)) {
      throw locationError(
        40170,
        `arguments to $facet must be arrays, ${name} is type ${typeName(pipeline)}`,
      );
    }
    parseFieldPath(name);
    return { name, stages: context.compileStages(pipeline, '$facet') };
  });
  return { kind: 'stream', name: '$facet', spec, run: (source) => runFacets(source, facets) };
}
