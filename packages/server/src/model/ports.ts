import type { BsonDocument } from './bson.ts';
import type { AccountIdentity } from './identity.ts';

/** Interfaces that one step implements and another uses; `app/compose.ts` hands them over. */

import type { HttpRequest } from './http-request.ts';
import type { Identity } from './identity.ts';
import type { Permit } from './permit.ts';
import type { ReplyHeader } from './reply.ts';
import type { AnyService } from './service.ts';

/** Finds out who asks and what they may; implemented by `auth/` and `authz/` together. */
export interface Guard {
  /** Anonymous when no mechanism succeeds; whether that is enough is for `authorize` to say. */
  authenticate(request: HttpRequest, service: AnyService): Identity | Promise<Identity>;
  /** @throws ERR_AUTH_REQUIRED (401 with its challenges) or ERR_AUTHZ_FORBIDDEN (403) */
  authorize(
    request: HttpRequest,
    service: AnyService,
    prepared: unknown,
    identity: Identity,
  ): Permit | Promise<Permit>;
  /** Headers that mechanisms add to the answer of an authenticated request; absent: none ever does. */
  replyHeaders?(request: HttpRequest): readonly (readonly [string, string])[];
}

/** Counts requests; implemented in `authz/`. What comes back are headers of the answer. */
export interface RequestLimiter {
  /**
   * Counts by address, before a login costs anything.
   *
   * @throws ERR_REQUEST_RATE when the client has sent too many
   */
  beforeLogin(request: HttpRequest): readonly ReplyHeader[] | Promise<readonly ReplyHeader[]>;
  /** Counts by account. @throws ERR_REQUEST_RATE */
  afterLogin(
    request: HttpRequest,
    identity: Identity,
  ): readonly ReplyHeader[] | Promise<readonly ReplyHeader[]>;
}

/** Outcome of a database probe (cluster.md D2). */
export type DatabaseProbe =
  | { readonly status: 'ok'; readonly latencyMs: number }
  | { readonly status: 'timeout' }
  | { readonly status: 'error'; readonly message: string };

/** Asks the database whether it answers; implemented in `mongo/`. */
export interface DatabaseProbePort {
  /** Runs `{ping: 1}` on `databaseName`; never rejects. */
  ping(databaseName: string, timeoutMs: number): Promise<DatabaseProbe>;
}

/** An account as a realm keeps it. */
export interface StoredAccount {
  readonly name: string;
  /** bcrypt hash, or the clear text where the realm keeps that; undefined: cannot log in by password. */
  readonly password: string | undefined;
  readonly passwordIsHashed: boolean;
  readonly roles: readonly string[];
  /** Everything of the account but its password. */
  readonly properties: BsonDocument;
}

/** Where accounts are looked up; implemented in `mongo/` and `auth/realms/`. */
export interface AccountStore {
  /**
   * A promise only where one has to wait.
   *
   * @param fresh - true: not from a cache, because what a cache holds did not fit the credentials
   * @throws ERR_DATABASE_* when the database is in trouble, which is not a failed login
   */
  find(
    name: string,
    options?: { readonly fresh?: boolean },
  ): StoredAccount | undefined | Promise<StoredAccount | undefined>;
  /** Only of realms that compare passwords themselves: the account, when the password is right. */
  login?(
    name: string,
    password: string,
  ): StoredAccount | undefined | Promise<StoredAccount | undefined>;
}

/** Why a token is refused although its signature is good. */
export interface RevocationList {
  /** False while the list may be behind; undefined: it never is. */
  readonly isFresh?: boolean;
  /** True when the token itself, all tokens of its user, or everybody's up to some moment are revoked. */
  isRevoked(token: {
    jti: string | undefined;
    name: string;
    issuedAtMs: number | undefined;
  }): boolean;
}

/** A token and its end. */
export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** Issues tokens and takes them back; a token manager without its verifying half. */
export interface TokenIssuer {
  /** `Bearer` tokens go into a Bearer header; `Basic-Password` ones are sent as Basic's password. */
  readonly tokenType: 'Bearer' | 'Basic-Password';
  /** The token of an account: the same one again while it lives, unless `renew`. */
  issue(account: AccountIdentity, options: { readonly renew: boolean }): Promise<IssuedToken>;
  /** Takes back the account's token. */
  revoke(account: AccountIdentity): Promise<void>;
  /** `Auth-Token-Location` of an account's token. */
  location(account: AccountIdentity): string;
}

/** Why a request would be let through or not. */
export interface Explanation {
  readonly allowed: boolean;
  readonly reason: string;
  /** The rules that were looked at, up to the one that decides. */
  readonly steps: readonly {
    readonly authorizer: string;
    readonly role: string;
    readonly permission: string;
    readonly priority?: number;
    readonly description?: string;
    readonly predicate: string;
    readonly outcome: string;
  }[];
  /** Filters, forced properties and hidden fields of the rule that decides, variables resolved. */
  readonly permit?: Permit;
  /** What is wrong with the rules of a dry run. */
  readonly invalid?: readonly string[];
}

/** Takes decisions slowly and tells each step; implemented in `authz/`. */
export interface ExplainsRules {
  /** @param asked - `permissions`: rules to try instead of those in MongoDB */
  explain(
    http: HttpRequest,
    service: AnyService,
    prepared: unknown,
    asked: {
      readonly identity: Identity;
      readonly permissions?: readonly BsonDocument[] | undefined;
    },
  ): Promise<Explanation>;
}
