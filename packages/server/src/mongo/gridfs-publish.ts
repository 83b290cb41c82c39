/** Staged content becomes a file, or takes the place of one. */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { Long } from '../model/bson.ts';
import { readRawField, readRawPath } from '../model/raw-bson.ts';
import { type EtagCondition, isSameEtag, toEtag } from './etag-condition.ts';
import { FILE_ETAG_PATH, UPLOAD_FIELD } from './gridfs-bucket.ts';
import { forgetUpload } from './gridfs-records.ts';
import { readUnsettled, settleFile, type UnsettledFile } from './gridfs-settle.ts';
import { discardUpload, type StagedUpload } from './gridfs-upload.ts';
import { mongoCodeOf } from './map-error.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';

const DUPLICATE_KEY = 11000;
/** Somebody else was faster so often: give up. */
const MAX_ATTEMPTS = 10;

/** What makes staged content a file. */
export interface FileDescription {
  /** Undefined: the staged id. */
  readonly id?: BsonValue | undefined;
  readonly filename: string;
  /** Carries its new `_etag`. */
  readonly metadata: BsonDocument;
  /** `insert` refuses an id that exists, `upsert` replaces that file. */
  readonly mode: 'insert' | 'upsert';
  readonly etag?: EtagCondition | undefined;
}

/** What became of an upload. */
export interface UploadResult {
  readonly outcome: 'created' | 'updated' | 'duplicate' | 'etagMissing' | 'etagMismatch';
  readonly id: BsonValue;
  readonly storedEtag?: BsonValue | undefined;
}

/** Makes staged content a file, or discards it when it is refused. */
export async function finishUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  staged: StagedUpload,
  file: FileDescription,
  options: OperationOptions,
): Promise<UploadResult> {
  let isPublished = false;
  try {
    const { result, unsettled } = await publish(mongo, bucket, staged, file, options);
    isPublished = result.outcome === 'created' || result.outcome === 'updated';
    if (isPublished) await settleAndForget(mongo, staged, unsettled);
    return result;
  } finally {
    if (!isPublished) await discardUpload(mongo, bucket, staged);
  }
}

/** The file is there: a failure from here on leaves work to others (`gridfs-leftovers.ts`), and is none of the client's. */
async function settleAndForget(
  mongo: MongoAccess,
  staged: StagedUpload,
  unsettled: UnsettledFile | undefined,
): Promise<void> {
  try {
    if (unsettled !== undefined) await settleFile(mongo, unsettled);
    await forgetUpload(mongo, staged.id);
  } catch {
    // the record of the upload remains
  }
}

interface Published {
  readonly result: UploadResult;
  /** The file's chunks do not have its id yet. */
  readonly unsettled?: UnsettledFile;
}

async function publish(
  mongo: MongoAccess,
  bucket: Namespace,
  staged: StagedUpload,
  file: FileDescription,
  options: OperationOptions,
): Promise<Published> {
  if (file.id === undefined) {
    await mapped(() => insertFile(mongo, bucket, toDocument(staged, file, new Date())));
    return { result: { outcome: 'created', id: staged.id } };
  }
  return publishAs(mongo, bucket, staged, { ...file, id: file.id }, options);
}

/** One write of the files document decides: before it the id has the old content or none, after it the new one. */
async function publishAs(
  mongo: MongoAccess,
  bucket: Namespace,
  staged: StagedUpload,
  file: FileDescription & { readonly id: BsonValue },
  options: OperationOptions,
): Promise<Published> {
  const { id } = file;
  let seen: StoredFile | undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const stored = await readStored(mongo, bucket, id);
    const uploadDate = dateAfter(stored?.uploadDate);
    const unsettled: UnsettledFile = {
      bucket,
      id,
      upload: staged.id,
      chunkCount: Math.ceil(staged.length / staged.chunkSize),
      uploadDate,
      replaces: stored !== undefined,
    };
    const document = toDocument(staged, file, uploadDate);
    document.set(UPLOAD_FIELD, staged.id);
    if (stored === undefined) {
      if (await tryInsert(mongo, bucket, document))
        return { result: { outcome: 'created', id }, unsettled };
      continue;
    }
    if (file.mode === 'insert') return { result: { outcome: 'duplicate', id } };
    const refused = checkEtag(stored.etag, file.etag);
    if (refused !== undefined) return { result: { outcome: refused, id, storedEtag: stored.etag } };
    // nothing has changed since the last attempt: it is the permit that excludes the file
    if (seen !== undefined && isSameVersion(seen, stored)) break;
    seen = stored;
    if (stored.unsettled !== undefined) {
      await settleFile(mongo, stored.unsettled);
      seen = undefined;
      continue;
    }
    const guard: BsonDocument = new Map<string, BsonValue>([
      ['_id', id],
      ['uploadDate', stored.uploadDate ?? null],
      [UPLOAD_FIELD, null],
    ]);
    if (file.etag?.required === true) guard.set(FILE_ETAG_PATH, stored.etag ?? null);
    const filter = andFilters(guard, options.permit.writeFilter);
    const { matchedCount } = await mapped(() =>
      collectionOf(mongo.client, bucket).replaceOne(filter as never, document as never),
    );
    if (matchedCount > 0) return { result: { outcome: 'updated', id }, unsettled };
  }
  return { result: { outcome: 'duplicate', id } };
}

/** Two contents of one id never have the same date, by which readers tell them apart. */
function dateAfter(stored: BsonValue | undefined): Date {
  return new Date(Math.max(Date.now(), stored instanceof Date ? stored.getTime() + 1 : 0));
}

function toDocument(
  staged: StagedUpload,
  { id, filename, metadata }: FileDescription,
  uploadDate: Date,
): BsonDocument {
  return new Map<string, BsonValue>([
    ['_id', id === undefined ? staged.id : id],
    ['filename', filename],
    ['length', Long.fromNumber(staged.length)],
    ['chunkSize', staged.chunkSize],
    ['uploadDate', uploadDate],
    ['metadata', metadata],
  ]);
}

async function insertFile(
  mongo: MongoAccess,
  bucket: Namespace,
  document: BsonDocument,
): Promise<void> {
  await collectionOf(mongo.client, bucket).insertOne(document as never, {
    forceServerObjectId: true,
  });
}

/** False when the id has a file already. */
async function tryInsert(
  mongo: MongoAccess,
  bucket: Namespace,
  document: BsonDocument,
): Promise<boolean> {
  try {
    await mapped(() => insertFile(mongo, bucket, document));
    return true;
  } catch (failure) {
    if (mongoCodeOf(failure) === DUPLICATE_KEY) return false;
    throw failure;
  }
}

interface StoredFile {
  readonly etag: BsonValue | undefined;
  readonly uploadDate: BsonValue | undefined;
  readonly unsettled: UnsettledFile | undefined;
}

function isSameVersion(a: StoredFile, b: StoredFile): boolean {
  return String(a.uploadDate) === String(b.uploadDate) && String(a.etag) === String(b.etag);
}

async function readStored(
  mongo: MongoAccess,
  bucket: Namespace,
  id: BsonValue,
): Promise<StoredFile | undefined> {
  const found = await mapped(() =>
    collectionOf(mongo.client, bucket).findOne({ _id: id as never }, { raw: true }),
  );
  if (found === null) return undefined;
  const raw = found as unknown as Uint8Array;
  return {
    etag: readRawPath(raw, FILE_ETAG_PATH),
    uploadDate: readRawField(raw, 'uploadDate'),
    unsettled: readUnsettled(bucket, raw),
  };
}

function checkEtag(
  stored: BsonValue | undefined,
  etag: EtagCondition | undefined,
): 'etagMissing' | 'etagMismatch' | undefined {
  if (etag?.required !== true) return undefined;
  if (etag.presented === undefined) return 'etagMissing';
  return isSameEtag(stored, toEtag(etag.presented)) ? undefined : 'etagMismatch';
}
