/** The events of one collection through one pipeline, and what to do when reading them fails. */
import type { BsonDocument } from '../../model/bson.ts';
import type { Permit } from '../../model/permit.ts';
import { nextPosition, watchCollection } from '../../mongo/change-stream.ts';
import { isPositionLost, isUnavailable } from '../../mongo/map-error.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import type { EventOrigin } from './stream-worker.ts';

/** @param pipeline - with its variables replaced, checked against the security policy */
export function createEventOrigin(
  mongo: MongoAccess,
  namespace: Namespace,
  pipeline: readonly BsonDocument[],
  permit: Permit,
): EventOrigin {
  return {
    open: (after, { singly }) =>
      watchCollection(mongo, namespace, pipeline, {
        permit,
        after,
        ...(singly && { batchSize: 1 }),
      }),
    skip: (after) => nextPosition(mongo, namespace, { permit, after }),
    judge(error) {
      if (isPositionLost(error)) return 'restart';
      return isUnavailable(error) ? 'retry' : 'skip';
    },
  };
}
