/** Stored aggregations, found among the properties of a collection (rest-resources.md §6.1). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, isDocument } from '../../../../model/bson.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { invalidAggregation } from './bind-variables.ts';
import { unescapeStages } from './escape-pipeline.ts';

/** One entry of `aggrs`, ready for its variables. */
export interface AggregationDefinition {
  readonly stages: readonly BsonDocument[];
  readonly allowDiskUse: boolean;
}

const PIPELINE_TYPES: readonly unknown[] = [
  undefined,
  'pipeline',
  'aggregation',
  'aggregate',
  'aggregation pipeline',
  'aggregationPipeline',
  'aggregation-pipeline',
  'AGGREGATION_PIPELINE',
  'ap',
];

function invalidMetadata(message: string, exceptionMessage: string): QuorateError {
  return new QuorateError('ERR_REQUEST_AGGREGATION', {
    status: 422,
    message,
    exception: 'org.restheart.exchange.InvalidMetadataException',
    exceptionMessage,
  });
}

/**
 * The aggregation of that name; undefined when there is none. A broken entry makes all aggregations of the
 * collection fail, as in the reference.
 */
export function findAggregation(
  properties: BsonDocument | undefined,
  uri: string,
): AggregationDefinition | undefined {
  const entries = properties?.get('aggrs');
  if (entries === undefined || entries === null) return undefined;
  if (!Array.isArray(entries)) {
    throw invalidMetadata('invalid aggregation', "element 'aggrs' is not an array");
  }
  for (const entry of entries) checkEntry(entry);
  const found = entries.find((entry) => isDocument(entry) && entry.get('uri') === uri);
  if (!isDocument(found)) return undefined;
  const stages = unescapeStages(found.get('stages') ?? null);
  if (!Array.isArray(stages) || !stages.every(isDocument)) throw invalidAggregation();
  return { stages, allowDiskUse: found.get('allowDiskUse') === true };
}

function checkEntry(entry: unknown): void {
  if (!isDocument(entry)) {
    throw invalidMetadata('invalid aggregation', "element of 'aggrs' is not an object");
  }
  const type = entry.get('type');
  if (!PIPELINE_TYPES.includes(type)) {
    const text = typeof type === 'string' ? type : writeJson(type ?? null);
    throw invalidMetadata('unknown query type', `query has invalid 'type': ${text}`);
  }
  if (typeof entry.get('uri') !== 'string') {
    throw invalidMetadata('invalid aggregation', "query does not have 'uri' property");
  }
  if (!Array.isArray(entry.get('stages'))) {
    throw invalidMetadata('invalid aggregation', "query does not have 'stages' property");
  }
}
