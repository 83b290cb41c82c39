/** `/authorize`: an authorization code for a login (security.md §5). */
import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service, ServiceContext } from '../../model/service.ts';
import { isForm, readForm } from '../token/form-credentials.ts';
import { oauthError, unauthorized } from '../token/token-service.ts';
import { type CodeSigner, issueCode } from './authorization-code.ts';
import { isAllowedRedirectUri } from './redirect-uris.ts';

export interface AuthorizeServiceOptions {
  readonly uri: string;
  readonly loginUrl: string | undefined;
  readonly allowedRedirectUris: readonly string[];
  readonly codes: CodeSigner;
  readonly overrideAuthorization: (request: HttpRequest, value: string) => void;
}

interface AuthorizeRequest {
  /** True when the credentials came in a form: a failed login goes back to the login page. */
  readonly form: boolean;
}

/** The authorization endpoint (RFC 6749 §3.1) with PKCE. */
export class AuthorizeService implements Service<AuthorizeRequest> {
  readonly name = 'oauthAuthorizationService';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured = false;
  private readonly options: AuthorizeServiceOptions;

  constructor(options: AuthorizeServiceOptions) {
    this.options = options;
    this.uri = options.uri;
  }

  async prepare(request: HttpRequest): Promise<AuthorizeRequest> {
    const takesForm = request.method === 'POST' && isForm(request);
    if (!takesForm || request.header('authorization') !== undefined) return { form: false };
    const form = readForm(await request.body());
    const [name, password] = [form.get('username'), form.get('password')];
    if (name && password) {
      const encoded = Buffer.from(`${name}:${password}`).toString('base64');
      this.options.overrideAuthorization(request, `Basic ${encoded}`);
    }
    return { form: true };
  }

  handle(
    request: HttpRequest,
    { form }: AuthorizeRequest,
    context: ServiceContext,
  ): Reply | Promise<Reply> {
    if (request.method === 'GET') return this.showLogin(request);
    if (request.method === 'POST') return this.giveCode(request, form, context);
    return { status: 405, headers: [] };
  }

  private showLogin(request: HttpRequest): Reply {
    const { loginUrl } = this.options;
    const { query } = request;
    if (loginUrl === undefined)
      return oauthError(500, 'server_error', 'login-url is not configured');
    if (query.get('response_type') !== 'code') {
      return oauthError(400, 'unsupported_response_type', 'response_type must be code');
    }
    const refusal = this.checkRedirectUri(request) ?? checkChallenge(request);
    if (refusal) return refusal;
    return redirectTo(withQuery(loginUrl, sortedQuery(request)));
  }

  private async giveCode(
    request: HttpRequest,
    form: boolean,
    { identity }: ServiceContext,
  ): Promise<Reply> {
    const { loginUrl, codes } = this.options;
    if (identity.kind === 'anonymous') {
      if (!form || loginUrl === undefined) return unauthorized(request);
      return redirectTo(withQuery(loginUrl, `error=invalid_credentials&${sortedQuery(request)}`));
    }
    const refusal = this.checkRedirectUri(request);
    if (refusal) return refusal;
    const { query } = request;
    const redirectUri = query.get('redirect_uri') ?? '';
    const codeChallenge = query.get('code_challenge');
    const codeChallengeMethod = query.get('code_challenge_method');
    const state = query.get('state');
    const back = (fields: Record<string, string>) => {
      const all = new URLSearchParams({ ...fields, ...(state === undefined ? {} : { state }) });
      return redirectTo(withQuery(redirectUri, all.toString()));
    };
    if (!codeChallenge || codeChallengeMethod !== 'S256') {
      return back({
        error: 'invalid_request',
        error_description: 'code_challenge is required (PKCE S256)',
      });
    }
    const code = await issueCode(codes, identity, {
      redirectUri,
      codeChallenge,
      codeChallengeMethod,
      clientId: query.get('client_id'),
    });
    return back({ code });
  }

  private checkRedirectUri(request: HttpRequest): Reply | undefined {
    const uri = request.query.get('redirect_uri');
    if (!uri) return oauthError(400, 'invalid_request', 'redirect_uri is required');
    if (isAllowedRedirectUri(uri, this.options.allowedRedirectUris)) return undefined;
    return oauthError(400, 'invalid_request', 'redirect_uri is not in the allowed list');
  }
}

function checkChallenge({ query }: HttpRequest): Reply | undefined {
  const challenge = query.get('code_challenge');
  if (challenge && query.get('code_challenge_method') === 'S256') return undefined;
  return oauthError(400, 'invalid_request', 'code_challenge is required (PKCE S256)');
}

function sortedQuery({ query }: HttpRequest): string {
  const pairs: [string, string][] = query
    .names()
    .toSorted()
    .flatMap((name) => query.getAll(name).map((value): [string, string] => [name, value]));
  return new URLSearchParams(pairs).toString();
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function redirectTo(location: string): Reply {
  return { status: 302, headers: [['Location', location]] };
}
