import { randomBytes } from 'node:crypto';
import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { Binary, type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Store } from '../storage/store.ts';
import type { GrantedRole } from './roles.ts';
import { SCRAM_MECHANISMS, type ScramCredential, type ScramMechanism } from './scram.ts';

const UUID_BYTES = 16;

/** What is stored of a password, for each mechanism the user may authenticate by. */
export type Credentials = ReadonlyMap<ScramMechanism, ScramCredential>;

/** A user as stored. */
export interface StoredUser {
  readonly name: string;
  readonly database: string;
  readonly userId: Binary;
  readonly credentials: Credentials;
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
  return toDocument({
    _id: keyOf(user.database, user.name),
    userId: user.userId,
    user: user.name,
    db: user.database,
    credentials: describeCredentials(user.credentials),
    roles: user.roles.map(({ role, database }) => toDocument({ role, db: database })),
    customData: user.customData,
  });
}

/** The credentials as MongoDB keeps them, and shows them to those who ask for them. */
export function describeCredentials(credentials: Credentials): Document {
  const described: Document = new Map();
  for (const [mechanism, { iterations, salt, storedKey, serverKey }] of credentials) {
    described.set(
      mechanism,
      toDocument({
        iterationCount: iterations,
        salt: salt.toString('base64'),
        storedKey: storedKey.toString('base64'),
        serverKey: serverKey.toString('base64'),
      }),
    );
  }
  return described;
}

function readCredentials(document: Document): Credentials {
  const credentials = new Map<ScramMechanism, ScramCredential>();
  for (const mechanism of SCRAM_MECHANISMS) {
    const scram = document.get(mechanism);
    if (!isDocument(scram)) continue;
    credentials.set(mechanism, {
      iterations: Number(scram.get('iterationCount')),
      salt: Buffer.from(String(scram.get('salt')), 'base64'),
      storedKey: Buffer.from(String(scram.get('storedKey')), 'base64'),
      serverKey: Buffer.from(String(scram.get('serverKey')), 'base64'),
    });
  }
  return credentials;
}

function fromStored(document: Document): StoredUser {
  const roles = document.get('roles');
  const customData = document.get('customData');
  return {
    name: String(document.get('user')),
    database: String(document.get('db')),
    userId: document.get('userId') as Binary,
    credentials: readCredentials(asDocument(document.get('credentials'))),
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
