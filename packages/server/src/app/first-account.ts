/** The first account: made by one of the nodes as soon as the database is there, however late (cluster.md E14, F). */
import { randomBytes } from 'node:crypto';
import { hash } from '@node-rs/bcrypt';
import type { Settings } from '../config/schema.ts';
import { isQuorateError, QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { AccountStore } from '../model/ports.ts';
import { createFirstAccount } from '../mongo/account-store.ts';
import { ensureCollection } from '../mongo/ensure-collection.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import type { Log } from '../observe/log.ts';
import { parseJson } from '../representation/json-reader.ts';

const RETRY_MS = 250;
// an answer that is no is not asked for as often as a database that is away
const REFUSED_RETRY_MS = 10_000;
const PATIENCE_MS = 5000;
const COLLECTIONS_PATIENCE_MS = 1000;

/** What waits for the first account. */
export interface FirstAccount {
  /** The collections of accounts and rules are there, or the database did not answer within a second. */
  readonly collections: Promise<void>;
  /**
   * It was made or was there, or the database has answered that it may not be made: then accounts are what the
   * collection has, and the node serves.
   */
  readonly settled: Promise<void>;
}

/** Makes the collections and the first account where they are missing; tries again until that succeeds. */
export function makeFirstAccount(settings: Settings, mongo: MongoAccess, log: Log): FirstAccount {
  let collectionsAreThere = (): void => {};
  const collections = new Promise<void>((resolve) => {
    collectionsAreThere = resolve;
  });
  const settled = new Promise<void>((resolve) => {
    const run = async (): Promise<void> => {
      let warned = '';
      for (;;) {
        try {
          await attempt(settings, mongo, log, collectionsAreThere);
          return resolve();
        } catch (error) {
          const code = isQuorateError(error) ? error.code : String(error);
          if (code !== warned) log.warn('The first account cannot be made yet', { err: error });
          warned = code;
          if (!isAway(error)) resolve();
          await afterMs(isAway(error) ? RETRY_MS : REFUSED_RETRY_MS);
        }
      }
    };
    void run();
  });
  const patience = afterMs(COLLECTIONS_PATIENCE_MS);
  return { collections: Promise.race([collections, settled, patience]), settled };
}

function isAway(error: unknown): boolean {
  return isQuorateError(error) && error.status === 503;
}

async function attempt(
  settings: Settings,
  mongo: MongoAccess,
  log: Log,
  collectionsAreThere: () => void,
): Promise<void> {
  const realm = settings.mongoRealmAuthenticator;
  const acl = settings.mongoAclAuthorizer;
  if (acl.enabled) {
    const [database, collection] = [acl['acl-db'], acl['acl-collection']];
    await ensureCollection(mongo, { database, collection });
  }
  const namespace = { database: realm['users-db'], collection: realm['users-collection'] };
  if (realm.enabled) await ensureCollection(mongo, namespace);
  collectionsAreThere();
  if (!realm.enabled || !realm['create-user']) return;
  const given = realm['create-user-document'];
  const password = randomBytes(15).toString('base64url');
  const account =
    given === null ? await adminAccount(settings, password) : await givenAccount(settings, given);
  const isMade = await createFirstAccount(mongo, namespace, account);
  if (!isMade || given !== null) return;
  log.info(`admin password: ${password}`, {});
  // a parent that opened a channel shows it where nobody overlooks it
  process.send?.({ kind: 'first-account', name: 'admin', password });
}

async function adminAccount(settings: Settings, password: string): Promise<BsonDocument> {
  const realm = settings.mongoRealmAuthenticator;
  return new Map<string, BsonValue>([
    [realm['prop-id'], 'admin'],
    [realm['prop-password'], await storedPassword(settings, password)],
    ['roles', ['admin']],
  ]);
}

const BCRYPT_HASH = /^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/;

/** As configured; a password that is no hash becomes one, as it would if the account were written over HTTP. */
async function givenAccount(settings: Settings, given: string): Promise<BsonDocument> {
  const account = parseJson(given);
  if (!(account instanceof Map)) throw new Error('create-user-document is not a JSON object');
  const property = settings.mongoRealmAuthenticator['prop-password'];
  const password = account.get(property);
  if (typeof password === 'string' && !BCRYPT_HASH.test(password))
    account.set(property, await storedPassword(settings, password));
  return account;
}

async function storedPassword(settings: Settings, password: string): Promise<string> {
  const realm = settings.mongoRealmAuthenticator;
  if (!realm['bcrypt-hashed-password']) return password;
  return hash(password, { cost: realm['bcrypt-complexity'], version: '2a' });
}

/** Accounts as they are once the first one is there: until then nobody can be told that a password is wrong. */
export function afterFirstAccount(
  accounts: AccountStore,
  firstAccount: Promise<void> | undefined,
): AccountStore {
  let isThere = firstAccount === undefined;
  void firstAccount?.then(() => {
    isThere = true;
  });
  return {
    find(name, options) {
      if (isThere) return accounts.find(name, options);
      return Promise.race([firstAccount, afterMs(PATIENCE_MS)]).then(() => {
        if (isThere) return accounts.find(name, options);
        throw new QuorateError('ERR_DATABASE_UNAVAILABLE', {
          message: 'Timeout connecting to MongoDB, is it running?',
          headers: [['Retry-After', '1']],
        });
      });
    },
  };
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
