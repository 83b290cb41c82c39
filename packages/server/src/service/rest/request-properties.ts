/** Facts that are added to the documents of a write (rest-resources.md §2). */

import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { RestContext } from './handler.ts';
import type { MongoRequest } from './rest-request.ts';
import { hasUpdateOperator } from './update-operators.ts';

/** Applies the collection's `addRequestProperties` to the body of a write. */
export function addProperties(request: MongoRequest, context: RestContext): void {
  const { method, content } = request;
  if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return;
  const wanted = request.collectionProperties?.get('addRequestProperties');
  if (wanted === undefined || !isDocumentWrite(request)) return;
  const facts = collectFacts(wanted, request, context);
  if (facts === undefined) return;
  if (content === undefined) {
    // a PATCH without data stays one: it is refused
    if (method !== 'PATCH') request.content = mergeInto(new Map(), facts);
  } else if (Array.isArray(content)) {
    for (const item of content) if (isDocument(item)) mergeInto(item, facts);
  } else {
    mergeInto(content, facts);
  }
}

function isDocumentWrite(request: MongoRequest): boolean {
  const { type, method } = request;
  return (
    (type === 'COLLECTION' && method === 'POST') || type === 'DOCUMENT' || type === 'BULK_DOCUMENTS'
  );
}

/** Overwrites root properties; in a body with update operators they go into `$set`. */
function mergeInto(document: BsonDocument, properties: BsonDocument): BsonDocument {
  let target = document;
  if (hasUpdateOperator(document)) {
    const set = document.get('$set');
    target = isDocument(set) ? set : new Map();
    document.set('$set', target);
  }
  for (const [name, value] of properties) {
    if (target !== document) document.delete(name);
    target.set(name, value);
  }
  return document;
}

/** Array form: top-level properties. Object form: one sub-object under its first key. */
function collectFacts(
  wanted: BsonValue,
  request: MongoRequest,
  context: RestContext,
): BsonDocument | undefined {
  if (Array.isArray(wanted)) return factsOf(wanted, request, context);
  if (!isDocument(wanted)) return undefined;
  for (const [name, list] of wanted) {
    return Array.isArray(list) ? new Map([[name, factsOf(list, request, context)]]) : undefined;
  }
  return undefined;
}

function factsOf(
  names: readonly BsonValue[],
  request: MongoRequest,
  context: RestContext,
): BsonDocument {
  const facts: BsonDocument = new Map();
  for (const name of names) {
    if (typeof name !== 'string') continue;
    const fact = factOf(name, request, context);
    if (fact !== undefined) facts.set(name, fact);
  }
  return facts;
}

function factOf(name: string, { http }: MongoRequest, context: RestContext): BsonValue | undefined {
  const account = context.identity.kind === 'account' ? context.identity : undefined;
  switch (name) {
    case 'userName':
      return account?.name ?? null;
    case 'userRoles':
      return account === undefined ? null : [...account.roles];
    case 'epochTimeStamp':
      return new Date(Math.floor(http.receivedAtMs / 1000) * 1000);
    case 'dateTime':
      return toDateTime(http.receivedAtMs);
    case 'localIp':
      return http.localAddress;
    case 'localPort':
      return String(http.localPort);
    case 'localServerName':
      return http.host.replace(/:\d+$/, '');
    case 'queryString':
      return http.rawQuery === '' ? '' : `?${http.rawQuery}`;
    case 'relativePath':
      return http.rawPath;
    case 'remoteIp':
      return http.remoteAddress;
    case 'requestMethod':
      return http.method;
    case 'requestProtocol':
      return `HTTP/${http.httpVersion}`;
    default:
      return undefined;
  }
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Date and time as access logs write them: `[23/Nov/2026:05:45:03 +0000]`. */
function toDateTime(epochMs: number): string {
  const iso = new Date(epochMs).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? '';
  return `[${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000]`;
}
