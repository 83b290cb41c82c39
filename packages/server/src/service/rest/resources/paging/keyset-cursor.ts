/** Cursors of keyset paging: opaque to clients, signed, good on every node that shares the database. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../../../model/bson.ts';
import { decodeDocument, encodeDocument } from '../../../../model/raw-bson.ts';
import { loadKeys } from '../../../../mongo/key-store.ts';
import type { MongoAccess } from '../../../../mongo/mongo-access.ts';

const MAC_BYTES = 16;
const KEYS_TTL_MS = 300_000;
/** Keeps the keys' other uses apart from this one. */
const PURPOSE = 'quorate keyset cursor 1';

interface CursorKeys {
  readonly keys: Promise<readonly Buffer[]>;
  readonly expiresAtMs: number;
}

const keysByAccess = new WeakMap<MongoAccess, CursorKeys>();

/** Keys derived from the nodes' shared ones, the signing one first. */
function cursorKeys(mongo: MongoAccess): Promise<readonly Buffer[]> {
  const kept = keysByAccess.get(mongo);
  if (kept !== undefined && kept.expiresAtMs > Date.now()) return kept.keys;
  const keys = loadKeys(mongo).then((stored) =>
    stored.map(({ secret }) => createHmac('sha256', secret).update(PURPOSE).digest()),
  );
  keysByAccess.set(mongo, { keys, expiresAtMs: Date.now() + KEYS_TTL_MS });
  keys.catch(() => keysByAccess.delete(mongo));
  return keys;
}

function sign(key: Buffer, payload: Buffer): Buffer {
  return createHmac('sha256', key).update(payload).digest().subarray(0, MAC_BYTES);
}

/** The cursor behind a document with these values in the fields of the sort order. */
export async function sealCursor(
  mongo: MongoAccess,
  sort: BsonDocument,
  values: readonly BsonValue[],
): Promise<string> {
  const [key] = await cursorKeys(mongo);
  if (key === undefined) throw new Error('no key to sign cursors with');
  const payload = encodeDocument(
    new Map<string, BsonValue>([
      ['s', sort],
      ['v', [...values]],
    ]),
  );
  return Buffer.concat([sign(key, payload), payload]).toString('base64url');
}

/**
 * The values in a cursor.
 *
 * @throws ERR_REQUEST_PAGE for text that this deployment did not make, or made for another sort order
 */
export async function openCursor(
  mongo: MongoAccess,
  sort: BsonDocument,
  text: string,
): Promise<readonly BsonValue[]> {
  const bytes = Buffer.from(text, 'base64url');
  const payload = bytes.subarray(MAC_BYTES);
  const keys = await cursorKeys(mongo);
  const isGenuine =
    bytes.length > MAC_BYTES &&
    keys.some((key) => timingSafeEqual(sign(key, payload), bytes.subarray(0, MAC_BYTES)));
  if (!isGenuine) throw illegalCursor('illegal after parameter');
  const document = decodeDocument(payload);
  const values = document.get('v');
  const sealedSort = document.get('s');
  if (!isDocument(sealedSort) || !encodeDocument(sealedSort).equals(encodeDocument(sort))) {
    throw illegalCursor('illegal after parameter, it belongs to another sort order');
  }
  return Array.isArray(values) ? values : [];
}

/** The refusal of a cursor. */
export function illegalCursor(message: string): QuorateError {
  return new QuorateError('ERR_REQUEST_PAGE', { message });
}
