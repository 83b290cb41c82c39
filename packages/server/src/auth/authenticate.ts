/** Who asks: all mechanisms are tried, the first that succeeds wins (security.md §2). */
import type { HttpRequest } from '../model/http-request.ts';
import { ANONYMOUS, type Identity } from '../model/identity.ts';
import { cookieToAuthorization, readBasicCredentials, readCookie } from './credentials.ts';
import type { AuthenticationMechanism } from './mechanisms/mechanism.ts';

export interface AuthenticatorOptions {
  /** In the order in which they are tried. */
  readonly mechanisms: readonly AuthenticationMechanism[];
  /** Cookie that stands in for a missing `Authorization` header; undefined: none. */
  readonly cookieName: string | undefined;
}

/** Key in `HttpRequest.attached` under which a step leaves an `Authorization` value of its own making. */
export const AUTHORIZATION_OVERRIDE = 'authorization';

/** The identity of a request's sender. */
export class RequestAuthenticator {
  private readonly options: AuthenticatorOptions;

  /** False when no mechanism ever adds headers to answers. */
  readonly addsReplyHeaders: boolean;

  constructor(options: AuthenticatorOptions) {
    this.options = options;
    this.addsReplyHeaders = options.mechanisms.some(
      ({ replyHeaders }) => replyHeaders !== undefined,
    );
  }

  /**
   * Anonymous when nothing proves otherwise; wrong credentials are no error here, because the
   * request may be allowed to anybody.
   *
   * @throws ERR_DATABASE_* when the accounts cannot be read
   */
  authenticate(request: HttpRequest): Identity | Promise<Identity> {
    return this.tryFrom(0, request, this.authorizationOf(request), undefined);
  }

  /** Tries the mechanisms from the given one on; a promise only where one has to wait. */
  private tryFrom(
    from: number,
    request: HttpRequest,
    authorization: string | undefined,
    trouble: unknown,
  ): Identity | Promise<Identity> {
    const { mechanisms } = this.options;
    for (let i = from; i < mechanisms.length; i += 1) {
      const outcome = mechanisms[i]?.authenticate(request, authorization);
      if (outcome === undefined) continue;
      if (!(outcome instanceof Promise)) return outcome;
      return outcome.then(
        (identity) => identity ?? this.tryFrom(i + 1, request, authorization, trouble),
        // the next mechanism may not need the database
        (error: unknown) => this.tryFrom(i + 1, request, authorization, trouble ?? error),
      );
    }
    if (trouble !== undefined) throw trouble;
    return ANONYMOUS;
  }

  /** The name that a request's Basic credentials claim, right or wrong; for the log. */
  claimedName(request: HttpRequest): string | undefined {
    return readBasicCredentials(this.authorizationOf(request))?.name;
  }

  /** True when the request carries credentials of any kind. */
  hasCredentials(request: HttpRequest): boolean {
    return this.authorizationOf(request) !== undefined;
  }

  /** The `WWW-Authenticate` headers of a 401, unless the client asked for none (security.md §2.6). */
  challenges(request: HttpRequest): readonly (readonly [string, string])[] {
    if (suppressesChallenge(request)) return [];
    return this.options.mechanisms.flatMap((mechanism) => {
      const challenge = mechanism.challenge?.(request);
      return challenge === undefined ? [] : [['WWW-Authenticate', challenge] as const];
    });
  }

  /** Headers that mechanisms add to the answer of an authenticated request. */
  replyHeaders(request: HttpRequest): readonly (readonly [string, string])[] {
    return this.options.mechanisms.flatMap((mechanism) => mechanism.replyHeaders?.(request) ?? []);
  }

  private authorizationOf(request: HttpRequest): string | undefined {
    const override = request.attached.get(AUTHORIZATION_OVERRIDE);
    if (typeof override === 'string') return override;
    const header = request.header('authorization');
    if (header !== undefined || this.options.cookieName === undefined) return header;
    const cookie = readCookie(request.header('cookie'), this.options.cookieName);
    return cookie === undefined ? undefined : cookieToAuthorization(cookie);
  }
}

/** True for a client that must not be shown a login box: `No-Auth-Challenge`, `?noauthchallenge`. */
export function suppressesChallenge(request: HttpRequest): boolean {
  return request.header('no-auth-challenge') !== undefined || request.query.has('noauthchallenge');
}
