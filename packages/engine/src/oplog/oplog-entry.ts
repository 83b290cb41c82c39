import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { BsonType } from '../bson/types.ts';
import {
  type Binary,
  DateTime,
  type Document,
  RawDocument,
  Timestamp,
  toDocument,
  type Value,
} from '../bson/value.ts';

/** What an update changed, as a change event's updateDescription shows it. */
export interface UpdateDescription {
  readonly updatedFields: Document;
  readonly removedFields: readonly string[];
  readonly truncatedArrays: readonly { readonly field: string; readonly newSize: number }[];
  /** Components of the paths that could be taken for others. */
  readonly disambiguatedPaths?: Document | undefined;
}

/** One change of data or catalog, before it has a place in the log. */
export type OplogOperation =
  | {
      readonly op: 'i';
      readonly ns: string;
      readonly uuid: Binary;
      readonly document: Uint8Array;
    }
  | {
      readonly op: 'u';
      readonly ns: string;
      readonly uuid: Binary;
      readonly id: Value;
      /** Present for a replacement: the whole new document. */
      readonly replacement?: Uint8Array | undefined;
      /** Present for an update by operators or pipeline. */
      readonly description?: UpdateDescription | undefined;
      /** Kept for collections with changeStreamPreAndPostImages. */
      readonly preImage?: Uint8Array | undefined;
      readonly postImage?: Uint8Array | undefined;
    }
  | {
      readonly op: 'd';
      readonly ns: string;
      readonly uuid: Binary;
      readonly id: Value;
      readonly preImage?: Uint8Array | undefined;
    }
  | {
      /** A catalog change; `command` as MongoDB's oplog has it, such as `{drop: 'coll'}`. */
      readonly op: 'c';
      readonly ns: string;
      readonly uuid?: Binary | undefined;
      readonly command: Document;
      /** What the command has changed, as it was before (collMod). */
      readonly before?: Document | undefined;
    };

/** Who wrote, for entries that belong to a transaction or a retryable write. */
export interface OplogOrigin {
  readonly lsid?: Document | undefined;
  readonly transactionNumber?: bigint | undefined;
  /** All operations belong to one transaction: they become one entry. */
  readonly transaction?: boolean;
}

/** A place in the log: a BSON timestamp as one number, seconds in the upper half. */
export type Position = bigint;

export function toTimestamp(position: Position): Timestamp {
  return new Timestamp(position);
}

export function toPosition(timestamp: Timestamp): Position {
  return BigInt.asUintN(64, timestamp.toBigInt());
}

/** The key of a place: eight bytes, greater places sort later. */
export function toKey(position: Position): Uint8Array {
  const key = Buffer.allocUnsafe(8);
  key.writeBigUInt64BE(position);
  return key;
}

export function fromKey(key: Uint8Array): Position {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readBigUInt64BE();
}

/** A stored entry: several operations when a transaction wrote it. */
export interface OplogEntry {
  readonly position: Position;
  readonly wall: DateTime;
  readonly operations: readonly Document[];
  readonly lsid: Document | undefined;
  readonly transactionNumber: bigint | undefined;
  readonly isTransaction: boolean;
}

/**
 * The stored form of `operations`, fields named as in MongoDB's oplog where it has them. Inserts,
 * which come by the thousand, are put together from bytes; their `_id` is in the document itself.
 */
export function encodeEntry(
  position: Position,
  operations: readonly OplogOperation[],
  origin: OplogOrigin,
): Uint8Array {
  const head = encodeDocument(
    toDocument({
      ts: toTimestamp(position),
      v: 2,
      wall: new DateTime(Date.now()),
      lsid: origin.lsid,
      txnNumber: origin.transactionNumber,
      txn: origin.transaction === true ? true : undefined,
    }),
  );
  const list = encodeOperations(operations);
  // the list becomes the last field: the head's closing zero gives way to it
  const entry = Buffer.allocUnsafe(head.length + OPS_FIELD.length + list.length);
  entry.set(head);
  let at = head.length - 1;
  at += OPS_FIELD.copy(entry, at);
  at += list.copy(entry, at);
  entry[at] = 0;
  entry.writeInt32LE(entry.length, 0);
  return entry;
}

const OPS_FIELD = Buffer.from('\x04ops\0', 'latin1');
const DOCUMENT_FIELD = Buffer.from('\x03o\0', 'latin1');

/** The operations as a BSON array. */
function encodeOperations(operations: readonly OplogOperation[]): Buffer {
  const parts: { readonly head: Uint8Array; readonly document: Uint8Array | undefined }[] = [];
  let size = 5;
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index] as OplogOperation;
    const part =
      operation.op === 'i'
        ? { head: insertHead(operation), document: operation.document }
        : { head: encodeDocument(toOperationDocument(operation)), document: undefined };
    parts.push(part);
    size += 2 + String(index).length + part.head.length;
    if (part.document !== undefined) size += part.document.length + 1;
  }
  const list = Buffer.allocUnsafe(size);
  list.writeInt32LE(size, 0);
  let at = 4;
  for (let index = 0; index < parts.length; index++) {
    const { head, document } = parts[index] as (typeof parts)[number];
    list[at++] = BsonType.object;
    at += list.write(String(index), at, 'latin1');
    list[at++] = 0;
    list.set(head, at);
    if (document === undefined) {
      at += head.length;
      continue;
    }
    list.writeInt32LE(head.length + document.length + 1, at);
    at += head.length;
    list.set(document, at);
    at += document.length;
    list[at++] = 0;
  }
  list[at] = 0;
  return list;
}

const insertHeads = new WeakMap<Binary, { readonly ns: string; readonly bytes: Uint8Array }>();

/** What the inserts into one collection have in common: all up to the document's own bytes. */
function insertHead({ op, ns, uuid }: OplogOperation & { op: 'i' }): Uint8Array {
  const known = insertHeads.get(uuid);
  if (known?.ns === ns) return known.bytes;
  const common = encodeDocument(toDocument({ op, ns, ui: uuid }));
  const bytes = Buffer.concat([common.subarray(0, -1), DOCUMENT_FIELD]);
  insertHeads.set(uuid, { ns, bytes });
  return bytes;
}

function toOperationDocument(operation: Exclude<OplogOperation, { op: 'i' }>): Document {
  const base = { op: operation.op, ns: operation.ns, ui: operation.uuid };
  switch (operation.op) {
    case 'u':
      return toDocument({
        ...base,
        o2: toDocument({ _id: operation.id }),
        o: raw(operation.replacement),
        diff: operation.description && toDescriptionDocument(operation.description),
        pre: raw(operation.preImage),
        post: raw(operation.postImage),
      });
    case 'd':
      return toDocument({
        ...base,
        o2: toDocument({ _id: operation.id }),
        pre: raw(operation.preImage),
      });
    case 'c':
      return toDocument({ ...base, o: operation.command, before: operation.before });
  }
}

function toDescriptionDocument(description: UpdateDescription): Document {
  return toDocument({
    updatedFields: description.updatedFields,
    removedFields: [...description.removedFields],
    truncatedArrays: description.truncatedArrays.map(({ field, newSize }) =>
      toDocument({ field, newSize }),
    ),
    disambiguatedPaths: description.disambiguatedPaths,
  });
}

function raw(bytes: Uint8Array | undefined): RawDocument | undefined {
  return bytes === undefined ? undefined : new RawDocument(bytes);
}

export function decodeEntry(bytes: Uint8Array): OplogEntry {
  const document = decodeDocument(bytes);
  const transactionNumber = document.get('txnNumber');
  const lsid = document.get('lsid');
  const wall = document.get('wall');
  return {
    position: toPosition(document.get('ts') as Timestamp),
    wall: wall instanceof DateTime ? wall : new DateTime(0),
    operations: document.get('ops') as Document[],
    lsid: lsid instanceof Map ? lsid : undefined,
    transactionNumber: typeof transactionNumber === 'bigint' ? transactionNumber : undefined,
    isTransaction: document.get('txn') === true,
  };
}
