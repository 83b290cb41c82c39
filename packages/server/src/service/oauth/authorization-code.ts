/**
 * Authorization codes with PKCE (RFC 6749 §4.1, RFC 7636): signed, so that any node can exchange a
 * code that another one gave out.
 */
import { createHash, randomUUID } from 'node:crypto';
import { QuorateError } from '../../errors/quorate-error.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { TokenIssuer } from '../../model/ports.ts';

/** Signs and reads codes; never accepted as a token, unlike in the original (security.md §12.4). */
export interface CodeSigner {
  sign(
    account: AccountIdentity,
    claims: Readonly<Record<string, string>>,
    ttlSeconds: number,
  ): Promise<string>;
  /** The account and the claims of a live code; undefined for anything else. */
  verify(
    code: string,
  ): Promise<{ account: AccountIdentity; claims: Readonly<Record<string, unknown>> } | undefined>;
  /** True the first time it is asked of a code: a code can be exchanged once. */
  redeem(codeId: string): Promise<boolean>;
}

const CODE_TTL_SECONDS = 300;

export interface CodeRequest {
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  readonly clientId: string | undefined;
}

/** A code for a client that the account has let in. */
export function issueCode(
  signer: CodeSigner,
  account: AccountIdentity,
  request: CodeRequest,
): Promise<string> {
  return signer.sign(
    account,
    {
      jti: randomUUID(),
      cc: request.codeChallenge,
      ccm: request.codeChallengeMethod,
      ruri: request.redirectUri,
      ...(request.clientId === undefined ? {} : { cid: request.clientId }),
    },
    CODE_TTL_SECONDS,
  );
}

/**
 * The token endpoint's answer to a code.
 *
 * @throws ERR_REQUEST_OAUTH with the error of RFC 6749 §5.2
 */
export async function exchangeCode(
  signer: CodeSigner,
  tokens: TokenIssuer,
  form: URLSearchParams,
  now: number,
): Promise<Record<string, unknown>> {
  const code = form.get('code');
  const verifier = form.get('code_verifier');
  if (!code) throw oauthFailure('invalid_request', 'code is required');
  if (!verifier) throw oauthFailure('invalid_request', 'code_verifier is required');
  const known = await signer.verify(code);
  const invalid = oauthFailure('invalid_grant', 'authorization code is invalid or expired');
  if (known === undefined) throw invalid;
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  if (known.claims['cc'] !== challenge) {
    throw oauthFailure('invalid_grant', 'code_verifier does not match code_challenge');
  }
  // sent, they have to be those of the request that made the code (RFC 6749 §4.1.3)
  for (const [field, claim] of [
    ['redirect_uri', 'ruri'],
    ['client_id', 'cid'],
  ] as const) {
    const sent = form.get(field);
    const bound = known.claims[claim];
    if (sent !== null && bound !== undefined && sent !== bound) throw invalid;
  }
  if (!(await signer.redeem(String(known.claims['jti'])))) throw invalid;
  const issued = await tokens.issue(known.account, { renew: false });
  return {
    access_token: issued.token,
    token_type: tokens.tokenType,
    expires_in: Math.max(0, Math.floor((issued.expiresAtMs - now) / 1000)),
  };
}

/** An error of the OAuth endpoints, as a throw. */
export function oauthFailure(error: string, description: string): QuorateError {
  return new QuorateError('ERR_REQUEST_OAUTH', {
    message: description,
    details: { error, error_description: description },
  });
}
