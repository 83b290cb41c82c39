/** Pipelines that only count, as the drivers' `countDocuments` sends them: the planner counts without reading documents. */
import type { Pipeline } from '../aggregation/pipeline.ts';
import { type Document, isDocument, isInt32, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { countPlan } from '../catalog/plan-execute.ts';
import { type FindOptions, planFind } from '../catalog/planner.ts';
import type { Pause } from '../lib/pause.ts';
import type { CommandContext } from './context.ts';
import type { QueryEnvironment } from './query-environment.ts';

/** The one document that such a pipeline gives, but for the number. */
export interface CountShape {
  /** `_id` of the group. */
  readonly id: Value;
  /** The field that holds the number. */
  readonly field: string;
}

/**
 * The shape of `[…, {$group: {_id: <number or null>, <field>: {$sum: 1}}}]` whose other stages the
 * planner takes over; undefined for every other pipeline.
 */
export function findCount({ leading, stages, output }: Pipeline): CountShape | undefined {
  if (output !== undefined || stages.length !== leading.consumedStages + 1) return undefined;
  const last = stages.at(-1);
  if (last?.name !== '$group' || !isDocument(last.spec) || last.spec.size !== 2) return undefined;
  const id = last.spec.get('_id');
  if (id !== null && typeof id !== 'number') return undefined;
  const [field, accumulator] = [...last.spec].find(([name]) => name !== '_id') ?? [];
  if (field === undefined || !isDocument(accumulator) || accumulator.size !== 1) return undefined;
  return accumulator.get('$sum') === 1 ? { id, field } : undefined;
}

/** What the pipeline of that shape gives: one document, or none when nothing matches. */
export function* runCount(
  context: CommandContext,
  collection: Collection | undefined,
  environment: QueryEnvironment,
  request: FindOptions & { readonly shape: CountShape },
): Generator<Document | Pause> {
  if (collection === undefined) return;
  const { shape, sort: _sort, ...search } = request;
  const plan = planFind(collection, { ...search, collation: environment.collation });
  const count = yield* countPlan(context.view, plan);
  if (count === 0) return;
  const number: Value = isInt32(count) ? count : BigInt(count);
  yield new Map<string, Value>([
    ['_id', shape.id],
    [shape.field, number],
  ]);
}
