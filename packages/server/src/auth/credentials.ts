/** What a client shows of itself in the `Authorization` header (RFC 9110 §11.6.2, RFC 7617, RFC 6750). */

/** Name and secret of HTTP Basic. */
export interface BasicCredentials {
  readonly name: string;
  readonly secret: string;
  /** True when the scheme was spelled exactly `Basic`: tokens are accepted only then (security.md §2.1). */
  readonly exactScheme: boolean;
}

/** The credentials of a Basic header; undefined when it is none or cannot be decoded. */
export function readBasicCredentials(header: string | undefined): BasicCredentials | undefined {
  if (header === undefined || header.slice(0, 6).toLowerCase() !== 'basic ') return undefined;
  const encoded = header.slice(6).trim();
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1) return undefined;
  return {
    name: decoded.slice(0, colon),
    secret: decoded.slice(colon + 1),
    exactScheme: header.startsWith('Basic '),
  };
}

/** The token of a Bearer header; the scheme must be spelled `Bearer` (security.md §2.2). */
export function readBearerToken(header: string | undefined): string | undefined {
  if (header === undefined || !header.startsWith('Bearer ')) return undefined;
  const token = header.slice(7).trim();
  return token === '' ? undefined : token;
}

/**
 * The value of a cookie in a `Cookie` header, read leniently: members without `=` are skipped, and of
 * several cookies of one name the last one wins (security.md §2.5).
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  let found: string | undefined;
  for (const member of header.split(';')) {
    const equals = member.indexOf('=');
    if (equals === -1 || member.slice(0, equals).trim() !== name) continue;
    found = member
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
  }
  return found;
}

/** A cookie's value as the header it stands for: `Bearer_x` is `Bearer x`, `Basic_x` is `Basic x`. */
export function cookieToAuthorization(value: string): string {
  return value.replace(/^(Bearer|Basic)_/, '$1 ');
}
