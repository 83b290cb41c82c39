/** The checker of rest-resources.md §6.3: which stages and operators stored pipelines may not use. */

import { type BsonDocument, type BsonValue, isDocument } from '../../../../model/bson.ts';

/** The block `aggregationSecurity`. */
export interface PipelineSecurityConfig {
  readonly enabled: boolean;
  readonly stageBlacklist: readonly string[];
  readonly operatorBlacklist: readonly string[];
  readonly allowCrossDatabaseOperations: boolean;
  readonly allowJavaScriptExecution: boolean;
}

/** The shipped defaults. */
export const DEFAULT_PIPELINE_SECURITY: PipelineSecurityConfig = {
  enabled: true,
  stageBlacklist: ['$out', '$merge', '$lookup', '$graphLookup', '$unionWith'],
  operatorBlacklist: ['$where', '$function', '$accumulator'],
  allowCrossDatabaseOperations: false,
  allowJavaScriptExecution: false,
};

const JAVASCRIPT_STAGES = ['$where', '$function', '$accumulator'];

/**
 * The first violation of a pipeline whose variables are replaced, as `Security violation: …`; undefined when it has none.
 *
 * Stages of nested pipelines (`$facet`, `$lookup.pipeline` …) are held to the same lists; the reference looks at the top
 * level only, which lets a forbidden stage hide in a `$facet`.
 */
export function findSecurityViolation(
  stages: readonly BsonDocument[],
  database: string,
  config: PipelineSecurityConfig,
): string | undefined {
  if (!config.enabled) return undefined;
  const lists = {
    stages: lowerCase(config.stageBlacklist),
    operators: lowerCase(config.operatorBlacklist),
  };
  return inspectPipeline(stages, 'pipeline', { config, database, ...lists });
}

interface Inspection {
  readonly config: PipelineSecurityConfig;
  readonly database: string;
  readonly stages: ReadonlySet<string>;
  readonly operators: ReadonlySet<string>;
}

function lowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function report(type: string, operator: string, location: string, reason: string): string {
  return `Security violation: ${type} operator '${operator}' at ${location} - ${reason}`;
}

function inspectPipeline(
  stages: readonly BsonValue[],
  path: string,
  inspection: Inspection,
): string | undefined {
  for (const [index, stage] of stages.entries()) {
    if (!isDocument(stage)) continue;
    const location = `${path}[${index}]`;
    const found =
      inspectStage(stage, location, inspection) ?? inspectKeys(stage, location, inspection);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inspectStage(
  stage: BsonDocument,
  location: string,
  inspection: Inspection,
): string | undefined {
  for (const name of stage.keys()) {
    if (inspection.stages.has(name.toLowerCase())) {
      return report('BLACKLISTED_STAGE', name, location, 'Pipeline stage is in security blacklist');
    }
  }
  for (const [name, body] of stage) {
    const found = inspectDatabases(name, body, location, inspection);
    if (found !== undefined) return found;
  }
  if (inspection.config.allowJavaScriptExecution) return undefined;
  for (const name of stage.keys()) {
    if (JAVASCRIPT_STAGES.includes(name.toLowerCase())) {
      const reason = 'JavaScript execution is disabled by security policy';
      return report('JAVASCRIPT_EXECUTION', name, location, reason);
    }
  }
  return undefined;
}

function inspectDatabases(
  name: string,
  body: BsonValue,
  location: string,
  { config, database }: Inspection,
): string | undefined {
  if (config.allowCrossDatabaseOperations) return undefined;
  const target = namedDatabase(name, body);
  if (target === undefined || target === database) return undefined;
  const isOutput = OUTPUT_STAGES.has(name.toLowerCase());
  return isOutput
    ? report(
        'CROSS_DATABASE_OUTPUT',
        name,
        location,
        `Stage outputs to database '${target}' but request is for database '${database}'`,
      )
    : report(
        'CROSS_DATABASE_ACCESS',
        name,
        location,
        `Stage references database '${target}' but request is for database '${database}'`,
      );
}

const OUTPUT_STAGES = new Set(['$out', '$merge']);

/** The database that a stage names beside the request's own. */
function namedDatabase(name: string, body: BsonValue): string | undefined {
  const member = (key: string) => (isDocument(body) ? body.get(key) : undefined);
  switch (name.toLowerCase()) {
    case '$lookup':
    case '$graphlookup':
      return databaseIn(member('from'));
    case '$unionwith':
      return databaseIn(member('coll') ?? body) ?? databaseIn(isDocument(body) ? body : undefined);
    case '$out':
      return databaseIn(body);
    case '$merge':
      return databaseIn(member('into') ?? body);
    default:
      return undefined;
  }
}

/** `other.coll` and `{db: other, coll: …}` name the database `other`. */
function databaseIn(target: BsonValue | undefined): string | undefined {
  if (typeof target === 'string') {
    const dot = target.indexOf('.');
    return dot < 0 ? undefined : target.slice(0, dot);
  }
  if (!isDocument(target)) return undefined;
  const database = target.get('db');
  return typeof database === 'string' ? database : undefined;
}

function inspectKeys(
  value: BsonValue,
  location: string,
  inspection: Inspection,
): string | undefined {
  if (Array.isArray(value)) {
    const nested =
      value.length > 0 && value.every(isStage)
        ? inspectPipeline(value, location, inspection)
        : undefined;
    if (nested !== undefined) return nested;
    for (const [index, item] of value.entries()) {
      const found = inspectKeys(item, `${location}[${index}]`, inspection);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isDocument(value)) return undefined;
  for (const [name, member] of value) {
    if (inspection.operators.has(name.toLowerCase())) {
      return report('BLACKLISTED_OPERATOR', name, location, 'Operator is in security blacklist');
    }
    const found = inspectKeys(member, `${location}.${name}`, inspection);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Looks like a stage of a nested pipeline: one name, which begins with `$`. */
function isStage(value: BsonValue): boolean {
  if (!isDocument(value) || value.size !== 1) return false;
  const [name = ''] = value.keys();
  return name.startsWith('$');
}
