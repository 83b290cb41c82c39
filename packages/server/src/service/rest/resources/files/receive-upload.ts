/** Multipart uploads, read as they arrive: the content goes on while the other parts may still follow (rest-resources.md §7.1). */

import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, isDocument } from '../../../../model/bson.ts';
import type { HttpRequest } from '../../../../model/http-request.ts';
import { parseJson } from '../../../../representation/json-reader.ts';
import { SNIFF_LENGTH, sniffContentType } from './sniff-content-type.ts';

/** What an upload says besides its content, which `store` has taken. */
export interface ReceivedUpload<T> {
  readonly stored: T;
  /** Empty when the client sent none. */
  readonly metadata: BsonDocument;
  /** As the first bytes of the content tell. */
  readonly sniffedType: string;
}

/** Takes the content of a file. */
export interface ContentStore<T> {
  store(content: AsyncIterable<Buffer>): Promise<T>;
  /** Removes what was stored, because the upload as a whole is refused. */
  discard(stored: T): Promise<void>;
}

const METADATA_FIELDS: ReadonlySet<string> = new Set(['metadata', 'properties']);
const MAX_METADATA_BYTES = 16 * 1024 * 1024;
const MAX_PARTS = 1000;

function refused(message: string, cause?: unknown): QuorateError {
  return new QuorateError('ERR_REQUEST_MULTIPART', { message, cause });
}

/**
 * Reads a multipart body: the first part with a file name is the content, the text part `metadata` or `properties` the
 * metadata, in any order.
 *
 * @throws ERR_REQUEST_MULTIPART without content or with metadata that are no JSON object, where the reference fails
 * with 500
 */
export async function receiveUpload<T>(
  http: HttpRequest,
  store: ContentStore<T>,
): Promise<ReceivedUpload<T>> {
  const parts = await receiveParts(http, store);
  const { stored } = parts;
  if (stored === undefined) throw refused('the multipart body has no file part');
  try {
    const metadata = parseMetadata(parts.metadataText);
    return { stored: stored.value, metadata, sniffedType: sniffContentType(parts.head) };
  } catch (failure) {
    await store.discard(stored.value);
    throw failure;
  }
}

function parseMetadata(text: string | undefined): BsonDocument {
  if (text === undefined || text.trim() === '') return new Map();
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw refused('metadata is not a json object', cause);
  }
  if (!isDocument(value)) throw refused('metadata is not a json object');
  return value;
}

interface Parts<T> {
  readonly stored: { readonly value: T } | undefined;
  readonly head: Buffer;
  readonly metadataText: string | undefined;
}

function receiveParts<T>(
  http: HttpRequest,
  { store, discard }: ContentStore<T>,
): Promise<Parts<T>> {
  const parser = createParser(http);
  const source = http.stream();
  return new Promise((resolve, reject) => {
    const texts = new Map<string, string>();
    let head: Buffer = Buffer.alloc(0);
    let storing: Promise<{ value: T }> | undefined;
    let isSettled = false;

    const fail = (failure: unknown): void => {
      if (isSettled) return;
      isSettled = true;
      source.unpipe(parser);
      source.resume();
      parser.destroy();
      const error = failure instanceof QuorateError ? failure : refused(textOf(failure), failure);
      // what is stored already goes again; a failed store has cleaned up itself
      Promise.resolve(storing)
        .then((stored) => (stored === undefined ? undefined : discard(stored.value)))
        .catch(() => undefined)
        .finally(() => reject(error));
    };
    parser.on('field', (name, text) => {
      if (name !== undefined && !texts.has(name)) texts.set(name, text);
    });
    parser.on('file', (name, stream, info) => {
      // parts of type application/octet-stream without a file name come here too
      const fileName: string | undefined = info.filename;
      // a body that ends too early fails the open part too, and nobody may be reading it
      stream.on('error', fail);
      if (fileName === undefined) {
        collectText(stream, (text) => texts.set(name, text));
      } else if (storing === undefined) {
        storing = store(withHead(stream, (bytes) => (head = bytes))).then((value) => ({ value }));
        storing.catch(fail);
      } else {
        stream.resume();
      }
    });
    parser.on('partsLimit', () => fail(new Error('too many parts')));
    parser.on('error', fail);
    parser.on('close', () => {
      Promise.resolve(storing).then((stored) => {
        if (isSettled) return;
        isSettled = true;
        const name = [...METADATA_FIELDS].find((field) => texts.has(field));
        resolve({ stored, head, metadataText: name === undefined ? undefined : texts.get(name) });
      }, fail);
    });
    source.on('error', fail);
    source.pipe(parser);
  });
}

function createParser(http: HttpRequest): busboy.Busboy {
  try {
    return busboy({
      headers: { 'content-type': http.header('content-type') ?? '' },
      defParamCharset: 'utf8',
      limits: { fieldSize: MAX_METADATA_BYTES, parts: MAX_PARTS },
    });
  } catch (cause) {
    throw refused(`malformed multipart body: ${textOf(cause)}`, cause);
  }
}

function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** The same bytes; the first ones are shown to `keep`. */
async function* withHead(source: Readable, keep: (head: Buffer) => void): AsyncGenerator<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (head.length < SNIFF_LENGTH) {
      head = Buffer.concat([head, chunk.subarray(0, SNIFF_LENGTH - head.length)]);
      keep(head);
    }
    yield chunk;
  }
}

function collectText(stream: Readable, done: (text: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MAX_METADATA_BYTES) chunks.push(chunk);
  });
  stream.on('end', () => done(Buffer.concat(chunks).toString('utf8')));
}
