import { type Document, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Position } from './oplog-entry.ts';

/** What a token stands behind: an event, the invalidation it caused, or just a moment. */
export type TokenKind = 'moment' | 'event' | 'invalidate';

/** The place of an event: an entry, and the operation inside it when a transaction wrote several. */
export interface ResumePoint {
  readonly position: Position;
  readonly index: number;
  readonly kind: TokenKind;
  /** The part of a split event that the token stands behind, from 1. */
  readonly fragment?: number | undefined;
}

const KINDS: readonly TokenKind[] = ['moment', 'event', 'invalidate'];
const TOKEN_PATTERN = /^82[0-9A-F]{16}[0-9A-F]{8}0[0-2](?:[0-9A-F]{4})?$/;

/** `{_data: …}` with a hex string that sorts as the points do; opaque to clients. */
export function formatResumeToken(point: ResumePoint): Document {
  const position = point.position.toString(16).padStart(16, '0');
  // a moment stands behind all events of its entry
  const index = point.kind === 'moment' ? 'FFFFFFFF' : point.index.toString(16).padStart(8, '0');
  const kind = KINDS.indexOf(point.kind);
  const part = point.fragment?.toString(16).padStart(4, '0') ?? '';
  return toDocument({ _data: `82${position}${index}0${kind}${part}`.toUpperCase() });
}

/** @throws when `token` was not given out by this engine */
export function parseResumeToken(token: Value): ResumePoint {
  const data = token instanceof Map ? token.get('_data') : undefined;
  if (typeof data !== 'string') {
    throw new MongoCommandError(
      'Location40647',
      'Bad resume token: _data of missing or of wrong type',
    );
  }
  if (!TOKEN_PATTERN.test(data)) {
    throw new MongoCommandError(
      'InvalidResumeToken',
      'Resume token could not be parsed: it was not given out by this server',
    );
  }
  return {
    position: BigInt(`0x${data.slice(2, 18)}`),
    index: Number.parseInt(data.slice(18, 26), 16),
    kind: KINDS[Number(data[27])] ?? 'moment',
    fragment: data.length > 28 ? Number.parseInt(data.slice(28), 16) : undefined,
  };
}
