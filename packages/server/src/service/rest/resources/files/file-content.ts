/** Download of a file's content (rest-resources.md §7.2), with ranges beyond the reference where the configuration asks for them. */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { parseByteRange } from '../../../../lib/byte-range.ts';
import { type BsonValue, bsonTypeOf, Double, isInt64, ObjectId } from '../../../../model/bson.ts';
import { readRawField, readRawPath } from '../../../../model/raw-bson.ts';
import type { Reply, ReplyBody, ReplyHeader } from '../../../../model/reply.ts';
import { CHUNK_BYTES, FILE_ETAG_PATH } from '../../../../mongo/gridfs-bucket.ts';
import {
  type ContentRange,
  FileChangedError,
  type OpenFile,
  openFile,
} from '../../../../mongo/gridfs-read.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import type { RestContext } from '../../handler.ts';
import { namespaceOf, readOptionsOf } from '../../operation-context.ts';
import { etagHeader, etagOfRaw, isNotModified, notModified } from '../../replies.ts';
import type { MongoRequest } from '../../rest-request.ts';

/** Up to this size the content is read before the reply begins, and again if the file was just replaced. */
const WHOLE_BYTES = 2 * CHUNK_BYTES;
const MAX_ATTEMPTS = 5;

/** GET …/<id>/binary */
export async function getFileContent(request: MongoRequest, context: RestContext): Promise<Reply> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await replyWithContent(request, context);
    } catch (failure) {
      if (!(failure instanceof FileChangedError) || attempt === MAX_ATTEMPTS) throw failure;
    }
  }
}

async function replyWithContent(request: MongoRequest, context: RestContext): Promise<Reply> {
  const options = readOptionsOf(request, context);
  const file = await openFile(context.mongo, namespaceOf(request), request.id ?? null, options);
  if (file === undefined) {
    throw new QuorateError('ERR_NOT_FOUND_FILE', {
      message: `File with ID ${describeId(request.id ?? null)} not found`,
    });
  }
  const etag = etagOfRaw(file.document, FILE_ETAG_PATH);
  if (isNotModified(request, etag)) return notModified();
  const headers = contentHeaders(file.document, etag);
  const { fileRanges } = context.config;
  if (fileRanges) headers.push(['Accept-Ranges', 'bytes']);
  const range =
    fileRanges && isRangeWanted(request, etag)
      ? parseByteRange(request.http.header('range'), file.length)
      : undefined;
  if (range === 'unsatisfiable') {
    return { status: 416, headers: [['Content-Range', `bytes */${file.length}`]] };
  }
  const { start, end } = range ?? { start: 0, end: file.length };
  headers.push(['Content-Length', String(end - start)]);
  if (range !== undefined) {
    headers.push(['Content-Range', `bytes ${start}-${end - 1}/${file.length}`]);
  }
  const status = range === undefined ? 200 : 206;
  if (start === end) return { status, headers, uncompressed: true };
  return { status, headers, body: await contentOf(file, { start, end }), uncompressed: true };
}

async function contentOf(file: OpenFile, range: ContentRange): Promise<ReplyBody> {
  const content = file.read(range);
  if (range.end - range.start > WHOLE_BYTES) return content;
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(piece);
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/** `If-Range` with another version asks for the whole; dates are not compared, for uploads have no such header. */
function isRangeWanted({ http }: MongoRequest, etag: string | undefined): boolean {
  const condition = http.header('if-range');
  return condition === undefined || condition.replace(/^"(.*)"$/, '$1') === etag;
}

function contentHeaders(document: Buffer, etag: string | undefined): ReplyHeader[] {
  const type = readRawPath(document, 'metadata.contentType');
  const name = readRawField(document, 'filename');
  const isUsable = typeof type === 'string' && /^[\x20-\x7e]+$/.test(type);
  const headers: ReplyHeader[] = [
    ['Content-Type', isUsable ? type : 'application/octet-stream'],
    ['Content-Disposition', dispositionOf(typeof name === 'string' ? name : 'file')],
    ['Content-Transfer-Encoding', 'binary'],
    // the type was chosen by whoever uploaded it: browsers must not guess another one
    ['X-Content-Type-Options', 'nosniff'],
  ];
  if (etag !== undefined) headers.push(etagHeader(etag));
  return headers;
}

/** RFC 6266: the plain name, and beyond ASCII the encoded one beside it. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\]/g, '\\$&');
  const quoted = `inline; filename="${plain}"`;
  if (/^[\x20-\x7e]*$/.test(name)) return quoted;
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${quoted}; filename*=UTF-8''${encoded}`;
}

/** An id as Java prints the BSON value. */
function describeId(id: BsonValue): string {
  if (typeof id === 'string') return `<BsonString{value='${id}'}>`;
  if (id instanceof ObjectId) return `<BsonObjectId{value=${id.toHexString()}}>`;
  if (typeof id === 'number') return `<BsonInt32{value=${id}}>`;
  if (isInt64(id)) return `<BsonInt64{value=${id.toString()}}>`;
  if (id instanceof Double) return `<BsonDouble{value=${writeJson(id)}}>`;
  if (id instanceof Date) return `<BsonDateTime{value=${id.getTime()}}>`;
  if (typeof id === 'boolean') return `<BsonBoolean{value=${id}}>`;
  return `<${bsonTypeOf(id)}>`;
}
