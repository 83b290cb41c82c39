import { HEADER_BYTES, OP_REPLY, type OpQuery, WireProtocolError } from './message.ts';

/**
 * Reads the legacy OP_QUERY, which drivers still use for a connection's first hello.
 *
 * @throws WireProtocolError when it is cut short
 */
export function readOpQuery(message: Buffer): OpQuery {
  const namespaceStart = HEADER_BYTES + 4;
  const namespaceEnd = message.indexOf(0, namespaceStart);
  if (namespaceEnd === -1) throw new WireProtocolError('OP_QUERY without a namespace');
  // numberToSkip and numberToReturn lie between the namespace and the document
  const bodyStart = namespaceEnd + 9;
  if (bodyStart + 5 > message.length) throw new WireProtocolError('OP_QUERY without a document');
  const size = message.readInt32LE(bodyStart);
  if (size < 5 || bodyStart + size > message.length) {
    throw new WireProtocolError('OP_QUERY with a document of a wrong length');
  }
  return {
    kind: 'query',
    requestId: message.readInt32LE(4),
    flags: message.readInt32LE(HEADER_BYTES),
    namespace: message.toString('utf8', namespaceStart, namespaceEnd),
    body: message.subarray(bodyStart, bodyStart + size),
  };
}

/** Writes the OP_REPLY that answers an OP_QUERY, with one document. */
export function writeOpReply(fields: {
  requestId: number;
  responseTo: number;
  body: Uint8Array;
}): Buffer {
  const size = HEADER_BYTES + 20 + fields.body.length;
  const message = Buffer.alloc(size);
  message.writeInt32LE(size, 0);
  message.writeInt32LE(fields.requestId, 4);
  message.writeInt32LE(fields.responseTo, 8);
  message.writeInt32LE(OP_REPLY, 12);
  // AwaitCapable; cursor id and starting position stay zero
  message.writeInt32LE(8, HEADER_BYTES);
  message.writeInt32LE(1, HEADER_BYTES + 16);
  message.set(fields.body, HEADER_BYTES + 20);
  return message;
}
