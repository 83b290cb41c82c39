import { decodeDocument, decodeRawField, rawTopLevelFields, validateBson } from '../bson/codec.ts';
import { BsonType } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

/** A command as it came, its arguments decoded but for the documents of an insert. */
export interface CommandRequest {
  readonly name: string;
  readonly database: string;
  /** All fields of the body, the command's own first; sequences joined in. */
  readonly arguments: Document;
  /** The documents of an insert, still as bytes: they are stored and not computed with. */
  readonly documents: readonly Uint8Array[] | undefined;
}

const RAW_FIELD = 'documents';
const INSERT = Buffer.from('insert\0');

/**
 * Reads a command from the sections of its message.
 *
 * @throws InvalidBSON for broken BSON
 */
export function readCommandRequest(
  body: Uint8Array,
  sequences: ReadonlyMap<string, readonly Uint8Array[]>,
  database?: string,
): CommandRequest {
  validateBson(body);
  const insert = firstFieldIsInsert(body) ? decodeInsert(body) : undefined;
  const fields = insert?.fields ?? decodeDocument(body);
  let documents: readonly Uint8Array[] | undefined = insert?.documents;
  for (const [identifier, sequence] of sequences) {
    if (fields.has(identifier) || (identifier === RAW_FIELD && documents !== undefined)) {
      throw new MongoCommandError(
        'Location40416',
        `Document sequence '${identifier}' is also a field of the command`,
      );
    }
    for (const document of sequence) validateBson(document);
    if (identifier === RAW_FIELD) documents = sequence;
    else fields.set(identifier, sequence.map(decodeOne));
  }
  const [name] = fields.keys();
  if (name === undefined) throw new MongoCommandError('CommandNotFound', "no such command: ''");
  return { name, database: database ?? databaseOf(fields), arguments: fields, documents };
}

function decodeOne(bytes: Uint8Array): Value {
  return decodeDocument(bytes);
}

function databaseOf(fields: Document): string {
  const database = fields.get('$db');
  if (database === undefined) {
    throw new MongoCommandError('Location40571', 'OP_MSG requests require a $db argument');
  }
  if (typeof database !== 'string') {
    throw new MongoCommandError('TypeMismatch', 'The $db argument must be a string');
  }
  return database;
}

/** Decodes the body, but keeps the elements of an insert's `documents` as bytes. */
function decodeInsert(body: Uint8Array): { fields: Document; documents: Uint8Array[] | undefined } {
  const fields: Document = new Map();
  let documents: Uint8Array[] | undefined;
  for (const field of rawTopLevelFields(body)) {
    if (field.name === RAW_FIELD && field.type === BsonType.array) {
      documents = documentsOf(body.subarray(field.start, field.end));
      if (documents !== undefined) continue;
    }
    fields.set(field.name, decodeRawField(body, field));
  }
  return { fields, documents };
}

/** The elements of an encoded array of documents; `undefined` when something else is among them. */
function documentsOf(array: Uint8Array): Uint8Array[] | undefined {
  const documents: Uint8Array[] = [];
  for (const element of rawTopLevelFields(array)) {
    if (element.type !== BsonType.object) return undefined;
    documents.push(array.subarray(element.start, element.end));
  }
  return documents;
}

function firstFieldIsInsert(body: Uint8Array): boolean {
  // "insert" and a zero straight after the length and the type byte
  return INSERT.every((byte, index) => body[5 + index] === byte);
}
