import {
  HEADER_BYTES,
  OP_COMPRESSED,
  OP_MSG,
  OP_QUERY,
  type RequestMessage,
  WireProtocolError,
} from './message.ts';
import { readOpCompressed } from './op-compressed.ts';
import { readOpMsg } from './op-msg.ts';
import { readOpQuery } from './op-query.ts';

export interface ReceivedMessage {
  readonly request: RequestMessage;
  /** It came compressed, so its reply may be. */
  readonly compressed: boolean;
}

/**
 * One whole message, as cut by `MessageFramer`, as a value.
 *
 * @throws WireProtocolError for anything the protocol does not allow
 */
export function readMessage(message: Buffer): ReceivedMessage {
  const opCode = message.readInt32LE(12);
  if (opCode !== OP_COMPRESSED) return { request: readPlain(message, opCode), compressed: false };
  const inner = readOpCompressed(message);
  if (inner.length < HEADER_BYTES) throw new WireProtocolError('empty OP_COMPRESSED');
  return { request: readPlain(inner, inner.readInt32LE(12)), compressed: true };
}

function readPlain(message: Buffer, opCode: number): RequestMessage {
  if (opCode === OP_MSG) return readOpMsg(message);
  if (opCode === OP_QUERY) return readOpQuery(message);
  throw new WireProtocolError(`unsupported opcode ${opCode}`);
}
