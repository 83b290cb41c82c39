import { type BsonDocument, type BsonValue, Double } from '../../model/bson.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { JwtClaims } from './jwt.ts';

export interface JwtIdentitySettings {
  readonly usernameClaim: string;
  /** Undefined: only `fixedRoles`. */
  readonly rolesClaim: string | undefined;
  readonly fixedRoles: readonly string[];
}

/** The account that a token's claims describe; undefined when they do not (security.md §2.2). */
export function claimsToIdentity(
  claims: JwtClaims,
  settings: JwtIdentitySettings,
): AccountIdentity | undefined {
  const name = claims[settings.usernameClaim];
  const roles = readRoles(claims, settings);
  if (typeof name !== 'string' || roles === undefined) return undefined;
  return { kind: 'account', name, roles, properties: claimsToProperties(claims), hasToken: true };
}

function readRoles(
  claims: JwtClaims,
  { rolesClaim, fixedRoles }: JwtIdentitySettings,
): readonly string[] | undefined {
  if (rolesClaim === undefined) return fixedRoles;
  const claimed = claims[rolesClaim];
  if (claimed === null) return fixedRoles;
  if (!Array.isArray(claimed) || !claimed.every((role) => typeof role === 'string'))
    return undefined;
  return [...new Set([...claimed, ...fixedRoles])];
}

function claimsToProperties(claims: Readonly<Record<string, unknown>>): BsonDocument {
  return new Map(Object.entries(claims).map(([name, value]) => [name, toBson(value)]));
}

function toBson(value: unknown): BsonValue {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : new Double(value);
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(toBson);
      return claimsToProperties(value as Record<string, unknown>);
    default:
      return null;
  }
}
