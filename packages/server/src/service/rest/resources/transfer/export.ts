/** Queries as NDJSON or CSV streams: one batch of the database in memory, however many documents. Beyond the reference. */

import type { BsonDocument, BsonValue } from '../../../../model/bson.ts';
import { decodeDocument } from '../../../../model/raw-bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import { findStream } from '../../../../mongo/find.ts';
import type { JsonMode } from '../../../../representation/json-mode.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { transcodeDocument } from '../../../../representation/transcode.ts';
import type { RestContext } from '../../handler.ts';
import { namespaceOf, readOptionsOf } from '../../operation-context.ts';
import { readSort } from '../../order-parameters.ts';
import { skipOf } from '../../page.ts';
import type { MongoRequest } from '../../rest-request.ts';

/** What a client can export to. */
export type ExportFormat = 'ndjson' | 'csv';

const FLUSH_BYTES = 64 * 1024;

/** The format that `Accept` names first; every other `Accept` selects nothing, as in the reference. */
export function exportFormatOf({ http }: MongoRequest): ExportFormat | undefined {
  const accept = http.header('accept');
  if (accept === undefined) return undefined;
  if (/^\s*(?:application\/x-ndjson|application\/ndjson)\s*(?:[;,]|$)/i.test(accept))
    return 'ndjson';
  return /^\s*text\/csv\s*(?:[;,]|$)/i.test(accept) ? 'csv' : undefined;
}

/**
 * All matching documents, or one page of them when `page` or `pagesize` is sent.
 *
 * @throws ERR_DATABASE_* and what else the database says before the first document
 */
export async function exportReply(
  request: MongoRequest,
  context: RestContext,
  format: ExportFormat,
): Promise<Reply> {
  const { parameters, http } = request;
  const isPaged = http.query.has('page') || http.query.has('pagesize');
  const found = findStream(
    context.mongo,
    namespaceOf(request),
    {
      filter: parameters.filter,
      projection: parameters.projection,
      sort: readSort(parameters.sortItems) ?? new Map([['_id', -1]]),
      hint: parameters.hint,
      skip: isPaged ? skipOf(parameters) : 0,
      limit: isPaged ? parameters.pageSize : 0,
      batchSize: context.config.cursorBatchSize,
    },
    readOptionsOf(request, context),
  );
  const documents = await started(found);
  const visible = request.hideFields ? mapEach(documents, request.hideFields) : documents;
  const mode = parameters.jsonMode;
  return format === 'ndjson'
    ? {
        status: 200,
        headers: [['Content-Type', 'application/x-ndjson; charset=UTF-8']],
        body: inPieces(toLines(visible, mode)),
      }
    : {
        status: 200,
        headers: [['Content-Type', 'text/csv; charset=UTF-8']],
        body: inPieces(toCsv(visible, columnsOf(parameters.projection), mode)),
      };
}

/** The same items, once the first is there: what the database refuses can still be answered with an error. */
async function started(items: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = items[Symbol.asyncIterator]();
  return replay(await iterator.next(), iterator);
}

async function* replay(
  first: IteratorResult<Buffer>,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    for (let item = first; item.done !== true; item = await rest.next()) yield item.value;
  } finally {
    await rest.return?.();
  }
}

async function* mapEach(
  documents: AsyncIterable<Buffer>,
  convert: (document: Buffer) => Buffer,
): AsyncGenerator<Buffer> {
  for await (const document of documents) yield convert(document);
}

async function* toLines(documents: AsyncIterable<Buffer>, mode: JsonMode): AsyncGenerator<Buffer> {
  for await (const document of documents) {
    yield transcodeDocument(document, mode);
    yield NEW_LINE;
  }
}

const NEW_LINE = Buffer.from('\n');

/** Joins small pieces, so that each write is worth its system call. */
async function* inPieces(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    length += piece.length;
    if (length < FLUSH_BYTES) continue;
    yield Buffer.concat(waiting, length);
    waiting = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(waiting, length);
}

/** Included names of a projection, in its order. */
function columnsOf(projection: BsonDocument | undefined): readonly string[] | undefined {
  if (projection === undefined) return undefined;
  const isIncluded = (rule: BsonValue) => rule === true || (typeof rule === 'number' && rule !== 0);
  const names = [...projection].filter(([, rule]) => isIncluded(rule)).map(([name]) => name);
  if (names.length === 0) return undefined;
  return projection.has('_id') ? names : ['_id', ...names];
}

/** RFC 4180; without a projection the first document names the columns. */
async function* toCsv(
  documents: AsyncIterable<Buffer>,
  wanted: readonly string[] | undefined,
  mode: JsonMode,
): AsyncGenerator<Buffer> {
  let columns = wanted;
  if (columns !== undefined) yield toRow(columns.map(quote));
  for await (const raw of documents) {
    const document = decodeDocument(raw);
    if (columns === undefined) {
      columns = [...document.keys()];
      yield toRow(columns.map(quote));
    }
    yield toRow(columns.map((name) => toCell(valueAt(document, name), mode)));
  }
}

function valueAt(document: BsonDocument, path: string): BsonValue | undefined {
  const direct = document.get(path);
  if (direct !== undefined || !path.includes('.')) return direct;
  let current: BsonValue | undefined = document;
  for (const piece of path.split('.')) {
    current = current instanceof Map ? current.get(piece) : undefined;
  }
  return current;
}

/** Texts as they are, everything else as JSON; a missing value is an empty cell. */
function toCell(value: BsonValue | undefined, mode: JsonMode): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return quote(value);
  return quote(writeJson(value, mode));
}

function quote(text: string): string {
  // spreadsheets run cells that begin so as formulas (OWASP, CSV injection)
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(?:\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function toRow(cells: readonly string[]): Buffer {
  return Buffer.from(`${cells.join(',')}\r\n`);
}
