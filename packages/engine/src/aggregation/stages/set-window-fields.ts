/** `$setWindowFields`. */

import { compareValues, hashableKey } from '../../bson/compare.ts';
import type { Document, Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { failedToParse, locationError, typeMismatch } from '../aggregation-error.ts';
import type { Evaluator, FieldUse } from '../expression/operator.ts';
import { typeName } from '../expression/value-kind.ts';
import { parseFieldPath, withPath } from '../field-path.ts';
import { keepMetadata } from '../metadata.ts';
import type { Source } from '../pipeline-context.ts';
import {
  compareSortKeys,
  parseSortPattern,
  type SortKey,
  type SortPart,
  sortKeyReader,
} from '../sort-key.ts';
import type { StageContext, StreamStage } from './stage.ts';
import { compileWindowFunction } from './window-function.ts';
import type { Partition, WindowFunction } from './window-spec.ts';

interface WindowField {
  readonly path: readonly string[];
  readonly compute: WindowFunction;
}

export interface WindowSettings {
  readonly partitionBy: Evaluator;
  readonly sort: readonly SortPart[];
  readonly outputs: readonly WindowField[];
}

const OPTIONS = new Set(['partitionBy', 'sortBy', 'output']);

export function readSortBy(spec: Value | undefined, name: string): readonly SortPart[] {
  if (spec === undefined) return [];
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `BSON field '${name}.sortBy' is the wrong type '${typeName(spec)}', expected type 'object'`,
    );
  }
  return spec.size === 0 ? [] : parseSortPattern(spec);
}

export function compileSetWindowFields(spec: Value, context: StageContext): StreamStage {
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `the $setWindowFields stage specification must be an object, found ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (!OPTIONS.has(name)) {
      throw locationError(40415, `BSON field '$setWindowFields.${name}' is an unknown field.`);
    }
  }
  const output = spec.get('output');
  if (!(output instanceof Map)) {
    throw locationError(
      40414,
      "BSON field '$setWindowFields.output' is missing but a required field",
    );
  }
  const use: FieldUse = { fields: new Set(), whole: false };
  const scope = context.scope.withUse(use);
  const sort = readSortBy(spec.get('sortBy'), '$setWindowFields');
  for (const part of sort) use.fields.add(part.path[0] as string);
  const outputs = [...output].map(([path, value]): WindowField => {
    const parts = parseFieldPath(path);
    use.fields.add(parts[0] as string);
    return { path: parts, compute: compileWindowFunction(value, sort, scope, context) };
  });
  const partitionBy = scope.compile(spec.get('partitionBy') ?? null).evaluate;
  const settings: WindowSettings = { partitionBy, sort, outputs };
  return {
    kind: 'stream',
    name: '$setWindowFields',
    spec,
    use,
    run: (source) => computeWindows(source, settings, context),
  };
}

interface Entry {
  readonly document: Document;
  readonly key: SortKey;
}

interface Group {
  readonly id: Value;
  readonly entries: Entry[];
}

export function* computeWindows(
  source: Source,
  settings: WindowSettings,
  context: StageContext,
): Source {
  const { sort, outputs, partitionBy } = settings;
  const { collation, frame } = context;
  const keyOf = sortKeyReader(sort, collation);
  const groups = new Map<string, Group>();
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    const id = partitionBy(document, frame) ?? null;
    if (Array.isArray(id)) {
      throw typeMismatch('An expression used to partition cannot evaluate to value of type array');
    }
    const hash = hashableKey(id, collation);
    let group = groups.get(hash);
    if (group === undefined) {
      group = { id, entries: [] };
      groups.set(hash, group);
    }
    group.entries.push({ document, key: keyOf(document) });
  }
  const ordered = [...groups.values()].sort((a, b) => compareValues(a.id, b.id, collation));
  for (const { entries } of ordered) {
    if (sort.length > 0) entries.sort((a, b) => compareSortKeys(sort, a.key, b.key, collation));
    yield* computePartition(entries, outputs);
    yield PAUSE;
  }
}

function* computePartition(
  entries: readonly Entry[],
  outputs: readonly WindowField[],
): Generator<Document> {
  const partition: Partition = {
    documents: entries.map((entry) => entry.document),
    keys: entries.map((entry) => entry.key),
  };
  const columns = outputs.map(({ compute }) => compute(partition));
  for (let place = 0; place < entries.length; place++) {
    const { document } = entries[place] as Entry;
    let result = document;
    outputs.forEach(({ path }, i) => {
      const value = columns[i]?.[place];
      if (value !== undefined) result = withPath(result, path, value);
    });
    yield keepMetadata(document, result);
  }
}
