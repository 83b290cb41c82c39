/** Metadata of files: what uploads store and what JSON bodies change (rest-resources.md §7.1, §7.3). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, ObjectId } from '../../../../model/bson.ts';
import { hasUpdateOperator } from '../../update-operators.ts';

/** Name of a file whose metadata name none; the part's own name is not looked at. */
const DEFAULT_NAME = 'file';

/** Name and metadata of a new content. */
export interface FileFacts {
  readonly id: BsonValue | undefined;
  readonly filename: string;
  readonly metadata: BsonDocument;
}

/** Properties that a permission's `mergeRequest` writes over those of the client: a file's document is its metadata. */
type Forced = BsonDocument | undefined;

/** The client's properties, without those in whose place others are put, and without paths into these. */
function force(client: BsonDocument, forced: Forced): BsonDocument {
  if (forced === undefined) return new Map(client);
  const kept = [...client].filter(([name]) => !forced.has(name.split('.')[0] ?? name));
  return new Map([...kept, ...forced]);
}

/** The facts that an upload's metadata give; its content type is kept if given, else the sniffed one. */
export function toFileFacts(client: BsonDocument, sniffedType: string, forced: Forced): FileFacts {
  const sent = force(client, forced);
  const metadata: BsonDocument = new Map(sent);
  metadata.delete('_id');
  metadata.delete('_etag');
  if (!metadata.has('contentType')) metadata.set('contentType', sniffedType);
  metadata.set('_etag', new ObjectId());
  return { id: sent.get('_id'), filename: fileNameIn(sent) ?? DEFAULT_NAME, metadata };
}

function fileNameIn(metadata: BsonDocument): string | undefined {
  const name = metadata.get('filename');
  return typeof name === 'string' ? name : undefined;
}

/** New metadata in a JSON body: `metadata`, else `properties`, else the whole body. */
function metadataIn(body: BsonDocument, forced: Forced): BsonDocument {
  const sent = body.get('metadata') ?? body.get('properties') ?? body;
  if (!isDocument(sent)) {
    throw new QuorateError('ERR_REQUEST_FILE', {
      message: 'request content must be a Json object',
    });
  }
  const metadata = force(sent, forced);
  metadata.delete('_id');
  metadata.delete('_etag');
  return metadata;
}

/** Operators of a PUT: the metadata are replaced. */
export function replaceMetadata(body: BsonDocument, etag: ObjectId, forced: Forced): BsonDocument {
  const metadata = metadataIn(body, forced);
  const filename = fileNameIn(metadata);
  metadata.set('_etag', etag);
  return toSet(new Map([['metadata', metadata]]), filename);
}

/** Operators of a PATCH: the given leaves are set, nested objects by their paths. */
export function changeMetadata(body: BsonDocument, etag: ObjectId, forced: Forced): BsonDocument {
  const metadata = metadataIn(body, forced);
  if (hasUpdateOperator(body) || hasUpdateOperator(metadata)) {
    throw new QuorateError('ERR_REQUEST_FILE', {
      message: 'request content cannot contain update operators',
    });
  }
  const set: BsonDocument = new Map();
  flatten(metadata, 'metadata', set);
  set.set('metadata._etag', etag);
  return toSet(set, fileNameIn(metadata));
}

function flatten(document: BsonDocument, path: string, into: BsonDocument): void {
  for (const [name, value] of document) {
    if (isDocument(value) && value.size > 0) flatten(value, `${path}.${name}`, into);
    else into.set(`${path}.${name}`, value);
  }
}

function toSet(fields: BsonDocument, filename: string | undefined): BsonDocument {
  if (filename !== undefined) fields.set('filename', filename);
  return new Map([['$set', fields]]);
}
