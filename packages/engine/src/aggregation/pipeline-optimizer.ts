/** Rewrites that keep a pipeline's result and let indexes or less memory do the work. */
import { type Document, toDocument } from '../bson/value.ts';
import { createLimit, isCounted } from './stages/limit.ts';
import { compileMatch, isMatchStage, type MatchStage } from './stages/match.ts';
import { changedFields } from './stages/project.ts';
import { createSort, isSortStage } from './stages/sort.ts';
import type { Stage, StageContext } from './stages/stage.ts';

export function optimizeStages(given: readonly Stage[], context: StageContext): Stage[] {
  const stages = [...given];
  for (let i = 1; i < stages.length; i++) {
    // a `$match` sinks towards the source as far as it may
    for (let at = i; at > 0; at--) {
      const match = stages[at];
      const before = stages[at - 1];
      if (!isMatchStage(match) || before === undefined || !mayPass(match, before)) break;
      stages[at - 1] = match;
      stages[at] = before;
    }
  }
  return joinNeighbours(stages, context);
}

/** Filtering before the stage gives the same as after it. */
function mayPass(match: MatchStage, before: Stage): boolean {
  const { use } = match;
  if (use === undefined || use.whole || isRandomMatch(match)) return false;
  if (isSortStage(before)) return before.limit === undefined;
  const changed = changedFields(before);
  return changed !== undefined && !intersects(changed, use.fields);
}

function isRandomMatch(match: MatchStage): boolean {
  return match.root.kind === 'sampleRate';
}

function intersects(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const item of a) if (b.has(item)) return true;
  return false;
}

function joinNeighbours(stages: readonly Stage[], context: StageContext): Stage[] {
  const result: Stage[] = [];
  stages.forEach((stage, i) => {
    const last = result.at(-1);
    if (isMatchStage(stage) && isMatchStage(last)) {
      result[result.length - 1] = compileMatch(bothFilters(last.spec, stage.spec), context);
    } else if (isCounted(stage, '$limit') && isCounted(last, '$limit')) {
      result[result.length - 1] = createLimit(Math.min(stage.count, last.count));
    } else if (isSortStage(stage)) {
      result.push(createSort(stage.spec, context, documentsAsked(stages, i + 1)));
    } else {
      result.push(stage);
    }
  });
  return result;
}

function bothFilters(first: Document, second: Document): Document {
  if (first.size === 0) return second;
  if (second.size === 0) return first;
  return toDocument({ $and: [first, second] });
}

/** How many documents the stages from `start` on take at most, if `$skip` and `$limit` come first. */
function documentsAsked(stages: readonly Stage[], start: number): number | undefined {
  let skipped = 0;
  for (let i = start; i < stages.length; i++) {
    const stage = stages[i];
    if (isCounted(stage, '$limit')) return skipped + stage.count;
    if (!isCounted(stage, '$skip')) return undefined;
    skipped += stage.count;
  }
  return undefined;
}
