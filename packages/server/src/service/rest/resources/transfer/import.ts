/** NDJSON bodies: each line a document, read and written as it arrives, with a result for each line. Beyond the reference. */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { OverflowQueue } from '../../../../lib/overflow-queue.ts';
import { type BsonDocument, type BsonValue, isDocument, ObjectId } from '../../../../model/bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import { bulkWriteDocuments } from '../../../../mongo/bulk-write.ts';
import { parseJson } from '../../../../representation/json-reader.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { toStoredDocument } from '../../document-writes.ts';
import { expandDots } from '../../dot-notation.ts';
import type { DocumentValidator, RestContext } from '../../handler.ts';
import { namespaceOf, writeOptionsOf } from '../../operation-context.ts';
import { isReservedId } from '../../resource-names.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { checkNoUpdateOperators } from '../../update-operators.ts';

/** Fewer make an import slower, more of them the node larger. */
const BATCH = 250;
const MAX_LINE_BYTES = 17 * 1024 * 1024;
const DUPLICATE_KEY = 11000;

/** Whether a request is an import. */
export function isImport({ type, method, http }: MongoRequest): boolean {
  if (type !== 'COLLECTION' || method !== 'POST') return false;
  const contentType = http.header('content-type');
  return contentType !== undefined && /^\s*application\/(?:x-)?ndjson\b/i.test(contentType);
}

interface LineResult {
  readonly line: number;
  readonly status: number;
  readonly id?: BsonValue;
  readonly message?: string;
}

interface Line {
  readonly number: number;
  readonly document: BsonDocument;
}

/** What an import needs besides its request. */
export interface ImportContext extends RestContext {
  readonly validate: DocumentValidator | undefined;
  /** Called after lines were written while the reply was already under way. */
  readonly onWritten: () => Promise<void>;
}

/** A shorter reply is sent as a whole, with a status that tells of failures. */
const WHOLE_REPLY_CHARACTERS = 64 * 1024;
/** Results go on together. */
const PIECE_CHARACTERS = 16 * 1024;
/** What a client has not read yet is kept in memory up to this size. */
const WAITING_BYTES = 1024 * 1024;
const HEADERS = [['Content-Type', 'application/x-ndjson; charset=UTF-8']] as const;

/**
 * POST of NDJSON: 200 with a line `{"line": n, "status": s, …}` for each line that was not blank. With `ordered=true`
 * the import ends at the first line that fails; batches before it are written. The reply of a long import begins while
 * lines still come; when the database fails from then on, a last line tells from where, and with which status.
 */
export async function importDocuments(
  request: MongoRequest,
  context: ImportContext,
): Promise<Reply> {
  const progress = { line: 1 };
  const results = importLines(request, context, progress);
  let head = '';
  while (head.length < WHOLE_REPLY_CHARACTERS) {
    const { done, value } = await results.next();
    if (done === true) return { status: 200, headers: HEADERS, body: head };
    head += value;
  }
  const queue = new OverflowQueue({ memoryBytes: WAITING_BYTES });
  await queue.write(Buffer.from(head));
  const importing = importRest(queue, results, context).catch((failure: unknown) =>
    failure instanceof QuorateError && failure.status >= 500
      ? endWith(
          queue,
          { line: progress.line, status: failure.status, message: failure.message },
          request,
        )
      : queue.end(failure),
  );
  // the header with the time of the last write goes before the body
  if (request.causal !== undefined) await importing;
  return { status: 200, headers: HEADERS, body: queue.read() };
}

/** Imports what is left. A client that sends everything before it reads anything is not kept from sending. */
async function importRest(
  queue: OverflowQueue,
  results: AsyncIterable<string>,
  { onWritten }: ImportContext,
): Promise<void> {
  for await (const piece of results) {
    await onWritten();
    await queue.write(Buffer.from(piece));
    if (queue.isAbandoned) break;
  }
  queue.end();
}

async function endWith(
  queue: OverflowQueue,
  result: LineResult,
  request: MongoRequest,
): Promise<void> {
  await queue.write(Buffer.from(formatResult(result, request)));
  queue.end();
}

/** The results, as many at a time as were written together. */
async function* importLines(
  request: MongoRequest,
  context: ImportContext,
  progress: { line: number },
): AsyncGenerator<string, undefined> {
  const isOrdered = request.http.query.get('ordered') === 'true';
  let results = '';
  let batch: Line[] = [];
  let isBroken = false;
  let number = 0;
  const report = (result: LineResult) => {
    results += formatResult(result, request);
    if (result.status >= 400 && isOrdered) isBroken = true;
  };
  const flush = async () => {
    const due = batch;
    batch = [];
    for (const result of await writeBatch(request, context, due)) report(result);
    progress.line = number + 1;
  };
  try {
    for await (const text of readLines(request.http.stream())) {
      number += 1;
      if (text.trim() === '' || isBroken) continue;
      const document = toDocument(text, request, context, context.validate);
      if (document instanceof Map) batch.push({ number, document });
      // what came before keeps its place in the report, and in ordered imports is written first
      else {
        await flush();
        if (!isBroken) report({ line: number, status: 400, message: document });
      }
      if (batch.length >= (isOrdered ? 1 : BATCH)) await flush();
      if (results.length < PIECE_CHARACTERS) continue;
      yield results;
      results = '';
    }
    await flush();
  } catch (failure) {
    // what was written before it is told before it
    yield results;
    throw failure;
  }
  yield results;
  return undefined;
}

function formatResult({ line, status, id, message }: LineResult, request: MongoRequest): string {
  const result: BsonDocument = new Map<string, BsonValue>([
    ['line', line],
    ['status', status],
  ]);
  if (id !== undefined) result.set('_id', id);
  if (message !== undefined) result.set('message', message);
  return `${writeJson(result, request.parameters.jsonMode)}\n`;
}

/** The document of a line, or what is wrong with it. */
function toDocument(
  text: string,
  request: MongoRequest,
  { permit }: RestContext,
  validate: DocumentValidator | undefined,
): BsonDocument | string {
  try {
    const value = parseJson(text);
    if (!isDocument(value)) return 'a line must be a json object';
    checkNoUpdateOperators(value);
    const body = expandDots(value);
    for (const [name, forced] of permit.mergeRequest ?? []) body.set(name, forced);
    const id = body.get('_id');
    if (isReservedId(id)) return `id is reserved: ${String(id)}`;
    if (Array.isArray(id)) return 'the type of _id in request data is not supported: ARRAY';
    validate?.(body);
    const etag = new ObjectId();
    return toStoredDocument(body, id ?? new ObjectId(), etag, request.http.receivedAtMs);
  } catch (failure) {
    if (failure instanceof QuorateError && failure.status >= 500) throw failure;
    return failure instanceof Error ? failure.message : String(failure);
  }
}

async function writeBatch(
  request: MongoRequest,
  context: RestContext,
  lines: readonly Line[],
): Promise<LineResult[]> {
  if (lines.length === 0) return [];
  const mode = request.parameters.writeMode ?? 'insert';
  const result = await bulkWriteDocuments(
    context.mongo,
    namespaceOf(request),
    { mode, documents: lines.map(({ document }) => document) },
    writeOptionsOf(request, context),
  );
  const errors = new Map(result.errors.map((error) => [error.index, error]));
  return lines.map(({ number, document }, index): LineResult => {
    const error = errors.get(index);
    const id = document.get('_id') ?? null;
    if (error === undefined) return { line: number, status: mode === 'insert' ? 201 : 200, id };
    const status = error.code === DUPLICATE_KEY ? 409 : 400;
    return { line: number, status, id, message: error.message };
  });
}

/** Lines of a byte stream; `\n` is never part of a longer UTF-8 sequence. */
async function* readLines(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8');
      rest = [];
      length = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > MAX_LINE_BYTES) {
      throw new QuorateError('ERR_REQUEST_TOO_LARGE', { message: 'a line is too long' });
    }
  }
  if (length > 0) yield Buffer.concat(rest).toString('utf8');
}
