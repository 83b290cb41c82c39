import { decodeRawField, type RawField, rawTopLevelFields } from '../bson/codec.ts';
import { BsonType } from '../bson/types.ts';
import { isDocument, ObjectId, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { MAX_BSON_OBJECT_BYTES } from './server-identity.ts';

/** A document as it will be stored, and its `_id`. */
export interface InsertableDocument {
  readonly bytes: Uint8Array;
  readonly id: Value;
}

const ID_FIELD = Buffer.from('_id\0');
const OBJECT_ID_BYTES = 12;

/**
 * Makes a client's document ready for storage, as MongoDB does: `_id` comes first and is made when
 * there is none; an empty timestamp at the top level becomes the present.
 *
 * @throws BadValue for an `_id` that cannot be one and for a document that is too large
 */
export function toInsertable(bytes: Uint8Array, nextTimestamp: () => bigint): InsertableDocument {
  if (bytes.length > MAX_BSON_OBJECT_BYTES) {
    throw new MongoCommandError(
      'BadValue',
      `object to insert too large. size in bytes: ${bytes.length}, max size: ${MAX_BSON_OBJECT_BYTES}`,
    );
  }
  let idField: RawField | undefined;
  let isFirst = true;
  let position = 0;
  let emptyTimestamps: RawField[] | undefined;
  for (const field of rawTopLevelFields(bytes)) {
    if (field.name === '_id') {
      if (idField !== undefined) {
        throw new MongoCommandError('BadValue', "can't have multiple _id fields in one document");
      }
      idField = field;
      isFirst = position === 0;
    } else if (field.type === BsonType.timestamp && isZero(bytes, field)) {
      emptyTimestamps ??= [];
      emptyTimestamps.push(field);
    }
    position += 1;
  }
  // before fields move: the places found belong to the bytes as they came
  const filled =
    emptyTimestamps === undefined ? bytes : fillTimestamps(bytes, emptyTimestamps, nextTimestamp);
  if (idField === undefined) return withNewId(filled);
  const id = decodeRawField(bytes, idField);
  checkId(id, idField.type);
  return { id, bytes: isFirst ? filled : withIdFirst(filled, idField) };
}

/** @throws BadValue, DollarPrefixedFieldName */
function checkId(id: Value, type: number): void {
  const wrong =
    type === BsonType.array
      ? 'an array'
      : type === BsonType.regex
        ? 'a regex'
        : type === BsonType.undefined
          ? 'a undefined'
          : undefined;
  if (wrong !== undefined) throw new MongoCommandError('BadValue', `can't use ${wrong} for _id`);
  if (!isDocument(id)) return;
  for (const name of id.keys()) {
    if (name.startsWith('$')) {
      throw new MongoCommandError(
        'DollarPrefixedFieldName',
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
    }
  }
}

function isZero(bytes: Uint8Array, field: RawField): boolean {
  for (let at = field.start; at < field.end; at++) if (bytes[at] !== 0) return false;
  return true;
}

function fillTimestamps(
  bytes: Uint8Array,
  fields: readonly RawField[],
  nextTimestamp: () => bigint,
): Uint8Array {
  const copy = Buffer.from(bytes);
  for (const field of fields) copy.writeBigUInt64LE(nextTimestamp(), field.start);
  return copy;
}

function withNewId(bytes: Uint8Array): InsertableDocument {
  const id = new ObjectId();
  const added = 1 + ID_FIELD.length + OBJECT_ID_BYTES;
  const result = Buffer.allocUnsafe(bytes.length + added);
  result.writeInt32LE(result.length, 0);
  result[4] = BsonType.objectId;
  ID_FIELD.copy(result, 5);
  result.set(id.id, 5 + ID_FIELD.length);
  result.set(bytes.subarray(4), 4 + added);
  return { bytes: result, id };
}

function withIdFirst(bytes: Uint8Array, idField: RawField): Uint8Array {
  const elementStart = idField.start - ID_FIELD.length - 1;
  return Buffer.concat([
    bytes.subarray(0, 4),
    bytes.subarray(elementStart, idField.end),
    bytes.subarray(4, elementStart),
    bytes.subarray(idField.end),
  ]);
}
