import type { BsonDocument } from './bson.ts';

/** Nobody has proved to be anyone. */
export interface AnonymousIdentity {
  readonly kind: 'anonymous';
}

/** An authenticated account. */
export interface AccountIdentity {
  readonly kind: 'account';
  readonly name: string;
  /** In the order of the account. */
  readonly roles: readonly string[];
  /** The account's document without its password. */
  readonly properties: BsonDocument;
  /** True when `properties` are the claims of a signed token. */
  readonly hasToken?: boolean;
}

/** Who asks. */
export type Identity = AnonymousIdentity | AccountIdentity;

/** The identity of every request that no mechanism authenticated. */
export const ANONYMOUS: AnonymousIdentity = { kind: 'anonymous' };
