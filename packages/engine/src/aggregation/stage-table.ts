/** The stages by name. */
import { bucketStages } from './stages/bucket.ts';
import { compileDensify } from './stages/densify.ts';
import { compileFill } from './stages/fill.ts';
import { compileGraphLookup } from './stages/graph-lookup.ts';
import { compileGroup } from './stages/group.ts';
import { limitStages } from './stages/limit.ts';
import { compileLookup } from './stages/lookup.ts';
import { compileMatch } from './stages/match.ts';
import { projectStages } from './stages/project.ts';
import { compileRedact } from './stages/redact.ts';
import { replaceRootStages } from './stages/replace-root.ts';
import { compileSample } from './stages/sample.ts';
import { searchStages } from './stages/search.ts';
import { serverSourceStages } from './stages/server-source.ts';
import { compileSetWindowFields } from './stages/set-window-fields.ts';
import { compileSort } from './stages/sort.ts';
import type { StageCompiler, StageTable } from './stages/stage.ts';
import { compileFacet, compileUnionWith } from './stages/union.ts';
import { compileUnwind } from './stages/unwind.ts';

const SINGLE_STAGES: StageTable = {
  $densify: compileDensify,
  $facet: compileFacet,
  $fill: compileFill,
  $graphLookup: compileGraphLookup,
  $group: compileGroup,
  $lookup: compileLookup,
  $match: compileMatch,
  $redact: compileRedact,
  $sample: compileSample,
  $setWindowFields: compileSetWindowFields,
  $sort: compileSort,
  $unionWith: compileUnionWith,
  $unwind: compileUnwind,
};

export const STAGES: ReadonlyMap<string, StageCompiler> = new Map(
  [
    bucketStages,
    limitStages,
    projectStages,
    replaceRootStages,
    searchStages,
    serverSourceStages,
    SINGLE_STAGES,
  ].flatMap((table) => Object.entries(table)),
);

/** Stages that are carried out by others than the pipeline: by the writer, by a change stream. */
const CARRIED_OUT_ELSEWHERE: ReadonlySet<string> = new Set([
  '$changeStream',
  '$changeStreamSplitLargeEvent',
  '$geoNear',
  '$merge',
  '$out',
]);

/** Whether there is a stage of that name. */
export function isStageName(name: string): boolean {
  return STAGES.has(name) || CARRIED_OUT_ELSEWHERE.has(name);
}
