/** The GraphQL service, its apps, and the rules for their definitions. */

import { parsePredicate } from '../authz/acl/predicate-parser.ts';
import { OPEN_PERMIT } from '../authz/open-permit.ts';
import type { Settings } from '../config/schema.ts';
import type { AnyService } from '../model/service.ts';
import type { ChangeFeed } from '../mongo/change-feed.ts';
import { createIndex, dropIndex } from '../mongo/indexes.ts';
import { mongoCodeOf } from '../mongo/map-error.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import type { Namespace } from '../mongo/operation-options.ts';
import { AppRegistry } from '../service/graphql/app-registry.ts';
import { DefinitionRules } from '../service/graphql/definition-rules.ts';
import type { AppSettings } from '../service/graphql/graphql-app.ts';
import { createGraphQLService } from '../service/graphql/graphql-service.ts';
import type { DocumentRules } from '../service/rest/document-rules.ts';
import type { MongoRequest } from '../service/rest/rest-request.ts';

export interface GraphQLParts {
  readonly service: AnyService;
  readonly rules: DocumentRules;
  /** To be told of every write through the REST API; resolves when the apps are as written. */
  readonly written: (request: MongoRequest) => Promise<void> | undefined;
}

/** Where the definitions are. */
export function definitionsNamespace({ graphql }: Settings): Namespace {
  return { database: graphql.db, collection: graphql.collection };
}

/** Undefined when GraphQL is switched off. */
export function composeGraphQL(
  settings: Settings,
  mongo: MongoAccess,
  feed: ChangeFeed,
  warn: (message: string, error: unknown) => void,
): GraphQLParts | undefined {
  const { graphql, graphAppsInitializer, graphAppsUpdater } = settings;
  if (!graphql.enabled) return undefined;
  const namespace = definitionsNamespace(settings);
  const appSettings: AppSettings = {
    defaultLimit: graphql['default-limit'],
    maxLimit: graphql['max-limit'],
    maxDepth: graphql['max-depth'],
    restrictsDatabase: graphql['restrict-mapping-db'],
    security: settings.aggregationSecurity,
    parsePredicate,
  };
  const apps = new AppRegistry({
    mongo,
    permit: OPEN_PERMIT,
    namespace,
    settings: appSettings,
    isCaching: graphql['app-cache-enabled'],
    warn,
  });
  const isDefinitions = (database: string, collection: string) =>
    database === namespace.database && collection === namespace.collection;
  if (graphAppsUpdater.enabled) {
    feed.onChange(({ database, collection }) => {
      if (isDefinitions(database, collection)) void apps.refresh();
    });
    setInterval(() => void apps.refresh(), Math.max(1000, graphql['app-cache-ttr'])).unref();
  }
  // the feed has a gap when it begins to follow, which is once the database is there
  if (graphAppsInitializer.enabled) feed.onGap(() => void apps.refresh());
  if (settings.createIndexesOnGqlApps.enabled) void createIndexes(mongo, namespace, warn);
  return {
    service: createGraphQLService({
      uri: graphql.uri,
      mongo,
      apps,
      permit: OPEN_PERMIT,
      timeLimitMs: graphql['query-time-limit'],
      verbose: graphql.verbose,
      report: warn,
    }),
    rules: new DefinitionRules({ mongo, permit: OPEN_PERMIT, namespace, settings: appSettings }),
    written: ({ databaseName, collectionName }) =>
      isDefinitions(databaseName, collectionName) ? apps.refresh() : undefined,
  };
}

const INDEX_NOT_FOUND = 27;
const NAMESPACE_NOT_FOUND = 26;

/** One app for each uri, enforced by the database (graphql.md §1). */
async function createIndexes(
  mongo: MongoAccess,
  namespace: Namespace,
  warn: (message: string, error: unknown) => void,
): Promise<void> {
  try {
    await dropIndex(mongo, namespace, 'descriptor.name_1').catch((error: unknown) => {
      const code = mongoCodeOf(error);
      if (code !== INDEX_NOT_FOUND && code !== NAMESPACE_NOT_FOUND) throw error;
    });
    const index = new Map<string, boolean | Map<string, number>>([
      ['key', new Map([['descriptor.uri', 1]])],
      ['unique', true],
      ['sparse', true],
    ]);
    await createIndex(mongo, namespace, 'descriptor.uri_1', index);
  } catch (error) {
    warn('The index on the definitions of GraphQL apps could not be created', error);
  }
}
