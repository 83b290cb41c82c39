import type { Document, Value } from '../bson/value.ts';
import { compileProjection, type Projection } from '../query/projection.ts';
import { firstBatchLimit } from './cursor-reply.ts';
import { isTrue, toMap, toNonNegative, toNumber } from './field-types.ts';
import { readHint } from './matched-record.ts';
import type { QueryEnvironment } from './query-environment.ts';

/** What a find asks for, checked. */
export interface FindRequest {
  readonly filter: Document;
  readonly sort: Document | undefined;
  readonly projection: Document | undefined;
  readonly hint: Value | undefined;
  readonly skip: number | undefined;
  readonly limit: number | undefined;
  readonly singleBatch: boolean;
  readonly firstBatch: number;
}

/** @throws Location51024 for negative numbers, BadValue and others for contradictions */
export function readFindRequest(args: Document): FindRequest {
  const rawLimit = toNumber(args.get('limit')) ?? 0;
  const limit = toNonNegative('limit', args.get('limit')) ?? 0;
  const skip = toNonNegative('skip', args.get('skip')) ?? 0;
  const ntoreturn = toNumber(args.get('ntoreturn')) ?? 0;
  const singleBatch = isTrue(args.get('singleBatch')) || rawLimit < 0;
  const sort = toMap(args.get('sort'));
  const projection = toMap(args.get('projection'));
  return {
    filter: toMap(args.get('filter')) ?? new Map(),
    sort: sort !== undefined && sort.size > 0 ? sort : undefined,
    projection: projection !== undefined && projection.size > 0 ? projection : undefined,
    hint: readHint(args.get('hint')),
    skip: skip > 0 ? skip : undefined,
    limit: limit > 0 ? limit : ntoreturn > 0 ? ntoreturn : undefined,
    singleBatch,
    firstBatch: firstBatchLimit(args.get('batchSize')),
  };
}

/** The compiled projection of a find, if it has one. */
export function compileFindProjection(
  request: FindRequest,
  environment: QueryEnvironment,
): Projection | undefined {
  if (request.projection === undefined) return undefined;
  return compileProjection(request.projection, {
    collation: environment.collation,
    variables: environment.variables,
    compileExpression: environment.compileExpression,
    metaOf: environment.text.metaOf,
  });
}
