/** Bodies of POST, PUT and PATCH and the rules all of them obey (rest-documents.md §2.1, §5.1). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, bsonTypeOf, isDocument } from '../../model/bson.ts';
import { parseJsonBody } from '../../representation/json-reader.ts';
import { expandDots } from './dot-notation.ts';
import { parseMultipart, parseUrlencoded, toFormDocument } from './form-body.ts';
import { textOf } from './json-parameters.ts';
import type { MongoRequest } from './rest-request.ts';
import { checkNoUpdateOperators } from './update-operators.ts';

/** What a body is, by its `Content-Type`. */
export type BodyKind = 'json' | 'urlencoded' | 'multipart';

/** @throws ERR_REQUEST_MEDIA_TYPE for anything but JSON and forms */
export function bodyKindOf(contentType: string | undefined): BodyKind {
  if (contentType === undefined || contentType === '' || contentType === 'application/json') {
    return 'json';
  }
  const type = contentType.trim().toLowerCase();
  if (type.startsWith('application/json') || type.startsWith('application/hal+json')) return 'json';
  if (type.startsWith('application/x-www-form-urlencoded')) return 'urlencoded';
  if (type.startsWith('multipart/form-data')) return 'multipart';
  throw new QuorateError('ERR_REQUEST_MEDIA_TYPE', {
    message: 'Content-Type must be either: application/json or application/hal+json',
  });
}

/** Uploads are read by the handlers of files as a stream. */
function isUpload(request: MongoRequest, kind: BodyKind): boolean {
  if (request.type === 'FILES_BUCKET') return request.method === 'POST';
  return request.type === 'FILE' && kind === 'multipart';
}

/**
 * Reads the body into `request.content` and applies the rules that hold for every resource.
 *
 * @throws ERR_REQUEST_MEDIA_TYPE, ERR_REQUEST_JSON, ERR_REQUEST_MULTIPART, ERR_REQUEST_BODY
 */
export async function readContent(request: MongoRequest): Promise<void> {
  const { http, method } = request;
  if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return;
  const contentType = http.header('content-type');
  const kind = bodyKindOf(contentType);
  request.isForm = kind !== 'json';
  if (isUpload(request, kind)) return;
  if (!http.hasBody) return;
  const value = await parseContent(await http.body(), kind, contentType ?? '');
  if (value !== undefined) request.content = checkContent(value, method);
}

async function parseContent(
  body: Buffer,
  kind: BodyKind,
  contentType: string,
): Promise<BsonValue | undefined> {
  switch (kind) {
    case 'json':
      try {
        return parseJsonBody(body);
      } catch (cause) {
        throw new QuorateError('ERR_REQUEST_JSON', {
          message: `Invalid JSON. ${textOf(cause)}`,
          cause,
        });
      }
    case 'urlencoded':
      return body.length === 0 ? undefined : toFormDocument(parseUrlencoded(body));
    case 'multipart':
      return body.length === 0
        ? undefined
        : toFormDocument(await parseMultipart(body, contentType));
  }
}

/** The shape rules, then dot expansion and the operator check of POST and PUT. */
function checkContent(value: BsonValue, method: string): BsonDocument | BsonValue[] {
  if (isDocument(value)) return checkDocument(value, method);
  if (!Array.isArray(value)) {
    throw new QuorateError('ERR_REQUEST_BODY', {
      message: `request data must be either a json object or an array, got ${bsonTypeOf(value)}`,
    });
  }
  if (value.length > 0 && !isDocument(value[0])) {
    throw new QuorateError('ERR_REQUEST_BODY', {
      message: 'request data must be either an json object or an array of objects',
    });
  }
  const items: BsonValue[] = [];
  for (const item of value) if (isDocument(item)) items.push(checkDocument(item, method));
  return items;
}

function checkDocument(document: BsonDocument, method: string): BsonDocument {
  if (Array.isArray(document.get('_id'))) {
    throw new QuorateError('ERR_REQUEST_BODY', {
      message: 'the type of _id in request data is not supported: ARRAY',
    });
  }
  if (method === 'PATCH') return document;
  checkNoUpdateOperators(document);
  return expandDots(document);
}

/** The refusal of an array where a resource takes one object. */
export function notAnObject(): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message: 'request content must be a Json object' });
}

/** The refusal of a PATCH, or a file update, without content. */
export function noDataProvided(): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message: 'no data provided' });
}

/**
 * The body as one document; an absent body is an empty one.
 *
 * @throws ERR_REQUEST_BODY for an array
 */
export function documentContent(request: MongoRequest): BsonDocument {
  const { content } = request;
  if (content === undefined) return new Map();
  if (Array.isArray(content)) throw notAnObject();
  return content;
}
