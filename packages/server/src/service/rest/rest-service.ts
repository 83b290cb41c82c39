/** The MongoDB service: its steps in the order of rest-documents.md §3. */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonValue, isDocument } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Permit } from '../../model/permit.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service, ServiceContext } from '../../model/service.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import { writeJson } from '../../representation/json-writer.ts';
import type { AccountGuards } from './account-guards.ts';
import { withBeyond } from './beyond-cors.ts';
import { readContent } from './body.ts';
import { invalidateCollectionCache } from './collection-cache.ts';
import { HANDLERS } from './dispatch-table.ts';
import type { DocumentRules } from './document-rules.ts';
import type { ContentChecks, HandlerTable, RestContext, RestMethod } from './handler.ts';
import { loadMetadata } from './load-metadata.ts';
import { corsListsOf } from './methods.ts';
import { createMountTable } from './mounts.ts';
import { openRequest } from './open-request.ts';
import { addProperties } from './request-properties.ts';
import { traitsOf } from './request-traits.ts';
import type { ResourceType } from './resource-type.ts';
import { readConsistency, withConsistency } from './resources/consistency/consistency-header.ts';
import { handleTus, isTusRequest } from './resources/files/resumable-uploads.ts';
import { executeOnce, idempotencyKeyOf } from './resources/idempotency/idempotency.ts';
import { importDocuments, isImport } from './resources/transfer/import.ts';
import {
  checkProjection,
  createResponseProjection,
  mergeProperties,
} from './response-projection.ts';
import type { RestConfig } from './rest-config.ts';
import type { MongoRequest, RequestedSession } from './rest-request.ts';
import { readSession } from './session-parameters.ts';

/** What the service is made of. */
export interface RestServiceParts {
  readonly mongo: MongoAccess;
  readonly config: RestConfig;
  readonly checks: ContentChecks;
  /** Handlers with state of their own (change streams), beside those of the dispatch table. */
  readonly handlers?: HandlerTable;
  /** Guards of the collection of accounts; undefined: accounts are not kept in MongoDB. */
  readonly accountGuards?: AccountGuards;
  /** Rules for the documents of single collections. */
  readonly documentRules?: DocumentRules | undefined;
  /** Told of every write that succeeded or was undone, before its reply is sent. */
  readonly onWrite?: (request: MongoRequest) => Promise<void> | undefined;
}

/** Makes the service that answers under `mongo.uri`. */
export function createRestService(parts: RestServiceParts): Service<MongoRequest> {
  const { mongo, config, checks } = parts;
  const handlers: HandlerTable = { ...HANDLERS, ...parts.handlers };
  const mounts = createMountTable(config.uri, config.mounts);
  return {
    name: 'mongo',
    kind: 'mongo',
    uri: config.uri,
    match: 'prefix',
    secured: true,
    errorStyle: 'mongo',
    cors: (http, request) =>
      request === undefined
        ? undefined
        : withBeyond(corsListsOf(request.type, request.method), http),
    errorContext: (_http, request) =>
      request === undefined
        ? {}
        : { warnings: request.warnings, jsonMode: request.parameters.jsonMode },
    traits: (_http, request) => traitsOf(request),
    prepare: (http) => prepare(http),
    handle: (_http, request, context) => handle(request, context),
  };

  function prepare(http: HttpRequest): MongoRequest | Promise<MongoRequest> {
    const request = openRequest(http, mounts, config);
    if (request.rememberedError !== undefined || http.method === 'OPTIONS') return request;
    return loadMetadata(request, mongo);
  }

  function handle(request: MongoRequest, context: ServiceContext): Promise<Reply> {
    const key = idempotencyKeyOf(request);
    if (key === undefined) return execute(request, context);
    return executeOnce(mongo, request, context.identity, key, (session) =>
      execute(request, context, session),
    );
  }

  async function execute(
    request: MongoRequest,
    { identity, permit }: ServiceContext,
    ownSession?: RequestedSession,
  ): Promise<Reply> {
    vetoOperators(request, config);
    const isTus = isTusRequest(request);
    const isStream = isTus || isImport(request);
    if (!isStream) await readContent(request);
    if (request.rememberedError !== undefined) throw request.rememberedError;
    const context: RestContext = { mongo, config, identity, permit, checks };
    await applyPermit(request, permit, parts.accountGuards);
    if (!isStream) {
      addProperties(request, context);
      await checkSchema(request, context);
      await applyRules(request, parts.documentRules);
    }
    request.session = ownSession ?? readSession(request);
    request.causal = readConsistency(request.http);
    if (isTus) return handleTus(request, context);
    const handler = handlers[request.type]?.[request.method as RestMethod];
    if (handler === undefined) throw methodNotAllowed(request);
    const noteWrite = async () => {
      forgetPages(request, mongo);
      await parts.onWrite?.(request);
    };
    let reply: Reply | undefined;
    try {
      if (isStream) {
        const validate = await checks.loadDocumentValidator(request, context);
        reply = await importDocuments(request, { ...context, validate, onWritten: noteWrite });
      } else {
        reply = await handler(request, context);
      }
    } finally {
      if (request.method !== 'GET') {
        const hasWritten = reply === undefined ? request.isUndone : reply.status < 400;
        if (hasWritten) await noteWrite();
        else forgetPages(request, mongo);
      }
    }
    const answer = request.causal === undefined ? reply : withConsistency(reply, request.causal);
    return request.warnings.length === 0 ? answer : withWarnings(request, answer);
  }
}

/** What the rules change about a request: forced properties, guarded accounts, hidden fields. */
async function applyPermit(
  request: MongoRequest,
  permit: Permit,
  guards: AccountGuards | undefined,
): Promise<void> {
  const { databaseName, collectionName, method, type } = request;
  const guarded = guards?.applyTo(databaseName, collectionName) ? guards : undefined;
  guarded?.checkFilter(request.parameters.filter);
  if (method === 'GET') {
    guarded?.checkProjection(request.parameters.projection);
    checkProjection(permit, request.parameters.projection);
    request.hideFields = createResponseProjection(permit, guarded?.passwordProperty);
    return;
  }
  if (method === 'DELETE' || !WRITES_DOCUMENTS.has(type)) return;
  if (guarded && isImport(request)) {
    // lines are written as they come, without the checks and hashes of accounts
    throw new QuorateError('ERR_REQUEST_RESERVED', { message: 'accounts cannot be imported' });
  }
  if (guarded && request.content !== undefined) {
    request.content = await guarded.guardContent(request.content, method === 'PATCH');
  }
  // a PATCH without data stays one: it is refused
  if (permit.mergeRequest && !(request.content === undefined && method === 'PATCH')) {
    request.content = mergeProperties(request.content, permit.mergeRequest, method === 'PATCH');
  }
}

/** The rules of a collection for its documents: how they are stored and shown, and which may be written. */
async function applyRules(request: MongoRequest, rules: DocumentRules | undefined): Promise<void> {
  if (rules === undefined || request.method === 'DELETE' || !rules.appliesTo(request)) return;
  if (request.method === 'GET') {
    const { hideFields } = request;
    request.hideFields = hideFields
      ? (document) => rules.show(hideFields(document))
      : (document) => rules.show(document);
    return;
  }
  request.checkWritten = (document) => rules.checkWritten(request, document);
  await rules.checkWrite(request);
}

const WRITES_DOCUMENTS: ReadonlySet<ResourceType> = new Set([
  'COLLECTION',
  'DOCUMENT',
  'BULK_DOCUMENTS',
  'FILES_BUCKET',
  'FILE',
]);

/** Every write drops the cached pages it may have changed (rest-documents.md §4.5). */
function forgetPages({ databaseName, collectionName }: MongoRequest, mongo: MongoAccess): void {
  if (databaseName === '') return;
  invalidateCollectionCache(
    mongo,
    databaseName,
    collectionName === '' ? undefined : collectionName,
  );
}

function methodNotAllowed(request: MongoRequest): QuorateError {
  return new QuorateError('ERR_REQUEST_METHOD', {
    message: `method ${request.method} not allowed`,
  });
}

/** `filterOperatorsBlacklist`: refused for everybody, the administrator included (security.md §9). */
function vetoOperators(request: MongoRequest, config: RestConfig): void {
  const { filter } = request.parameters;
  if (filter === undefined || config.filterOperatorBlacklist.length === 0) return;
  if (usesOperator(filter, config.filterOperatorBlacklist)) {
    throw new QuorateError('ERR_AUTHZ_FORBIDDEN', { emptyBody: true });
  }
}

function usesOperator(value: BsonValue, operators: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((item) => usesOperator(item, operators));
  if (!isDocument(value)) return false;
  for (const [name, member] of value) {
    if (operators.includes(name) || usesOperator(member, operators)) return true;
  }
  return false;
}

/** POST and PUT bodies are checked before the write, PATCH results after it (rest-resources.md §4.2). */
async function checkSchema(request: MongoRequest, context: RestContext): Promise<void> {
  const { type, method, content } = request;
  const writes =
    (type === 'COLLECTION' && method === 'POST') || (type === 'DOCUMENT' && method === 'PUT');
  if (!writes || request.collectionProperties?.get('jsonSchema') === undefined) return;
  const validate = await context.checks.loadDocumentValidator(request, context);
  if (validate === undefined) return;
  if (Array.isArray(content) && content.length > 0) {
    for (const item of content) if (isDocument(item)) validate(item);
  } else {
    validate(isDocument(content) ? content : new Map());
  }
}

/** Only writes show their warnings on success, and get a body for them where HTTP allows one (rest-documents.md §2.5). */
function withWarnings(request: MongoRequest, reply: Reply): Reply {
  if (request.method === 'GET' || reply.status === 204 || reply.status === 304) return reply;
  const { jsonMode } = request.parameters;
  const warnings = `{"_warnings": ${writeJson(request.warnings, jsonMode)}`;
  const { body } = reply;
  if (body === undefined || body.valueOf() === '') {
    return { ...reply, body: `${warnings}}` };
  }
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return reply;
  const text = body.toString();
  if (!text.startsWith('{')) return reply;
  return { ...reply, body: text === '{}' ? `${warnings}}` : `${warnings}, ${text.slice(1)}` };
}
