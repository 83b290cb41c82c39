/** How collections and indexes lie in the store's tables. */

const ID_BYTES = 4;
export const RECORD_ID_BYTES = 6;

/** The place of a document in its collection: grows with each insert, so it is the natural order. */
export type RecordId = number;

/** The beginning of all keys of a collection or an index, and the end of their range. */
export interface KeySpace {
  readonly prefix: Buffer;
  readonly end: Buffer;
}

export function keySpace(id: number): KeySpace {
  const prefix = Buffer.allocUnsafe(ID_BYTES);
  prefix.writeUInt32BE(id);
  const end = Buffer.allocUnsafe(ID_BYTES);
  end.writeUInt32BE(id + 1);
  return { prefix, end };
}

export function recordKey(collectionId: number, recordId: RecordId): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + RECORD_ID_BYTES);
  key.writeUInt32BE(collectionId, 0);
  key.writeUIntBE(recordId, ID_BYTES, RECORD_ID_BYTES);
  return key;
}

/** The record id at the end of a record's key or of an index key that carries one. */
export function recordIdOfKey(key: Uint8Array): RecordId {
  return readRecordId(key, key.length - RECORD_ID_BYTES);
}

export function encodeRecordId(recordId: RecordId): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_ID_BYTES);
  bytes.writeUIntBE(recordId, 0, RECORD_ID_BYTES);
  return bytes;
}

export function readRecordId(bytes: Uint8Array, offset = 0): RecordId {
  const high = ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
  const low =
    (((bytes[offset + 2] as number) << 24) |
      ((bytes[offset + 3] as number) << 16) |
      ((bytes[offset + 4] as number) << 8) |
      (bytes[offset + 5] as number)) >>>
    0;
  return high * 0x1_0000_0000 + low;
}

/** An index entry's key; without a record id in unique indexes, where the value holds it. */
export function indexKey(prefix: Uint8Array, key: Uint8Array, recordId?: RecordId): Buffer {
  const tail = recordId === undefined ? 0 : RECORD_ID_BYTES;
  const bytes = Buffer.allocUnsafe(ID_BYTES + key.length + tail);
  bytes.set(prefix, 0);
  bytes.set(key, ID_BYTES);
  if (recordId !== undefined) bytes.writeUIntBE(recordId, ID_BYTES + key.length, RECORD_ID_BYTES);
  return bytes;
}

/** The part of an index entry's key that the values made. */
export function valuesOfIndexKey(entryKey: Uint8Array, isUnique: boolean): Uint8Array {
  return entryKey.subarray(ID_BYTES, entryKey.length - (isUnique ? 0 : RECORD_ID_BYTES));
}
