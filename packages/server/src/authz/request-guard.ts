/** Authentication and authorization as the one guard of the request pipeline. */
import { QuorateError } from '../errors/quorate-error.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { Permit } from '../model/permit.ts';
import type { Guard } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import type { FailedLogins } from './failed-logins.ts';
import type { RequestAuthorizer } from './request-authorizer.ts';

/** Finds out who asks; implemented in `auth/`. */
export interface Authenticator {
  authenticate(request: HttpRequest): Identity | Promise<Identity>;
  /** True when the request carries credentials, good or bad. */
  hasCredentials(request: HttpRequest): boolean;
  /** Headers of the answer to an authenticated request. */
  replyHeaders(request: HttpRequest): readonly (readonly [string, string])[];
  /** False when no mechanism ever adds any. */
  readonly addsReplyHeaders: boolean;
}

export interface RequestGuardOptions {
  /** Undefined: guessing is not slowed down. */
  readonly failures?: FailedLogins | undefined;
  readonly sourceOf: (request: HttpRequest) => string;
  /** The same by account: whoever guesses from many sources is stopped too, and so is the owner. */
  readonly userFailures?: FailedLogins | undefined;
  /** The account whose credentials a request claims to carry. */
  readonly claimedNameOf: (request: HttpRequest) => string | undefined;
  /** Services that are open, and answer 401 themselves to wrong credentials. */
  readonly loginServices: ReadonlySet<string>;
  /** Told of every refused login. */
  readonly refused?: ((request: HttpRequest) => void) | undefined;
}

/** Joins the two steps, and counts what fails in them. */
export class RequestGuard implements Guard {
  private readonly authenticator: Authenticator;
  private readonly authorizer: RequestAuthorizer;
  private readonly options: RequestGuardOptions;
  private readonly isPlain: boolean;
  readonly replyHeaders?: NonNullable<Guard['replyHeaders']>;

  constructor(
    authenticator: Authenticator,
    authorizer: RequestAuthorizer,
    options: RequestGuardOptions,
  ) {
    this.authenticator = authenticator;
    this.authorizer = authorizer;
    this.options = options;
    this.isPlain =
      options.failures === undefined &&
      options.userFailures === undefined &&
      options.refused === undefined;
    if (authenticator.addsReplyHeaders) {
      this.replyHeaders = (request) => authenticator.replyHeaders(request);
    }
  }

  authenticate(request: HttpRequest): Identity | Promise<Identity> {
    return this.authenticator.authenticate(request);
  }

  authorize(
    request: HttpRequest,
    service: AnyService,
    prepared: unknown,
    identity: Identity,
  ): Permit | Promise<Permit> {
    const traits = service.traits?.(request, prepared);
    if (this.isPlain) return this.authorizer.authorize(request, identity, traits, service.secured);
    return this.authorizeCounting(request, service, traits, identity);
  }

  /** A source that failed too often is refused once its request would succeed (security.md §10). */
  private async authorizeCounting(
    request: HttpRequest,
    service: AnyService,
    traits: Parameters<RequestAuthorizer['authorize']>[2],
    identity: Identity,
  ): Promise<Permit> {
    const { loginServices } = this.options;
    let permit: Permit;
    try {
      permit = await this.authorizer.authorize(request, identity, traits, service.secured);
    } catch (error) {
      if (error instanceof QuorateError && error.code === 'ERR_AUTH_REQUIRED')
        await this.count(request);
      throw error;
    }
    if (await this.isBlocked(request, identity)) {
      throw new QuorateError('ERR_AUTH_TOO_MANY', {
        message: 'Too many failed authentication attempts. Please try again later.',
        headers: [['Retry-After', '10']],
      });
    }
    const isFailedLogin =
      loginServices.has(service.name) &&
      identity.kind === 'anonymous' &&
      this.authenticator.hasCredentials(request);
    if (isFailedLogin) await this.count(request);
    return permit;
  }

  private async isBlocked(request: HttpRequest, identity: Identity): Promise<boolean> {
    const { failures, sourceOf, userFailures } = this.options;
    if ((await failures?.isBlocked(sourceOf(request))) === true) return true;
    if (userFailures === undefined || identity.kind === 'anonymous') return false;
    return await userFailures.isBlocked(userKey(identity.name));
  }

  /** Before the refusal is sent, so that the next attempt finds it counted, whichever node it reaches. */
  private async count(request: HttpRequest): Promise<void> {
    this.options.refused?.(request);
    const { failures, sourceOf, userFailures, claimedNameOf } = this.options;
    await failures?.add(sourceOf(request));
    const name = userFailures && claimedNameOf(request);
    if (name !== undefined) await userFailures?.add(userKey(name));
  }
}

/** No address looks like this, so that one collection counts both. */
function userKey(name: string): string {
  return `user ${name}`;
}
