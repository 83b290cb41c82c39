import { randomBytes } from 'node:crypto';
import { Binary, type Document, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describePrivileges } from './privileges.ts';
import { isAllowed, type Privilege } from './roles.ts';
import {
  createDecoyCredential,
  parseClientFirst,
  SCRAM_MECHANISMS,
  ScramConversation,
  type ScramMechanism,
} from './scram.ts';
import type { StoredUser, UserStore } from './user-store.ts';

const SECRET_BYTES = 32;

export interface AuthenticatedUser {
  readonly name: string;
  readonly database: string;
}

/** The part of a connection that authentication changes. */
export interface AuthenticatingConnection {
  user: AuthenticatedUser | undefined;
  saslState: unknown;
  readonly isLocal: boolean;
}

interface Conversation {
  readonly scram: ScramConversation;
  readonly database: string;
  readonly skipEmptyExchange: boolean;
  proven: boolean;
}

/** Says who a client is (SCRAM) and what it may do. */
export class UserAuthority {
  readonly store: UserStore;
  /** Without it anybody may do anything, and users merely can be kept. */
  readonly required: boolean;
  readonly #secret = randomBytes(SECRET_BYTES);

  constructor(store: UserStore, options: { readonly required: boolean }) {
    this.store = store;
    this.required = options.required;
  }

  /** hello's saslSupportedMechs for `database.user`; undefined for an unknown user. */
  mechanismsOf(qualifiedName: string): Value[] | undefined {
    const dot = qualifiedName.indexOf('.');
    const user = this.store.find(qualifiedName.slice(0, dot), qualifiedName.slice(dot + 1));
    return user === undefined ? undefined : [...user.credentials.keys()];
  }

  /** The answer to hello's speculativeAuthenticate, or nothing when it cannot succeed. */
  startSpeculative(connection: AuthenticatingConnection, request: Document): Document | undefined {
    try {
      const database = String(request.get('db') ?? 'admin');
      const name = parseClientFirst(payloadOf(request))?.userName ?? '';
      const mechanism = request.get('mechanism');
      const user = this.store.find(database, name);
      // the driver then takes one of the mechanisms that the hello names
      if (user !== undefined && isScram(mechanism) && !user.credentials.has(mechanism)) {
        return undefined;
      }
      return this.start(connection, database, request);
    } catch {
      return undefined;
    }
  }

  /** saslStart. @throws AuthenticationFailed, MechanismUnavailable */
  start(connection: AuthenticatingConnection, database: string, request: Document): Document {
    const mechanism = request.get('mechanism');
    if (!isScram(mechanism)) {
      throw new MongoCommandError(
        'MechanismUnavailable',
        `Unsupported mechanism '${String(mechanism)}' on authentication database '${database}'`,
      );
    }
    const first = parseClientFirst(payloadOf(request));
    if (first === undefined) throw failed();
    const credential =
      // who may not use this mechanism is told no more than who does not exist
      this.store.find(database, first.userName)?.credentials.get(mechanism) ??
      createDecoyCredential(mechanism, this.#secret, `${database}.${first.userName}`);
    const options = request.get('options');
    const conversation: Conversation = {
      scram: new ScramConversation(mechanism, first, credential),
      database,
      skipEmptyExchange: options instanceof Map && options.get('skipEmptyExchange') === true,
      proven: false,
    };
    connection.saslState = conversation;
    return saslReply(conversation.scram.serverFirst, false);
  }

  /** saslContinue. @throws AuthenticationFailed, ProtocolError */
  continue(connection: AuthenticatingConnection, request: Document): Document {
    const conversation = connection.saslState as Conversation | undefined;
    if (conversation === undefined) {
      throw new MongoCommandError('ProtocolError', 'No SASL session state found');
    }
    if (conversation.proven) {
      connection.saslState = undefined;
      return saslReply('', true);
    }
    const answer = conversation.scram.finish(payloadOf(request));
    const user = this.store.find(conversation.database, conversation.scram.userName);
    if (answer === undefined || user === undefined) {
      connection.saslState = undefined;
      throw failed();
    }
    connection.user = { name: user.name, database: user.database };
    conversation.proven = true;
    if (conversation.skipEmptyExchange) connection.saslState = undefined;
    return saslReply(answer, conversation.skipEmptyExchange);
  }

  /** The roles of an authenticated user, as connectionStatus shows them. */
  rolesOf(user: AuthenticatedUser): Document[] {
    return (this.#find(user)?.roles ?? []).map(({ role, database }) =>
      toDocument({ role, db: database }),
    );
  }

  /** What those roles allow, as connectionStatus shows it. */
  privilegesOf(user: AuthenticatedUser): Document[] {
    return describePrivileges(this.#find(user)?.roles ?? []);
  }

  /**
   * Whether the connection's user may do what a command needs.
   *
   * @throws Unauthorized
   */
  authorize(
    connection: AuthenticatingConnection,
    command: { readonly name: string; readonly privilege: Privilege; readonly database: string },
  ): void {
    if (!this.required) return;
    if (connection.user === undefined) {
      // the first user can be made from the machine itself (manual, "Localhost Exception")
      const firstUser = command.name === 'createUser' && this.store.size === 0;
      if (firstUser && connection.isLocal && command.database === 'admin') return;
      throw new MongoCommandError(
        'Unauthorized',
        `Command ${command.name} requires authentication`,
      );
    }
    const user = this.#find(connection.user);
    if (user !== undefined && isAllowed(user.roles, command.privilege, command.database)) return;
    throw new MongoCommandError(
      'Unauthorized',
      `not authorized on ${command.database} to execute command ${command.name}`,
    );
  }

  #find(user: AuthenticatedUser): StoredUser | undefined {
    return this.store.find(user.database, user.name);
  }
}

function isScram(mechanism: Value | undefined): mechanism is ScramMechanism {
  return SCRAM_MECHANISMS.some((name) => name === mechanism);
}

function payloadOf(request: Document): string {
  const payload = request.get('payload');
  if (payload instanceof Binary)
    return Buffer.from(payload.buffer).toString('utf8', 0, payload.length());
  return typeof payload === 'string' ? Buffer.from(payload, 'base64').toString('utf8') : '';
}

function saslReply(payload: string, done: boolean): Document {
  return toDocument({ conversationId: 1, done, payload: new Binary(Buffer.from(payload)) });
}

function failed(): MongoCommandError {
  return new MongoCommandError('AuthenticationFailed', 'Authentication failed.');
}
