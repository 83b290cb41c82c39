/**
 * Resumable uploads by the tus protocol 1.0 (extensions creation, expiration, termination): POST to the bucket begins one,
 * PATCH of `<bucket>/_tus/<id>` goes on with it. A finished upload is an ordinary file. Beyond the reference.
 */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, isDocument } from '../../../../model/bson.ts';
import type { Reply, ReplyHeader } from '../../../../model/reply.ts';
import { CHUNK_BYTES } from '../../../../mongo/gridfs-bucket.ts';
import { finishUpload } from '../../../../mongo/gridfs-publish.ts';
import {
  appendToUpload,
  createUpload,
  findUpload,
  lockUpload,
  type ResumableUpload,
  readUploadHead,
  removeUpload,
} from '../../../../mongo/resumable-upload.ts';
import { duplicateKeyError } from '../../../../mongo/write.ts';
import { parseJson } from '../../../../representation/json-reader.ts';
import type { RestContext } from '../../handler.ts';
import { absoluteUrl, childPath, documentLocation } from '../../location.ts';
import { namespaceOf, writeOptionsOf } from '../../operation-context.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { toFileFacts } from './file-metadata.ts';
import { SNIFF_LENGTH, sniffContentType } from './sniff-content-type.ts';

const VERSION = '1.0.0';
const FOLDER = '_tus';
const TUS: ReplyHeader = ['Tus-Resumable', VERSION];

/** Whether a request speaks tus, to a bucket or to an upload in it. */
export function isTusRequest({ http, type, method, documentToken }: MongoRequest): boolean {
  if (http.header('tus-resumable') === undefined) return false;
  if (type === 'FILES_BUCKET') return method === 'POST';
  return type === 'FILE' && documentToken === FOLDER;
}

function refusal(status: number, message: string): QuorateError {
  return new QuorateError('ERR_REQUEST_FILE', { status, message, headers: [TUS] });
}

/** Answers a tus request. */
export async function handleTus(request: MongoRequest, context: RestContext): Promise<Reply> {
  if (request.http.header('tus-resumable') !== VERSION) {
    const headers: readonly ReplyHeader[] = [TUS, ['Tus-Version', VERSION]];
    throw new QuorateError('ERR_REQUEST_FILE', { status: 412, emptyBody: true, headers });
  }
  if (request.type === 'FILES_BUCKET') return begin(request, context);
  const upload = await findUpload(context.mongo, namespaceOf(request), request.nameToken ?? '');
  if (upload === undefined) throw refusal(404, 'the upload does not exist');
  switch (request.method) {
    case 'HEAD':
      return { status: 200, headers: progressHeaders(upload) };
    case 'PATCH':
      return goOn(request, context, upload);
    case 'DELETE':
      await removeUpload(context.mongo, upload, { keepContent: false });
      return { status: 204, headers: [TUS] };
    default:
      throw refusal(405, `method ${request.method} not allowed`);
  }
}

function progressHeaders(upload: ResumableUpload): ReplyHeader[] {
  return [
    TUS,
    ['Upload-Offset', String(upload.offset)],
    ['Upload-Length', String(upload.length)],
    ['Upload-Expires', upload.expiresAt.toUTCString()],
    ['Cache-Control', 'no-store'],
  ];
}

async function begin(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { http } = request;
  const text = http.header('upload-length') ?? '';
  if (!/^\d{1,15}$/.test(text)) throw refusal(400, 'Upload-Length must be a number');
  const metadata = readMetadata(http.header('upload-metadata') ?? '');
  const length = Number(text);
  const upload = await createUpload(context.mongo, namespaceOf(request), { length, metadata });
  const path = childPath(childPath(request.requestPath, FOLDER), upload.id);
  const headers: ReplyHeader[] = [
    TUS,
    ['Location', absoluteUrl(request, context.config, path)],
    ['Upload-Expires', upload.expiresAt.toUTCString()],
  ];
  if (length === 0) await finish(request, context, upload);
  return { status: 201, headers };
}

/** `Upload-Metadata`: names and base64 values; `metadata` may hold a JSON object with everything else. */
function readMetadata(header: string): BsonDocument {
  const metadata: BsonDocument = new Map();
  for (const pair of header.split(',')) {
    const [name = '', encoded = ''] = pair.trim().split(/\s+/);
    if (name === '') continue;
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    if (name === 'metadata') {
      for (const [key, value] of parseObject(text)) metadata.set(key, value);
    } else {
      metadata.set(name === 'filetype' ? 'contentType' : name, text);
    }
  }
  return metadata;
}

function parseObject(text: string): BsonDocument {
  try {
    const value = parseJson(text);
    if (isDocument(value)) return value;
  } catch {
    // refused below like any other value that is no object
  }
  throw refusal(400, 'metadata is not a json object');
}

async function goOn(
  request: MongoRequest,
  context: RestContext,
  upload: ResumableUpload,
): Promise<Reply> {
  const { http } = request;
  if (!/^\s*application\/offset\+octet-stream\b/i.test(http.header('content-type') ?? '')) {
    throw refusal(415, 'Content-Type must be application/offset+octet-stream');
  }
  if (http.header('upload-offset') !== String(upload.offset)) {
    throw refusal(409, 'Upload-Offset is not the offset of the upload');
  }
  const { mongo } = context;
  if (!(await lockUpload(mongo, upload)))
    throw refusal(423, 'the upload is being continued elsewhere');
  const { offset, failure } = await appendToUpload(mongo, upload, http.stream());
  if (failure instanceof RangeError) throw refusal(413, 'the content is longer than Upload-Length');
  if (failure !== undefined) throw failure;
  const headers: ReplyHeader[] = [TUS, ['Upload-Offset', String(offset)]];
  if (offset === upload.length) {
    headers.push(['Location', await finish(request, context, upload)]);
  } else {
    headers.push(['Upload-Expires', upload.expiresAt.toUTCString()]);
  }
  return { status: 204, headers };
}

/** Makes the file; where it is. */
async function finish(
  request: MongoRequest,
  context: RestContext,
  upload: ResumableUpload,
): Promise<string> {
  const { mongo, config } = context;
  const head = await readUploadHead(mongo, upload);
  const sniffedType = sniffContentType(head.subarray(0, SNIFF_LENGTH));
  const facts = toFileFacts(upload.metadata, sniffedType, context.permit.mergeRequest);
  const staged = { id: upload.stagedId, length: upload.length, chunkSize: CHUNK_BYTES };
  const file = { ...facts, mode: 'insert' } as const;
  const options = writeOptionsOf(request, context);
  const result = await finishUpload(mongo, upload.bucket, staged, file, options);
  await removeUpload(mongo, upload, { keepContent: true });
  if (result.outcome !== 'created') throw duplicateKeyError();
  const bucketPath =
    request.type === 'FILES_BUCKET'
      ? request.requestPath
      : request.requestPath.split('/').slice(0, -2).join('/');
  return documentLocation({ ...request, requestPath: bucketPath }, config, result.id);
}
