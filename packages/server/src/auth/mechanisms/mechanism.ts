import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';

/** One way for a client to say who it is (security.md §2). */
export interface AuthenticationMechanism {
  readonly name: string;
  /**
   * The account, as a promise only where one has to wait; undefined when the request carries no credentials of this kind, or wrong ones.
   *
   * @param authorization - the `Authorization` header, or what a cookie stands for
   * @throws ERR_DATABASE_* when the accounts cannot be read: not a failed login (cluster.md E-invariant 5)
   */
  authenticate(
    request: HttpRequest,
    authorization: string | undefined,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined>;
  /** The `WWW-Authenticate` value of a 401; undefined: this mechanism sends none. */
  challenge?(request: HttpRequest): string;
  /** Headers of the answer to an authenticated request. */
  replyHeaders?(request: HttpRequest): readonly (readonly [string, string])[];
}
