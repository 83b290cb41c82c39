import { crc32c } from './crc32c.ts';
import { HEADER_BYTES, OP_MSG, type OpMsg, WireProtocolError } from './message.ts';

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
/** Bits 0 to 15 are "required": an unknown one set means the message cannot be understood. */
const KNOWN_REQUIRED_FLAGS = CHECKSUM_PRESENT | MORE_TO_COME;
const MIN_BSON_BYTES = 5;

const NO_SEQUENCES: ReadonlyMap<string, readonly Uint8Array[]> = new Map();

/**
 * Reads a whole OP_MSG, header included.
 *
 * @throws WireProtocolError when a length, flag or section is not as the protocol has it
 */
export function readOpMsg(message: Buffer): OpMsg {
  if (message.length < HEADER_BYTES + 4) throw new WireProtocolError('OP_MSG without flag bits');
  const flags = message.readUInt32LE(HEADER_BYTES);
  if ((flags & 0xffff & ~KNOWN_REQUIRED_FLAGS) !== 0) {
    throw new WireProtocolError('OP_MSG with unknown required flag bits');
  }
  const end = flags & CHECKSUM_PRESENT ? checkChecksum(message) : message.length;
  const sections = readSections(message, end);
  return {
    kind: 'msg',
    requestId: message.readInt32LE(4),
    responseTo: message.readInt32LE(8),
    moreToCome: (flags & MORE_TO_COME) !== 0,
    exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0,
    body: sections.body,
    sequences: sections.sequences,
  };
}

function checkChecksum(message: Buffer): number {
  const end = message.length - 4;
  if (end < HEADER_BYTES + 4) throw new WireProtocolError('OP_MSG too short for its checksum');
  if (crc32c(message.subarray(0, end)) !== message.readUInt32LE(end)) {
    throw new WireProtocolError('OP_MSG checksum does not match');
  }
  return end;
}

function readSections(message: Buffer, end: number): Pick<OpMsg, 'body' | 'sequences'> {
  let body: Uint8Array | undefined;
  let sequences: Map<string, readonly Uint8Array[]> | undefined;
  let offset = HEADER_BYTES + 4;
  while (offset < end) {
    const kind = message[offset];
    offset += 1;
    if (kind === 0) {
      if (body !== undefined) throw new WireProtocolError('OP_MSG with two bodies');
      body = readBson(message, offset, end);
      offset += body.length;
    } else if (kind === 1) {
      const sequence = readSequence(message, offset, end);
      sequences ??= new Map();
      if (sequences.has(sequence.identifier)) {
        throw new WireProtocolError('OP_MSG with two sequences of one name');
      }
      sequences.set(sequence.identifier, sequence.documents);
      offset = sequence.end;
    } else {
      throw new WireProtocolError('OP_MSG with an unknown section kind');
    }
  }
  if (body === undefined) throw new WireProtocolError('OP_MSG without a body');
  return { body, sequences: sequences ?? NO_SEQUENCES };
}

function readSequence(
  message: Buffer,
  start: number,
  limit: number,
): { identifier: string; documents: Uint8Array[]; end: number } {
  if (start + 4 > limit) throw new WireProtocolError('document sequence cut short');
  const size = message.readInt32LE(start);
  const end = start + size;
  if (size < 5 || end > limit) throw new WireProtocolError('document sequence of a wrong length');
  const nameEnd = message.indexOf(0, start + 4);
  if (nameEnd === -1 || nameEnd >= end) {
    throw new WireProtocolError('document sequence without a name');
  }
  const documents: Uint8Array[] = [];
  let offset = nameEnd + 1;
  while (offset < end) {
    const document = readBson(message, offset, end);
    documents.push(document);
    offset += document.length;
  }
  return { identifier: message.toString('utf8', start + 4, nameEnd), documents, end };
}

function readBson(message: Buffer, offset: number, limit: number): Uint8Array {
  if (offset + MIN_BSON_BYTES > limit) throw new WireProtocolError('BSON document cut short');
  const size = message.readInt32LE(offset);
  if (size < MIN_BSON_BYTES || offset + size > limit) {
    throw new WireProtocolError('BSON document of a wrong length');
  }
  return message.subarray(offset, offset + size);
}

export interface OpMsgFields {
  readonly requestId: number;
  readonly responseTo: number;
  readonly moreToCome?: boolean;
  readonly exhaustAllowed?: boolean;
  readonly checksum?: boolean;
  readonly body: Uint8Array;
  readonly sequences?: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** Writes an OP_MSG, header included. */
export function writeOpMsg(fields: OpMsgFields): Buffer {
  const sequences = [...(fields.sequences ?? NO_SEQUENCES)].map(writeSequence);
  const checksumBytes = fields.checksum ? 4 : 0;
  const size =
    HEADER_BYTES +
    5 +
    fields.body.length +
    sequences.reduce((sum, sequence) => sum + sequence.length, 0) +
    checksumBytes;
  const message = Buffer.allocUnsafe(size);
  message.writeInt32LE(size, 0);
  message.writeInt32LE(fields.requestId, 4);
  message.writeInt32LE(fields.responseTo, 8);
  message.writeInt32LE(OP_MSG, 12);
  const flags =
    (fields.checksum ? CHECKSUM_PRESENT : 0) |
    (fields.moreToCome ? MORE_TO_COME : 0) |
    (fields.exhaustAllowed ? EXHAUST_ALLOWED : 0);
  message.writeUInt32LE(flags, HEADER_BYTES);
  message[HEADER_BYTES + 4] = 0;
  let offset = HEADER_BYTES + 5;
  message.set(fields.body, offset);
  offset += fields.body.length;
  for (const sequence of sequences) {
    message.set(sequence, offset);
    offset += sequence.length;
  }
  if (checksumBytes > 0) message.writeUInt32LE(crc32c(message.subarray(0, offset)), offset);
  return message;
}

/** Bytes of a message before its body. */
export const OP_MSG_HEAD_BYTES = HEADER_BYTES + 5;

/** Writes the head of an OP_MSG whose only section, its body, is in its place already. */
export function writeOpMsgHead(
  message: Buffer,
  fields: Pick<OpMsgFields, 'requestId' | 'responseTo' | 'moreToCome'>,
): void {
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(fields.requestId, 4);
  message.writeInt32LE(fields.responseTo, 8);
  message.writeInt32LE(OP_MSG, 12);
  message.writeUInt32LE(fields.moreToCome ? MORE_TO_COME : 0, HEADER_BYTES);
  message[HEADER_BYTES + 4] = 0;
}

function writeSequence([identifier, documents]: [string, readonly Uint8Array[]]): Buffer {
  const name = Buffer.from(`${identifier}\0`, 'utf8');
  const payload = Buffer.concat([name, ...documents]);
  const head = Buffer.allocUnsafe(5);
  head[0] = 1;
  head.writeInt32LE(payload.length + 4, 1);
  return Buffer.concat([head, payload]);
}
