/** `/token`, `/token/cookie`, `/token/redirect`: a login for a token (security.md §4). */
import { QuorateError } from '../../errors/quorate-error.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { IssuedToken, TokenIssuer } from '../../model/ports.ts';
import type { Reply, ReplyHeader } from '../../model/reply.ts';
import type { CorsLists, Service, ServiceContext } from '../../model/service.ts';
import { type AuthCookieSettings, formatAuthCookie } from './auth-cookie.ts';
import { type FormCredentials, isForm, readForm, readFormCredentials } from './form-credentials.ts';
import type { RefreshGrant } from './refresh-grant.ts';

export interface TokenServiceOptions {
  readonly uri: string;
  /** Where `/token/redirect` sends the browser; never taken from the request. */
  readonly redirectUrl: string | undefined;
  readonly tokens: TokenIssuer | undefined;
  /** Undefined: no cookies are set. */
  readonly cookie: AuthCookieSettings | undefined;
  /** True: `?set-auth-cookie` asks for the cookie on the other paths too (security.md §2.5). */
  readonly cookieOnRequest?: boolean;
  /** Bearer tokens in the cookie, or Basic ones. */
  readonly bearerInCookie: boolean;
  /** Hands an `Authorization` value on to authentication. */
  readonly overrideAuthorization: (request: HttpRequest, value: string) => void;
  /** Exchanges an authorization code (RFC 6749 §4.1.3); undefined when OAuth is off. */
  readonly exchangeCode?: (form: URLSearchParams) => Promise<Record<string, unknown>>;
  /** Undefined: no refresh tokens are given (the reference has none). */
  readonly refresh?: RefreshGrant | undefined;
  /** Ends all tokens of an account, or of everybody; undefined: tokens cannot be taken back. */
  readonly revokeAll?: ((name: string | undefined) => Promise<void>) | undefined;
  /** May end the tokens of others. */
  readonly rootRole?: string | undefined;
  readonly now?: () => number;
}

interface TokenRequest {
  /** Path below the service's URI: empty, `/cookie`, `/redirect` or something unknown. */
  readonly rest: string;
  readonly form: FormCredentials | undefined;
}

const NO_STORE: readonly ReplyHeader[] = [
  ['Cache-Control', 'no-store'],
  ['Pragma', 'no-cache'],
];
const METHODS: Readonly<Record<string, readonly string[]>> = {
  '': ['GET', 'POST', 'DELETE'],
  '/cookie': ['POST'],
  '/redirect': ['GET'],
};

/** The token endpoint. */
export class TokenService implements Service<TokenRequest> {
  readonly name = 'authTokenService';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured = false;
  private readonly options: TokenServiceOptions;

  constructor(options: TokenServiceOptions) {
    this.options = options;
    this.uri = options.uri;
  }

  cors(): CorsLists {
    return {
      allowMethods: 'GET, PUT, POST, PATCH, DELETE',
      allowHeaders: 'Authorization, Content-Type, X-Requested-With, No-Auth-Challenge',
      exposeHeaders: 'Auth-Token, Auth-Token-Valid-Until, Auth-Token-Location',
    };
  }

  /** Turns the credentials of a form into an `Authorization` value, before authentication. */
  async prepare(request: HttpRequest): Promise<TokenRequest> {
    const rest = request.rawPath.slice(this.uri.length).replace(/\/$/, '');
    const takesForm = request.method === 'POST' && (rest === '' || rest === '/cookie');
    if (!takesForm || !isForm(request) || request.header('authorization') !== undefined) {
      return { rest, form: undefined };
    }
    const takesRefresh = this.options.refresh !== undefined && rest === '';
    const form = readFormCredentials(readForm(await request.body()), { takesRefresh });
    if (form.kind === 'credentials') {
      const encoded = Buffer.from(`${form.name}:${form.secret}`).toString('base64');
      this.options.overrideAuthorization(request, `Basic ${encoded}`);
    }
    return { rest, form };
  }

  async handle(
    request: HttpRequest,
    { rest, form }: TokenRequest,
    { identity }: ServiceContext,
  ): Promise<Reply> {
    const { tokens } = this.options;
    if (form?.kind === 'code' && rest === '') return this.exchangeCode(form.form);
    if (form?.kind === 'refresh') return this.refresh(form.token);
    const isMissingMethod = METHODS[rest]?.includes(request.method) === false;
    if (identity.kind === 'anonymous') {
      return isMissingMethod ? { status: 405, headers: [] } : unauthorized(request);
    }
    if (tokens === undefined) {
      throw new QuorateError('ERR_INTERNAL', { message: 'no token manager is enabled' });
    }
    if (!(rest in METHODS)) throw new QuorateError('ERR_NOT_FOUND', { emptyBody: true });
    if (request.method === 'DELETE' && rest === '') {
      return this.endTokens(request, identity, tokens);
    }
    const issued = await tokens.issue(identity, { renew: request.query.has('renew') });
    const headers = this.tokenHeaders(identity, issued, this.setsCookie(request, rest));
    if (isMissingMethod) return { status: 405, headers };
    const noStore = request.method === 'POST' || rest === '/redirect' ? NO_STORE : [];
    if (rest === '/redirect') return this.redirect(identity, issued, [...headers, ...noStore]);
    const { name, roles } = identity;
    if (rest === '/cookie') {
      const body = { authenticated: true, username: name, roles };
      return json(200, body, [...headers, ...noStore]);
    }
    // a token cannot make itself immortal: only a login starts a chain of refresh tokens
    const startsChain = request.method === 'POST' && identity.hasToken !== true;
    const refresh = startsChain ? await this.options.refresh?.start(identity) : undefined;
    const body = this.tokenBody(identity, issued, refresh);
    return json(200, body, [...headers, ...noStore]);
  }

  /** `DELETE /token` ends one token; `?everywhere` all of the account, and for the root role of others (`?user=`, `*`: everybody). */
  private async endTokens(
    request: HttpRequest,
    identity: AccountIdentity,
    tokens: TokenIssuer,
  ): Promise<Reply> {
    const { refresh, revokeAll, rootRole } = this.options;
    const other = request.query.get('user');
    const isRoot = rootRole !== undefined && identity.roles.includes(rootRole);
    if (other !== undefined && other !== identity.name && !isRoot) {
      throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
    }
    const name = other ?? identity.name;
    if (name === identity.name) await tokens.revoke(identity);
    if (other !== undefined || request.query.has('everywhere')) {
      await revokeAll?.(name === '*' ? undefined : name);
      if (name !== '*') await refresh?.end(name);
    }
    return { status: 204, headers: [] };
  }

  private async refresh(token: string): Promise<Reply> {
    const { refresh, tokens } = this.options;
    const refreshed = await refresh?.refresh(token);
    if (refreshed === undefined || tokens === undefined) {
      return oauthError(400, 'invalid_grant', 'refresh token is invalid or expired');
    }
    const { account, refreshToken } = refreshed;
    const issued = await tokens.issue(account, { renew: true });
    const headers = [...this.tokenHeaders(account, issued, false), ...NO_STORE];
    return json(200, this.tokenBody(account, issued, refreshToken), headers);
  }

  private tokenHeaders(
    identity: AccountIdentity,
    issued: IssuedToken,
    setsCookie: boolean,
  ): readonly ReplyHeader[] {
    const { tokens, cookie, bearerInCookie } = this.options;
    const headers: ReplyHeader[] = [
      ['Auth-Token', issued.token],
      ['Auth-Token-Valid-Until', formatInstant(issued.expiresAtMs)],
      ['Auth-Token-Location', tokens?.location(identity) ?? this.uri],
    ];
    if (setsCookie && cookie) {
      const basic = Buffer.from(`${identity.name}:${issued.token}`).toString('base64');
      const value = bearerInCookie ? `Bearer_${issued.token}` : `Basic_${basic}`;
      headers.push(['Set-Cookie', formatAuthCookie(cookie, value)]);
    }
    return headers;
  }

  private setsCookie({ query }: HttpRequest, rest: string): boolean {
    const { cookieOnRequest = false } = this.options;
    return rest === '/cookie' || (cookieOnRequest && query.has('set-auth-cookie'));
  }

  private tokenBody(
    identity: AccountIdentity,
    issued: IssuedToken,
    refreshToken?: string,
  ): Record<string, unknown> {
    return {
      access_token: issued.token,
      token_type: this.options.tokens?.tokenType,
      expires_in: this.secondsLeft(issued),
      username: identity.name,
      roles: identity.roles,
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    };
  }

  private redirect(
    identity: AccountIdentity,
    issued: IssuedToken,
    headers: readonly ReplyHeader[],
  ): Reply {
    const { redirectUrl, tokens } = this.options;
    if (redirectUrl === undefined) {
      return oauthError(400, 'invalid_request', 'no redirect-url configured for /token/redirect');
    }
    const fragment = new URLSearchParams({
      access_token: issued.token,
      token_type: tokens?.tokenType ?? 'Bearer',
      expires_in: String(this.secondsLeft(issued)),
    });
    const location: ReplyHeader = ['Location', `${redirectUrl}#${fragment.toString()}`];
    return json(307, this.tokenBody(identity, issued), [...headers, location]);
  }

  private async exchangeCode(form: URLSearchParams): Promise<Reply> {
    const { exchangeCode } = this.options;
    if (exchangeCode === undefined) {
      return oauthError(400, 'invalid_grant', 'authorization code is invalid or expired');
    }
    try {
      return json(200, await exchangeCode(form), NO_STORE);
    } catch (error) {
      if (!(error instanceof QuorateError) || error.code !== 'ERR_REQUEST_OAUTH') throw error;
      return json(error.status, error.details);
    }
  }

  private secondsLeft(issued: IssuedToken): number {
    const now = (this.options.now ?? Date.now)();
    return Math.max(0, Math.floor((issued.expiresAtMs - now) / 1000));
  }
}

/** A compact JSON answer (operations.md §11). */
export function json(status: number, body: unknown, headers: readonly ReplyHeader[] = []): Reply {
  return {
    status,
    headers: [...headers, ['Content-Type', 'application/json; charset=UTF-8']],
    body: JSON.stringify(body),
  };
}

/** An error of the OAuth endpoints (RFC 6749 §5.2). */
export function oauthError(status: number, error: string, description: string): Reply {
  return json(status, { error, error_description: description });
}

/** The 401 of the token endpoints, whose realm is another one. */
export function unauthorized(request: HttpRequest): Reply {
  const silent =
    request.header('no-auth-challenge') !== undefined || request.query.has('noauthchallenge');
  return { status: 401, headers: silent ? [] : [['WWW-Authenticate', 'Basic realm="RESTHeart"']] };
}

/** Java's Instant.toString: no fraction where it is zero. */
function formatInstant(atMs: number): string {
  return new Date(atMs).toISOString().replace('.000Z', 'Z');
}
