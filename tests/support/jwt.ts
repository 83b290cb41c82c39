/** Tokens made by hand, good and bad ones (RFC 7519). */
import { createHmac, createSign, type KeyObject } from 'node:crypto';

/** The key that the servers under test are configured with. */
export const TEST_KEY = 'a-key-for-tests-of-at-least-32-characters';

export interface JwtOptions {
  /** Default HS256. */
  readonly alg?: string;
  readonly key?: string | Buffer | KeyObject;
  /** Instead of the usual header. */
  readonly header?: Readonly<Record<string, unknown>>;
}

const HASHES: Readonly<Record<string, string>> = {
  '256': 'sha256',
  '384': 'sha384',
  '512': 'sha512',
};

/** A token with exactly these claims. */
export function signJwt(claims: unknown, options: JwtOptions = {}): string {
  const { alg = 'HS256', key = TEST_KEY, header = { alg, typ: 'JWT' } } = options;
  const head = encode(JSON.stringify(header));
  const payload = encode(typeof claims === 'string' ? claims : JSON.stringify(claims));
  return `${head}.${payload}.${signature(`${head}.${payload}`, alg, key)}`;
}

function signature(text: string, alg: string, key: string | Buffer | KeyObject): string {
  if (alg === 'none') return '';
  const hash = HASHES[alg.slice(2)] ?? 'sha256';
  if (alg.startsWith('HS')) return createHmac(hash, key).update(text).digest('base64url');
  const signer = createSign(hash).update(text);
  if (alg.startsWith('ES')) {
    return signer.sign({ key: key as KeyObject, dsaEncoding: 'ieee-p1363' }, 'base64url');
  }
  return signer.sign(key as KeyObject, 'base64url');
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** The usual claims of an account. */
export function claimsOf(
  name: string,
  roles: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return { iss: 'restheart.org', sub: name, roles, exp, ...more };
}

/** The value of an `Authorization` header. */
export function bearer(
  name: string,
  roles: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  return `Bearer ${signJwt(claimsOf(name, roles, more))}`;
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
