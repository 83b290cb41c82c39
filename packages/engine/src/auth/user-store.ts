import { randomBytes } from 'node:crypto';
import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { Binary, type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Store } from '../storage/store.ts';
import type { GrantedRole } from './roles.ts';
import type { ScramCredential } from './scram.ts';

export const SCRAM_SHA_256 = 'SCRAM-SHA-256';
const UUID_BYTES = 16;

/** A user as stored. */
export interface StoredUser {
  readonly name: string;
  readonly database: string;
  readonly userId: Binary;
  readonly credential: ScramCredential;
  readonly roles: readonly GrantedRole[];
  readonly customData: Document | undefined;
}

/** Users by database and name, kept in memory as well: they are asked for with every command. */
export class UserStore {
  readonly #store: Store;
  readonly #users = new Map<string, StoredUser>();

  constructor(store: Store) {
    this.#store = store;
    this.reload();
  }

  /** Reads the users again: the store was changed by other means than this object. */
  reload(): void {
    this.#users.clear();
    for (const { key, value } of this.#store.latest.range('users', {})) {
      this.#users.set(Buffer.from(key).toString('utf8'), fromStored(decodeDocument(value)));
    }
  }

  get size(): number {
    return this.#users.size;
  }

  find(database: string, name: string): StoredUser | undefined {
    return this.#users.get(keyOf(database, name));
  }

  all(): Iterable<StoredUser> {
    return this.#users.values();
  }

  async save(user: StoredUser): Promise<void> {
    const key = keyOf(user.database, user.name);
    await this.#store.write(
      (batch) => batch.put('users', Buffer.from(key), encodeDocument(toStored(user))),
      { durable: true },
    );
    this.#users.set(key, user);
  }

  async remove(user: StoredUser): Promise<void> {
    const key = keyOf(user.database, user.name);
    await this.#store.write((batch) => batch.remove('users', Buffer.from(key)), {
      durable: true,
    });
    this.#users.delete(key);
  }
}

export function newUserId(): Binary {
  return new Binary(randomBytes(UUID_BYTES), Binary.SUBTYPE_UUID);
}

function keyOf(database: string, name: string): string {
  return `${database}.${name}`;
}

function toStored(user: StoredUser): Document {
  const { credential } = user;
  return toDocument({
    _id: keyOf(user.database, user.name),
    userId: user.userId,
    user: user.name,
    db: user.database,
    credentials: toDocument({
      [SCRAM_SHA_256]: toDocument({
        iterationCount: credential.iterations,
        salt: credential.salt.toString('base64'),
        storedKey: credential.storedKey.toString('base64'),
        serverKey: credential.serverKey.toString('base64'),
      }),
    }),
    roles: user.roles.map(({ role, database }) => toDocument({ role, db: database })),
    customData: user.customData,
  });
}

function fromStored(document: Document): StoredUser {
  const credentials = asDocument(document.get('credentials'));
  const scram = asDocument(credentials.get(SCRAM_SHA_256));
  const roles = document.get('roles');
  const customData = document.get('customData');
  return {
    name: String(document.get('user')),
    database: String(document.get('db')),
    userId: document.get('userId') as Binary,
    credential: {
      iterations: Number(scram.get('iterationCount')),
      salt: Buffer.from(String(scram.get('salt')), 'base64'),
      storedKey: Buffer.from(String(scram.get('storedKey')), 'base64'),
      serverKey: Buffer.from(String(scram.get('serverKey')), 'base64'),
    },
    roles: (Array.isArray(roles) ? roles : []).filter(isDocument).map((role) => ({
      role: String(role.get('role')),
      database: String(role.get('db')),
    })),
    customData: isDocument(customData) ? customData : undefined,
  };
}

function asDocument(value: Value | undefined): Document {
  return isDocument(value) ? value : new Map();
}
