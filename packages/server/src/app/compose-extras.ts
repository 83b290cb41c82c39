/** Services beyond RESTHeart's, which stand on the REST service and the guard. */

import type { Settings } from '../config/schema.ts';
import { readBuildInfo } from '../config/version.ts';
import type { Guard } from '../model/ports.ts';
import type { AnyService, Service } from '../model/service.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import { createBatchService } from '../service/batch/batch-service.ts';
import { createDataApiService } from '../service/data-api/data-api-service.ts';
import { createOpenApiServices } from '../service/openapi/openapi-service.ts';
import type { MongoRequest, RequestMount } from '../service/rest/rest-request.ts';
import { createAccountsTest } from './accounts-collection.ts';
import { toRestConfig } from './rest-settings.ts';

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
  const { dataApi, aggregationSecurity, filterOperatorsBlacklist: blacklist } = settings;
  if (dataApi.enabled) {
    services.push(
      createDataApiService({
        uri: dataApi.uri,
        mongo,
        security: aggregationSecurity,
        isReserved: createAccountsTest(settings),
        operatorBlacklist: blacklist.enabled ? blacklist.blacklist : [],
      }),
    );
  }
  const { openApi } = settings;
  if (openApi.enabled) {
    services.push(
      ...createOpenApiServices({
        uri: openApi.uri,
        docsUri: openApi['docs-uri'],
        mongo,
        rest,
        mounts: mountsOf(settings),
        version: readBuildInfo().version,
      }),
    );
  }
  return services;
}

/** Mounts with the service's own URI in front, as requests see them; templates name no fixed path. */
function mountsOf(settings: Settings): RequestMount[] {
  const { uri, mounts } = toRestConfig(settings);
  return mounts
    .filter(({ where }) => !where.includes('{'))
    .map(({ what, where }) => {
      const path = `${uri}/${where}`.replace(/\/{2,}/g, '/').replace(/\/$/, '');
      return { what, where: path === '' ? '/' : path };
    });
}
