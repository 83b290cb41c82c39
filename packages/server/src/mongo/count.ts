/** How many documents there are. */
import type { BsonDocument } from '../model/bson.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';
import { toDriverHint, toDriverReadOptions } from './read-options.ts';
import { runOperation } from './sessions.ts';
import { shareRead } from './shared-reads.ts';

/** A number of documents and how it was found out: the `X-Count-Strategy` header. */
export interface CountResult {
  readonly count: number;
  readonly strategy: 'exact' | 'estimated';
}

/**
 * Counts the documents that pass the filter and the permit. `estimated` is taken from the
 * collection's metadata, outside any session, and only when nothing filters (rest-documents.md §4.3).
 */
export async function count(
  mongo: MongoAccess,
  namespace: Namespace,
  request: {
    readonly filter?: BsonDocument | undefined;
    readonly hint?: BsonDocument | string | undefined;
    readonly estimated?: boolean | undefined;
  },
  options: OperationOptions,
): Promise<CountResult> {
  const filter = andFilters(request.filter, options.permit.readFilter);
  const read = toDriverReadOptions(options);
  if (request.estimated === true && filter.size === 0) {
    const estimate = await runOperation(mongo, { ...options, session: undefined }, (client) =>
      collectionOf(client, namespace).estimatedDocumentCount(
        read.maxTimeMS === undefined ? {} : { maxTimeMS: read.maxTimeMS },
      ),
    );
    return { count: estimate, strategy: 'estimated' };
  }
  const key = { command: 'count', namespace, details: { filter, hint: request.hint } };
  const exact = await shareRead(mongo, key, options, () =>
    runOperation(mongo, options, (client, session) =>
      collectionOf(client, namespace).countDocuments(filter as never, {
        ...read,
        ...(request.hint === undefined ? {} : { hint: toDriverHint(request.hint) as never }),
        ...(session ? { session } : {}),
      }),
    ),
  );
  return { count: exact, strategy: 'exact' };
}
