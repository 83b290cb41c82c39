/** How the REST service is put together: resource type × method → handler. */

import type { BsonDocument } from '../../model/bson.ts';
import type { Identity } from '../../model/identity.ts';
import type { Permit } from '../../model/permit.ts';
import type { Reply } from '../../model/reply.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { ResourceType } from './resource-type.ts';
import type { RestConfig } from './rest-config.ts';
import type { MongoRequest } from './rest-request.ts';

/** The methods that a handler can be bound to; OPTIONS and HEAD never reach one (rest-documents.md §1.2). */
export type RestMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler works with beside its request; one per request, made after authorization. */
export interface RestContext {
  readonly mongo: MongoAccess;
  readonly config: RestConfig;
  readonly identity: Identity;
  readonly permit: Permit;
  readonly checks: ContentChecks;
}

/**
 * Answers one request. Throws QuorateError for every failure; the service adds representation of errors,
 * warnings and the `Content-Type` of empty answers.
 */
export type Handler = (request: MongoRequest, context: RestContext) => Promise<Reply>;

/** Handlers by resource type and method; what is absent is 405. */
export type HandlerTable = {
  readonly [type in ResourceType]?: { readonly [method in RestMethod]?: Handler };
};

/** Throws when a document does not satisfy the collection's schema. */
export type DocumentValidator = (document: BsonDocument) => void;

/** Checks on content that other families of handlers contribute to document writes (rest-resources.md §4.2). */
export interface ContentChecks {
  /**
   * The validator that the collection's `jsonSchema` property asks for, or undefined. POST and PUT documents are
   * checked with it before the handler, PATCH results after the write.
   */
  loadDocumentValidator(
    request: MongoRequest,
    context: RestContext,
  ): Promise<DocumentValidator | undefined>;
}

/** No collection has a schema: until the schema handlers are plugged in, and in unit tests. */
export const NO_CONTENT_CHECKS: ContentChecks = {
  loadDocumentValidator: async () => undefined,
};
