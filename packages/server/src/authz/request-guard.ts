/** Authentication and authorization as the one guard of the request pipeline. */
import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { Permit } from '../model/permit.ts';
import type { Guard } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import type { RequestAuthorizer } from './request-authorizer.ts';

/** Finds out who asks; implemented in `auth/`. */
export interface Authenticator {
  authenticate(request: HttpRequest): Promise<Identity>;
}

/** Joins the two steps. */
export class RequestGuard implements Guard {
  private readonly authenticator: Authenticator;
  private readonly authorizer: RequestAuthorizer;

  constructor(authenticator: Authenticator, authorizer: RequestAuthorizer) {
    this.authenticator = authenticator;
    this.authorizer = authorizer;
  }

  authenticate(request: HttpRequest): Promise<Identity> {
    return this.authenticator.authenticate(request);
  }

  authorize(
    request: HttpRequest,
    service: AnyService,
    prepared: unknown,
    identity: Identity,
  ): Promise<Permit> {
    const traits = service.traits?.(request, prepared);
    return this.authorizer.authorize(request, identity, traits, service.secured);
  }
}
