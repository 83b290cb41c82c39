/** The GraphQL service (graphql.md §8): what does the work is loaded with the first request, for the library takes time to load. */
import type { Service } from '../../model/service.ts';
import {
  type GraphQLHandlers,
  type GraphQLServiceOptions,
  MEDIA_TYPE,
  type PreparedQuery,
} from './handlers-contract.ts';

export function createGraphQLService(options: GraphQLServiceOptions): Service<PreparedQuery> {
  let handlers: GraphQLHandlers | undefined;
  const load = async (): Promise<GraphQLHandlers> => {
    const { createGraphQLHandlers } = await import('./graphql-handlers.ts');
    handlers ??= createGraphQLHandlers(options);
    return handlers;
  };
  return {
    name: 'graphql',
    kind: 'graphql',
    uri: options.uri,
    match: 'prefix',
    secured: true,
    errorStyle: 'mongo',
    errorMediaType: MEDIA_TYPE,
    handlesOptions: true,
    cors: () => CORS,
    prepare: async (http) => (handlers ?? (await load())).prepare(http),
    handle: async (http, prepared, context) =>
      (handlers ?? (await load())).handle(http, prepared, context),
  };
}

// the lists of any service, but for the method (operations.md §10)
const CORS = {
  allowMethods: 'POST',
  allowHeaders: 'Authorization, Content-Type, X-Requested-With, No-Auth-Challenge',
  exposeHeaders: '',
};
