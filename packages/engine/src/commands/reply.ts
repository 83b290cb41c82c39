import { encodeDocument } from '../bson/codec.ts';
import {
  Binary,
  type Document,
  Double,
  RawDocument,
  toDocument,
  type Value,
} from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { type Position, toTimestamp } from '../oplog/oplog-entry.ts';

const OK = new Double(1);
const NOT_OK = new Double(0);

/** A successful reply from an object literal; `ok` is added when it is sent. */
export function reply(fields: Readonly<Record<string, Value | undefined>> = {}): Document {
  return toDocument(fields);
}

/** The reply that tells of `error`. */
export function errorReply(error: MongoCommandError, labels: readonly string[]): Document {
  const document = toDocument({
    ok: NOT_OK,
    errmsg: error.message,
    code: error.code,
    codeName: error.codeName,
  });
  for (const [name, value] of error.extra ?? []) document.set(name, value as Value);
  const all = new Set([...error.labels, ...labels]);
  if (all.size > 0) document.set('errorLabels', [...all]);
  return document;
}

/** What any thrown value means to the client; bugs become InternalError without their stack. */
export function toCommandError(error: unknown): MongoCommandError {
  if (error instanceof MongoCommandError) return error;
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return new MongoCommandError('Overflow', 'expression or document nests too deeply');
  }
  const message = error instanceof Error ? error.message : String(error);
  return new MongoCommandError('InternalError', message);
}

/** Adds `ok` and the cluster's times to a reply. */
export class ReplyDecorator {
  #position: Position = -1n;
  #clusterTime: RawDocument = new RawDocument(new Uint8Array());

  decorate(document: Document, position: Position): Document {
    if (!document.has('ok')) document.set('ok', OK);
    if (position !== this.#position) this.#remember(position);
    document.set('$clusterTime', this.#clusterTime);
    document.set('operationTime', toTimestamp(position));
    return document;
  }

  /** Encoded once for each time: between two writes all replies carry the same. */
  #remember(position: Position): void {
    this.#position = position;
    this.#clusterTime = new RawDocument(
      encodeDocument(
        toDocument({
          clusterTime: toTimestamp(position),
          // without keys the signature is empty, as on a server without authentication
          signature: toDocument({ hash: new Binary(Buffer.alloc(20)), keyId: 0n }),
        }),
      ),
    );
  }
}
