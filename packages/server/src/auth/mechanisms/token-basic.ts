import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import { readBasicCredentials } from '../credentials.ts';
import type { TokenManager } from '../tokens/token-manager.ts';
import type { AuthenticationMechanism } from './mechanism.ts';

/** HTTP Basic with a token in the password's place (security.md §2); tried before passwords. */
export class TokenBasicMechanism implements AuthenticationMechanism {
  readonly name = 'tokenBasicAuthMechanism';
  private readonly tokens: TokenManager;

  constructor(tokens: TokenManager) {
    this.tokens = tokens;
  }

  authenticate(
    _request: HttpRequest,
    authorization: string | undefined,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    const credentials = readBasicCredentials(authorization);
    if (credentials === undefined || !credentials.exactScheme) return undefined;
    return this.tokens.verify(credentials.name, credentials.secret);
  }
}
