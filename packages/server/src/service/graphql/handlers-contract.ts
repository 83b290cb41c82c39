/** What the service and its handlers, which are loaded later, know of each other. */
import type { HttpRequest } from '../../model/http-request.ts';
import type { Identity } from '../../model/identity.ts';
import type { Permit } from '../../model/permit.ts';
import type { Reply } from '../../model/reply.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { AppLookup, AppRegistry } from './app-registry.ts';

export interface GraphQLServiceOptions {
  readonly uri: string;
  readonly mongo: MongoAccess;
  readonly apps: AppRegistry;
  /** With which mappings read: rules on documents do not apply to them (graphql.md §9). */
  readonly permit: Permit;
  /** Milliseconds for a whole request; 0: no limit. */
  readonly timeLimitMs: number;
  readonly verbose: boolean;
  readonly report: (message: string, error: unknown) => void;
}

/** What is known of a request before it is authenticated. */
export type PreparedQuery =
  | { readonly kind: 'options' }
  | { readonly kind: 'query'; readonly lookup: AppLookup }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface GraphQLHandlers {
  prepare(http: HttpRequest): Promise<PreparedQuery>;
  handle(
    http: HttpRequest,
    prepared: PreparedQuery,
    context: { readonly identity: Identity },
  ): Promise<Reply>;
}

export const MEDIA_TYPE = 'application/graphql-response+json';
