/** `POST /csv`: rows of a CSV text become documents (rest-resources.md §10). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, ObjectId } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Permit } from '../../model/permit.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import { bulkWriteDocuments } from '../../mongo/bulk-write.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace, OperationOptions } from '../../mongo/operation-options.ts';
import { writeDocument } from '../../mongo/write.ts';
import { writeJson } from '../../representation/json-writer.ts';
import {
  isIllegalCollectionName,
  isIllegalDatabaseName,
  isReservedCollection,
  isReservedDatabase,
} from '../rest/resource-names.ts';
import { type CsvOptions, parseCell, parseCsv } from './parse-csv.ts';

const INSERT_BATCH = 1000;
const PARALLEL_UPDATES = 16;

interface CsvUpload extends CsvOptions {
  readonly namespace: Namespace;
  readonly isUpdate: boolean;
  readonly isUpsert: boolean;
}

/** Makes the service; `written` hears of each collection that was written to. */
export function createCsvService(parts: {
  readonly uri: string;
  readonly mongo: MongoAccess;
  readonly written: (namespace: Namespace) => void;
  /** Collections that only the REST API may write to. */
  readonly isReserved: (namespace: Namespace) => boolean;
}): Service {
  const { mongo } = parts;
  return {
    name: 'csvLoader',
    uri: parts.uri,
    match: 'prefix',
    secured: true,
    errorStyle: 'msg',
    handlesOptions: true,
    async handle(request, _prepared, { permit }): Promise<Reply> {
      const contentType = request.header('content-type') ?? '';
      if (request.method === 'OPTIONS') return { status: 200, headers: [] };
      if (!/^\s*text\/csv\s*(?:;|$)/i.test(contentType)) return { status: 400, headers: [] };
      if (request.method !== 'POST') return refusal(501, 'Only POST method is supported');
      const upload = readUpload(request);
      if (typeof upload === 'string') return refusal(400, upload);
      if (parts.isReserved(upload.namespace)) {
        throw new QuorateError('ERR_REQUEST_RESERVED', { message: 'reserved resource' });
      }
      const text = (await request.body()).toString('utf8');
      const count = await load(mongo, text, upload, permit);
      parts.written(upload.namespace);
      return { status: count === 0 ? 304 : 200, headers: [] };
    },
  };
}

function refusal(status: number, message: string): Reply {
  const body = `{"msg": ${writeJson(message)}}`;
  return { status, headers: [['Content-Type', 'application/json']], body };
}

const USAGE =
  'id must be the 0-based index of the column that holds the ids; ' +
  'usage: POST /csv?db=<db>&coll=<coll>[&id=<column>][&sep=<regex>][&update=true][&upsert=false][&props=<name>&values=<value>]';

/** The query of an upload, or what is wrong with it. */
function readUpload({ query }: HttpRequest): CsvUpload | string {
  const database = query.get('db');
  if (database === undefined || database === '') return 'db qparam is mandatory';
  const collection = query.get('coll');
  if (collection === undefined || collection === '') return 'coll qparam is mandatory';
  if (isIllegalDatabaseName(database)) return 'illegal database name';
  if (isIllegalCollectionName(collection)) return 'illegal collection name';
  if (isReservedDatabase(database) || isReservedCollection(collection)) {
    throw new QuorateError('ERR_REQUEST_RESERVED', { message: 'reserved resource' });
  }
  const id = query.get('id');
  if (id !== undefined && !/^\d{1,6}$/.test(id)) return USAGE;
  const isUpdate = query.get('update') === 'true';
  if (isUpdate && id === undefined) return 'id must be set when update=true';
  return {
    namespace: { database, collection },
    separator: query.get('sep') ?? ',',
    idColumn: id === undefined ? undefined : Number(id),
    additions: readAdditions(query.getAll('props'), query.getAll('values')),
    isUpdate,
    isUpsert: query.get('upsert') !== 'false',
  };
}

function readAdditions(names: readonly string[], values: readonly string[]) {
  const additions = new Map<string, BsonValue>();
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value !== undefined) additions.set(name, parseCell(value));
  }
  return additions;
}

/** Writes the rows in batches; how many there were. */
async function load(
  mongo: MongoAccess,
  text: string,
  upload: CsvUpload,
  permit: Permit,
): Promise<number> {
  const size = upload.isUpdate ? PARALLEL_UPDATES : INSERT_BATCH;
  let count = 0;
  let batch: BsonDocument[] = [];
  const flush = async () => {
    if (batch.length === 0) return;
    count += batch.length;
    const due = batch;
    batch = [];
    await (upload.isUpdate
      ? updateRows(mongo, due, upload, { permit })
      : insertRows(mongo, due, upload, { permit }));
  };
  for (const row of rowsOf(text, upload)) {
    for (const [name, value] of permit.mergeRequest ?? []) row.set(name, value);
    batch.push(row);
    if (batch.length === size) await flush();
  }
  await flush();
  return count;
}

function rowsOf(text: string, upload: CsvUpload): Iterable<BsonDocument> {
  try {
    return parseCsv(text, upload);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_CSV', { message: 'sep is no regular expression', cause });
  }
}

async function insertRows(
  mongo: MongoAccess,
  rows: readonly BsonDocument[],
  { namespace }: CsvUpload,
  options: OperationOptions,
): Promise<void> {
  const documents = rows.map((row) => {
    const document: BsonDocument = new Map([['_id', row.get('_id') ?? new ObjectId()]]);
    for (const [name, value] of row) if (name !== '_id') document.set(name, value);
    return document.set('_etag', new ObjectId());
  });
  const result = await bulkWriteDocuments(mongo, namespace, { mode: 'insert', documents }, options);
  const [first] = result.errors;
  if (first !== undefined) {
    throw new QuorateError('ERR_DATABASE', { message: `error writing rows: ${first.message}` });
  }
}

async function updateRows(
  mongo: MongoAccess,
  rows: readonly BsonDocument[],
  { namespace, isUpsert }: CsvUpload,
  options: OperationOptions,
): Promise<void> {
  await Promise.all(
    rows.map((row) => {
      const set: BsonDocument = new Map(row);
      set.delete('_id');
      const narrowing = set.get('_filter');
      set.delete('_filter');
      set.set('_etag', new ObjectId());
      const filter = !isUpsert && isDocument(narrowing) ? narrowing : undefined;
      const change = { kind: 'update', operators: new Map([['$set', set]]) } as const;
      const mode = isUpsert ? 'upsert' : 'update';
      return writeDocument(
        mongo,
        namespace,
        { id: row.get('_id') ?? null, mode, change, filter },
        options,
      );
    }),
  );
}
