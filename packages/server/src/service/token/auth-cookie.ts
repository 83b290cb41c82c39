/** The cookie that carries a token (security.md §2.5). */

export interface AuthCookieSettings {
  readonly name: string;
  readonly domain: string;
  readonly path: string;
  readonly httpOnly: boolean;
  readonly sameSite: boolean;
  readonly sameSiteMode: string;
  readonly secure: boolean;
  readonly ttlMinutes: number;
}

/** The `Set-Cookie` value that keeps a token; the attributes in the order clients of the reference see. */
export function formatAuthCookie(settings: AuthCookieSettings, value: string): string {
  return [
    `${settings.name}=${value}`,
    `Domain=${settings.domain}`,
    `Path=${settings.path}`,
    ...(settings.httpOnly ? ['HttpOnly'] : []),
    ...(settings.sameSite ? [`SameSite=${capitalize(settings.sameSiteMode)}`] : []),
    ...(settings.secure ? ['Secure'] : []),
    `Max-Age=${settings.ttlMinutes * 60}`,
  ].join('; ');
}

/** The `Set-Cookie` value that makes a browser forget the token. */
export function formatRemovedCookie(settings: AuthCookieSettings): string {
  return `${settings.name}=; Path=${settings.path}; Domain=${settings.domain}; Secure; HttpOnly; SameSite=Strict`;
}

function capitalize(mode: string): string {
  return mode.charAt(0).toUpperCase() + mode.slice(1).toLowerCase();
}
