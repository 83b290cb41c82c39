/** Form bodies of non-file resources as documents (rest-documents.md §5.1, "Forms"). */

import busboy from 'busboy';
import { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import { parseJson } from '../../representation/json-reader.ts';
import { textOf } from './json-parameters.ts';

/** Name and text of one field. */
export interface FormField {
  readonly name: string;
  readonly text: string;
}

/** Fields of `application/x-www-form-urlencoded` in their order. */
export function parseUrlencoded(body: Buffer): FormField[] {
  const fields: FormField[] = [];
  for (const [name, text] of new URLSearchParams(body.toString('utf8')))
    fields.push({ name, text });
  return fields;
}

function malformed(cause: unknown): QuorateError {
  return new QuorateError('ERR_REQUEST_MULTIPART', {
    message: `malformed multipart body: ${textOf(cause)}`,
    cause,
  });
}

const MAX_PARTS = 10_000;

/**
 * Fields of `multipart/form-data` in their order; a part is a file exactly when it has a `filename`, and is ignored.
 *
 * @throws ERR_REQUEST_MULTIPART
 */
export function parseMultipart(body: Buffer, contentType: string): Promise<FormField[]> {
  return new Promise((resolve, reject) => {
    const fields: { name: string; text: string }[] = [];
    let parser: busboy.Busboy;
    try {
      parser = busboy({
        headers: { 'content-type': contentType },
        defParamCharset: 'utf8',
        limits: { fieldSize: Number.POSITIVE_INFINITY, fieldNameSize: 10_000, parts: MAX_PARTS },
      });
    } catch (cause) {
      reject(malformed(cause));
      return;
    }
    parser.on('field', (name, text) => {
      if (name !== undefined) fields.push({ name, text });
    });
    parser.on('file', (name, stream, info) => {
      // the library's types promise a file name, but a part of type application/octet-stream may have none
      const fileName: string | undefined = info.filename;
      // a body that ends too early fails the open part too
      stream.on('error', (cause) => reject(malformed(cause)));
      if (fileName !== undefined) {
        stream.resume();
        return;
      }
      const field = { name, text: '' };
      fields.push(field);
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        field.text += chunk;
      });
    });
    parser.on('partsLimit', () => reject(malformed(new Error('too many parts'))));
    parser.on('error', (cause) => reject(malformed(cause)));
    parser.on('close', () => resolve(fields));
    parser.end(body);
  });
}

/** The document that fields stand for; only the first value of a repeated field counts. */
export function toFormDocument(fields: readonly FormField[]): BsonDocument {
  const document: BsonDocument = new Map();
  for (const { name, text } of fields) {
    if (!document.has(name)) document.set(name, parseFieldText(text));
  }
  return document;
}

/**
 * A field's text as JSON value, or as a string when it is no JSON.
 *
 * @throws ERR_REQUEST_JSON for broken text that begins as an object or array
 */
export function parseFieldText(text: string): BsonValue {
  const trimmed = text.trim();
  if (trimmed === '') return text;
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    try {
      return parseJson(trimmed);
    } catch (cause) {
      throw new QuorateError('ERR_REQUEST_JSON', {
        message: `Invalid JSON. ${textOf(cause)}`,
        cause,
      });
    }
  }
  const value = parseScalar(trimmed);
  return value === undefined ? text : value;
}

/** The wrapping array tells `1` from `1 apple`: the reader ignores what follows a value. */
function parseScalar(text: string): BsonValue | undefined {
  if (text.includes(']') || text.includes(','))
    return isQuoted(text) ? parseQuoted(text) : undefined;
  try {
    const items = parseJson(`[${text}]`);
    return Array.isArray(items) && items.length === 1 ? items[0] : undefined;
  } catch {
    return undefined;
  }
}

function isQuoted(text: string): boolean {
  const first = text.charAt(0);
  return text.length >= 2 && (first === '"' || first === "'") && text.endsWith(first);
}

function parseQuoted(text: string): BsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
