/** Services beyond RESTHeart's, which stand on the REST service and the guard. */

import type { Settings } from '../config/schema.ts';
import type { Guard } from '../model/ports.ts';
import type { AnyService, Service } from '../model/service.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import { createBatchService } from '../service/batch/batch-service.ts';
import type { MongoRequest } from '../service/rest/rest-request.ts';

/** Makes those that are enabled; none without the REST service. */
export function composeExtras(
  settings: Settings,
  parts: {
    readonly mongo: MongoAccess;
    readonly guard: Guard;
    readonly services: readonly AnyService[];
  },
): AnyService[] {
  const { mongo, guard } = parts;
  const rest = parts.services.find(({ name }) => name === 'mongo') as
    | Service<MongoRequest>
    | undefined;
  if (rest === undefined) return [];
  const services: AnyService[] = [];
  const { batch } = settings;
  if (batch.enabled) {
    services.push(
      createBatchService({
        uri: batch.uri,
        mongo,
        rest,
        authorize: (request, service, prepared, identity) =>
          guard.authorize(request, service, prepared, identity),
      }),
    );
  }
  return services;
}
