/**
 * The MongoDB wire protocol's messages as values (manual, "MongoDB Wire Protocol"). BSON inside
 * stays bytes: what is decoded, and how far, is decided by who needs it.
 */

export const OP_REPLY = 1;
export const OP_QUERY = 2004;
export const OP_COMPRESSED = 2012;
export const OP_MSG = 2013;

export const HEADER_BYTES = 16;
/** `maxMessageSizeBytes` as announced by hello. */
export const MAX_MESSAGE_BYTES = 48_000_000;

export interface OpMsg {
  readonly kind: 'msg';
  readonly requestId: number;
  readonly responseTo: number;
  /** The sender wants no reply (request), or sends further ones unasked (reply). */
  readonly moreToCome: boolean;
  readonly exhaustAllowed: boolean;
  readonly body: Uint8Array;
  /** Document sequences (section kind 1) by their identifier. */
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
}

export interface OpQuery {
  readonly kind: 'query';
  readonly requestId: number;
  /** Namespace such as `admin.$cmd`. */
  readonly namespace: string;
  readonly flags: number;
  readonly body: Uint8Array;
}

export type RequestMessage = OpMsg | OpQuery;

/** A message that breaks the protocol: the connection it came from is closed, nothing else. */
export class WireProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireProtocolError';
  }
}
