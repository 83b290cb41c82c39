import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import { readBearerToken } from '../credentials.ts';
import type { AuthenticationMechanism } from './mechanism.ts';

/** The account of a Bearer token; a promise only where one has to wait. */
export type VerifyBearer = (
  token: string,
) => AccountIdentity | undefined | Promise<AccountIdentity | undefined>;

/** Bearer tokens that are signed (security.md §2.2, RFC 6750). */
export class JwtMechanism implements AuthenticationMechanism {
  readonly name = 'jwtAuthenticationMechanism';
  private readonly verifyBearer: VerifyBearer;
  private readonly base64Encoded: boolean;

  /** @param options - `base64Encoded`: the header holds the whole token encoded once more */
  constructor(verifyBearer: VerifyBearer, options: { readonly base64Encoded: boolean }) {
    this.verifyBearer = verifyBearer;
    this.base64Encoded = options.base64Encoded;
  }

  authenticate(
    _request: HttpRequest,
    authorization: string | undefined,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    const sent = readBearerToken(authorization);
    if (sent === undefined) return undefined;
    const token = this.base64Encoded ? Buffer.from(sent, 'base64url').toString('utf8') : sent;
    return this.verifyBearer(token);
  }
}
