/**
 * Cursors of keyset paging, good on every node that shares the database. They are sealed by AES-256-GCM: clients can
 * neither change them nor read in them, for a sort field may be one that `projectResponse` hides.
 */

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../../../model/bson.ts';
import { decodeDocument, encodeDocument } from '../../../../model/raw-bson.ts';
import { type KeyMaker, loadKeys } from '../../../../mongo/key-store.ts';
import type { MongoAccess } from '../../../../mongo/mongo-access.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEYS_TTL_MS = 300_000;
/** Keeps the keys' other uses apart from this one. */
const PURPOSE = 'quorate keyset cursor 2';

/** The secrets that sign tokens too; the first node to need one makes it. */
const SECRETS: KeyMaker = {
  family: 'HS',
  create: () => Promise.resolve({ secret: randomBytes(32) }),
};

interface CursorKeys {
  readonly keys: Promise<readonly Buffer[]>;
  readonly expiresAtMs: number;
}

const keysByAccess = new WeakMap<MongoAccess, CursorKeys>();

/** Keys derived from the nodes' shared ones, the sealing one first. */
function cursorKeys(mongo: MongoAccess): Promise<readonly Buffer[]> {
  const kept = keysByAccess.get(mongo);
  if (kept !== undefined && kept.expiresAtMs > Date.now()) return kept.keys;
  const keys = loadKeys(mongo, SECRETS).then((stored) =>
    stored.flatMap(({ secret }) =>
      secret === undefined ? [] : [createHmac('sha256', secret).update(PURPOSE).digest()],
    ),
  );
  keysByAccess.set(mongo, { keys, expiresAtMs: Date.now() + KEYS_TTL_MS });
  keys.catch(() => keysByAccess.delete(mongo));
  return keys;
}

function seal(key: Buffer, payload: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  return Buffer.concat([iv, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
}

/** The payload, or undefined when it was not sealed with this key. */
function unseal(key: Buffer, sealed: Buffer): Buffer | undefined {
  const end = sealed.length - TAG_BYTES;
  if (end <= IV_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, end)), decipher.final()]);
  } catch {
    // another key, or not a cursor at all
    return undefined;
  }
}

/** The cursor behind a document with these values in the fields of the sort order. */
export async function sealCursor(
  mongo: MongoAccess,
  sort: BsonDocument,
  values: readonly BsonValue[],
): Promise<string> {
  const [key] = await cursorKeys(mongo);
  if (key === undefined) throw new Error('no key to seal cursors with');
  const payload = encodeDocument(
    new Map<string, BsonValue>([
      ['s', sort],
      ['v', [...values]],
    ]),
  );
  return seal(key, payload).toString('base64url');
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
  const sealed = Buffer.from(text, 'base64url');
  const keys = await cursorKeys(mongo);
  let payload: Buffer | undefined;
  for (const key of keys) payload ??= unseal(key, sealed);
  if (payload === undefined) throw illegalCursor('illegal after parameter');
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
