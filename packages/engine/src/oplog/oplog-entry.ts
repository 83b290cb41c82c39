import { decodeDocument, encodeDocument } from '../bson/codec.ts';
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
}

/** One change of data or catalog, before it has a place in the log. */
export type OplogOperation =
  | {
      readonly op: 'i';
      readonly ns: string;
      readonly uuid: Binary;
      readonly id: Value;
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

/** The stored form of `operations`, fields named as in MongoDB's oplog where it has them. */
export function encodeEntry(
  position: Position,
  operations: readonly OplogOperation[],
  origin: OplogOrigin,
): Uint8Array {
  return encodeDocument(
    toDocument({
      ts: toTimestamp(position),
      v: 2,
      wall: new DateTime(Date.now()),
      lsid: origin.lsid,
      txnNumber: origin.transactionNumber,
      txn: origin.transaction === true ? true : undefined,
      ops: operations.map(toOperationDocument),
    }),
  );
}

function toOperationDocument(operation: OplogOperation): Document {
  const base = { op: operation.op, ns: operation.ns, ui: operation.uuid };
  switch (operation.op) {
    case 'i':
      return toDocument({
        ...base,
        o: new RawDocument(operation.document),
        o2: toDocument({ _id: operation.id }),
      });
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
      return toDocument({ ...base, o: operation.command });
  }
}

function toDescriptionDocument(description: UpdateDescription): Document {
  return toDocument({
    updatedFields: description.updatedFields,
    removedFields: [...description.removedFields],
    truncatedArrays: description.truncatedArrays.map(({ field, newSize }) =>
      toDocument({ field, newSize }),
    ),
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
