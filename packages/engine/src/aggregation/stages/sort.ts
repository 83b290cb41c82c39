/** `$sort`; with a limit behind it only the first documents are kept. */
import type { Collator } from '../../bson/compare.ts';
import { type Document, toDouble, type Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { locationError } from '../aggregation-error.ts';
import { readMetadata } from '../metadata.ts';
import type { Source } from '../pipeline-context.ts';
import {
  compareSortKeys,
  parseSortPattern,
  type SortKey,
  type SortPart,
  sortKeyReader,
} from '../sort-key.ts';
import { TopEntries } from '../top-entries.ts';
import type { Stage, StageContext, StreamStage } from './stage.ts';

export interface SortStage extends StreamStage {
  readonly name: '$sort';
  readonly spec: Document;
  readonly parts: readonly SortPart[];
  /** How many documents are asked of it, when that is known. */
  readonly limit: number | undefined;
}

export function isSortStage(stage: Stage | undefined): stage is SortStage {
  return stage?.name === '$sort';
}

interface Entry {
  readonly key: SortKey;
  readonly document: Document;
  /** Place in the input: makes the order of equal keys that of arrival. */
  readonly place: number;
}

function metadataOf(document: Document, name: string): Value {
  if (name === 'randVal') return toDouble(Math.random());
  const metadata = readMetadata(document);
  const value = name === 'textScore' ? metadata?.textScore : metadata?.geoNearDistance;
  return value ?? null;
}

function entryOrder(
  parts: readonly SortPart[],
  collation: Collator | undefined,
): (left: Entry, right: Entry) => number {
  return (left, right) =>
    compareSortKeys(parts, left.key, right.key, collation) || left.place - right.place;
}

function* sortAll(
  source: Source,
  parts: readonly SortPart[],
  collation: Collator | undefined,
  limit: number | undefined,
): Source {
  const keyOf = sortKeyReader(parts, collation, metadataOf);
  const order = entryOrder(parts, collation);
  const top = limit === undefined ? undefined : new TopEntries(limit, order);
  const all: Entry[] = [];
  let place = 0;
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    const entry: Entry = { key: keyOf(document), document, place: place++ };
    if (top === undefined) all.push(entry);
    else top.add(entry);
  }
  const sorted = top === undefined ? all.sort(order) : top.sorted();
  for (const entry of sorted) yield entry.document;
}

export function createSort(
  spec: Document,
  context: Pick<StageContext, 'collation'>,
  limit?: number,
): SortStage {
  const parts = parseSortPattern(spec);
  const usesMetadata = parts.some((part) => part.meta !== undefined);
  return {
    kind: 'stream',
    name: '$sort',
    spec,
    parts,
    limit,
    use: { fields: new Set(parts.map((part) => part.path[0] as string)), whole: usesMetadata },
    run: (source) => sortAll(source, parts, context.collation, limit),
  };
}

export function compileSort(spec: Value, context: StageContext): SortStage {
  if (!(spec instanceof Map)) {
    throw locationError(15973, 'the $sort key specification must be an object');
  }
  return createSort(spec, context);
}
