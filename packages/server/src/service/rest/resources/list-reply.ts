/** Lists that are no pages of documents: indexes and results of aggregations (rest-documents.md §2.4). */

import type { BsonDocument } from '../../../model/bson.ts';
import type { Reply } from '../../../model/reply.ts';
import { writeJson } from '../../../representation/json-writer.ts';
import { transcodeArray } from '../../../representation/transcode.ts';
import { representedReply } from '../replies.ts';
import { representList } from '../represent.ts';
import type { MongoRequest } from '../rest-request.ts';

/** The indexes of a collection. */
export function indexesReply(request: MongoRequest, indexes: readonly BsonDocument[]): Reply {
  const { representation, jsonMode } = request.parameters;
  if (representation === 'STANDARD') {
    return representedReply(request, writeJson([...indexes], jsonMode));
  }
  const items = indexes.map((document) => ({ type: 'INDEX' as const, document }));
  return representedReply(request, representList(request, 'COLLECTION_INDEXES', { items }));
}

/** The results of an aggregation, which go from the database to the client undecoded; what is hidden from pages is hidden here. */
export function resultsReply(request: MongoRequest, found: readonly Buffer[]): Reply {
  const { representation, jsonMode } = request.parameters;
  const results = request.hideFields === undefined ? found : found.map(request.hideFields);
  if (representation === 'STANDARD') {
    return representedReply(request, transcodeArray(results, jsonMode));
  }
  const items = results.map((document) => ({ type: 'RESULT' as const, document }));
  return representedReply(request, representList(request, 'AGGREGATION', { items }));
}
