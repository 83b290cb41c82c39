/** The part of a pipeline that the planner can carry out with indexes. */
import type { Document } from '../bson/value.ts';
import { isCounted } from './stages/limit.ts';
import { isMatchStage } from './stages/match.ts';
import { isSortStage } from './stages/sort.ts';
import type { Stage } from './stages/stage.ts';

export interface Leading {
  readonly filter?: Document | undefined;
  readonly sort?: Document | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  /** Stages that filter, sort, skip and limit stand for, to be left out by `run(source, n)`. */
  readonly consumedStages: number;
  /** Stages that the filter alone stands for. */
  readonly filterStages: number;
  /** Top-level fields that the whole pipeline reads; absent when it may read all. */
  readonly fields?: ReadonlySet<string> | undefined;
}

export function findLeading(stages: readonly Stage[]): Leading {
  let at = 0;
  let filter: Document | undefined;
  let sort: Document | undefined;
  let skip: number | undefined;
  let limit: number | undefined;
  const match = stages[at];
  if (isMatchStage(match)) {
    filter = match.spec;
    at++;
  }
  const filterStages = at;
  const sorting = stages[at];
  if (isSortStage(sorting) && sorting.parts.every((part) => part.meta === undefined)) {
    sort = sorting.spec;
    at++;
  }
  const skipping = stages[at];
  if (isCounted(skipping, '$skip')) {
    skip = skipping.count;
    at++;
  }
  const limiting = stages[at];
  if (isCounted(limiting, '$limit')) {
    limit = limiting.count;
    at++;
  }
  return {
    filter,
    sort,
    skip,
    limit,
    consumedStages: at,
    filterStages,
    fields: fieldsRead(stages),
  };
}

/** Known only when some stage makes its output of named fields, and no stage before it reads all. */
function fieldsRead(stages: readonly Stage[]): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  for (const { use, reshapes } of stages) {
    if (use === undefined || use.whole) return undefined;
    for (const field of use.fields) fields.add(field);
    if (reshapes === true) return fields;
  }
  return undefined;
}
