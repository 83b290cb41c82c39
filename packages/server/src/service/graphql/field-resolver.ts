/** The resolvers of an app's fields (graphql.md §5). */
import { type GraphQLField, type GraphQLFieldResolver, getNullableType, isListType } from 'graphql';
import { type BsonDocument, type BsonValue, isDocument, toNumber } from '../../model/bson.ts';
import {
  findSecurityViolation,
  type PipelineSecurityConfig,
} from '../rest/resources/aggregations/pipeline-security.ts';
import { toBsonArguments } from './arguments.ts';
import { completeValue } from './complete-value.ts';
import type { QueryPlan } from './data-reader.ts';
import type { AggregationMapping, FieldMapping, QueryMapping } from './field-mapping.ts';
import {
  type Bindings,
  InterpolationError,
  interpolate,
  interpolateStages,
} from './interpolate.ts';
import { type RequestScope, rootDocumentOf } from './request-scope.ts';
import { lookUpPath } from './value-path.ts';

/** Bounds and policy of all fields. */
export interface FieldSettings {
  readonly defaultLimit: number;
  readonly maxLimit: number;
  readonly security: PipelineSecurityConfig;
}

/** A pipeline that the security policy forbids. */
export class PipelineSecurityError extends Error {
  override readonly name = 'PipelineSecurityError';

  constructor(violation: string) {
    super(`GraphQL aggregation pipeline security violation: ${violation}`);
  }
}

type Field = GraphQLField<unknown, unknown>;
type Resolver = GraphQLFieldResolver<BsonValue | undefined, RequestScope>;

/** @param mapping - undefined: the field of the same name; nothing for fields of `Query`, which have no parent */
export function createFieldResolver(
  type: string,
  field: Field,
  mapping: FieldMapping | undefined,
  settings: FieldSettings,
): Resolver {
  if (mapping === undefined || mapping.kind === 'rename') {
    const path = mapping?.path ?? field.name;
    return (parent) => completeValue(lookUpPath(parent, path), field.type);
  }
  const isList = isListType(getNullableType(field.type));
  const isRoot = type === 'Query';
  const name = `${type}_${field.name}`;
  return async (parent, given, scope, { path }) => {
    scope.deadline.remainingMs();
    const bindings: Bindings = {
      args: toBsonArguments(field.args, given),
      parent: isRoot ? undefined : parent,
      rootDocument: isRoot ? undefined : rootDocumentOf(scope, path),
      user: mapping.kind === 'aggregation' ? scope.user : undefined,
    };
    const value =
      mapping.kind === 'query'
        ? await query(name, mapping, bindings, { scope, settings, isList })
        : await aggregatePipeline(name, mapping, bindings, { scope, settings, isList });
    if (path.prev === undefined) scope.roots.set(path.key, value);
    return completeValue(value, field.type);
  };
}

interface FetchContext {
  readonly scope: RequestScope;
  readonly settings: FieldSettings;
  readonly isList: boolean;
}

async function query(
  name: string,
  mapping: QueryMapping,
  bindings: Bindings,
  { scope, settings, isList }: FetchContext,
): Promise<BsonValue> {
  const filter = interpolate(mapping.find, bindings);
  if (!isDocument(filter)) throw new InterpolationError("'find' must be an object");
  const sort = mapping.sort && interpolate(mapping.sort, bindings);
  if (sort !== undefined && !isDocument(sort)) {
    throw new InterpolationError("'sort' must be an object");
  }
  const limit = readNumber('limit', mapping.limit, bindings) ?? settings.defaultLimit;
  if (limit > settings.maxLimit) {
    throw new InterpolationError(`Query variable cannot be greater than ${settings.maxLimit}`);
  }
  const plan: QueryPlan = {
    filter,
    sort,
    skip: readNumber('skip', mapping.skip, bindings) ?? 0,
    limit: isList ? limit : 1,
  };
  const { namespace, loader } = mapping;
  const documents =
    loader === undefined
      ? await scope.reader.find(namespace, plan)
      : await scope.loaders.loadQuery(name, loader, namespace, plan);
  return isList ? documents : (documents[0] ?? null);
}

function readNumber(
  property: string,
  value: BsonValue | undefined,
  bindings: Bindings,
): number | undefined {
  if (value === undefined) return undefined;
  // what an operator gives has to be an int32; a literal was judged when the definition was read
  const filled = isDocument(value) ? interpolate(value, bindings) : (toNumber(value) ?? null);
  if (typeof filled === 'number' && Number.isInteger(filled)) return filled;
  throw new InterpolationError(`'${property}' must be an integer of 32 bits`);
}

async function aggregatePipeline(
  name: string,
  mapping: AggregationMapping,
  bindings: Bindings,
  { scope, settings, isList }: FetchContext,
): Promise<BsonValue> {
  const { namespace, loader, allowDiskUse } = mapping;
  const stages: BsonDocument[] = interpolateStages(mapping.stages, bindings);
  const violation = findSecurityViolation(stages, namespace.database, settings.security);
  if (violation !== undefined) throw new PipelineSecurityError(violation);
  if (stages.length === 0) return isList || loader !== undefined ? [] : null;
  const plan = { stages, allowDiskUse };
  if (loader !== undefined) return scope.loaders.loadPipeline(name, loader, namespace, plan);
  const documents = await scope.reader.aggregate(namespace, plan);
  return isList ? documents : (documents[0] ?? null);
}
