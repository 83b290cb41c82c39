/** Keys of another issuer, an OpenID provider for instance, read from its JWKS (RFC 7517). */
import { importJWK, type JWK } from 'jose';
import type { JwtAlgorithm, KeyRing, TokenKey } from './key-ring.ts';

export interface RemoteKeyRingOptions {
  readonly uri: string;
  /** Algorithms that are believed; never HMAC, for the keys are public. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** How long keys are kept before they are read again, milliseconds. */
  readonly maxAgeMs: number;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

/** An unknown `kid` is worth a look at most this often: whoever makes them up must not flood the issuer. */
const MIN_REFRESH_MS = 10_000;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 1_000_000;

/** Verifies only; reads the keys when one is wanted, and again for a `kid` it does not know. */
export class RemoteKeyRing implements KeyRing {
  private readonly options: RemoteKeyRingOptions;
  private keys: readonly TokenKey[] = [];
  private readAtMs = Number.NEGATIVE_INFINITY;
  private triedAtMs = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;

  constructor(options: RemoteKeyRingOptions) {
    this.options = options;
  }

  signingKey(): undefined {
    return undefined;
  }

  verificationKeys(kid: string | undefined): readonly TokenKey[] {
    if (this.now() - this.readAtMs > this.options.maxAgeMs) return [];
    return this.matching(kid);
  }

  async findUnknown(kid: string | undefined): Promise<readonly TokenKey[]> {
    if (this.reading === undefined && this.now() - this.triedAtMs >= MIN_REFRESH_MS) {
      this.triedAtMs = this.now();
      this.reading = this.read().finally(() => {
        this.reading = undefined;
      });
    }
    // the issuer being away is no reason to refuse what its old keys signed
    await this.reading?.catch(() => undefined);
    return this.matching(kid);
  }

  private matching(kid: string | undefined): readonly TokenKey[] {
    return kid === undefined ? this.keys : this.keys.filter((key) => key.kid === kid);
  }

  private async read(): Promise<void> {
    const { uri, fetch: get = fetch } = this.options;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const reply = await get(uri, { signal, headers: { Accept: 'application/json' } });
    if (!reply.ok) throw new Error(`${uri} answered ${reply.status}`);
    const text = await reply.text();
    if (text.length > MAX_BYTES) throw new Error(`${uri} answered too much`);
    const { keys } = JSON.parse(text) as { keys?: unknown };
    if (!Array.isArray(keys)) throw new Error(`${uri} answered no keys`);
    const read = await Promise.all(keys.map((jwk: JWK) => this.toKeys(jwk)));
    this.keys = read.flat();
    this.readAtMs = this.now();
  }

  /** A key without `alg` serves every believed algorithm of its kind. */
  private async toKeys(jwk: JWK): Promise<TokenKey[]> {
    if (jwk.use !== undefined && jwk.use !== 'sig') return [];
    const algorithms = this.options.algorithms.filter((algorithm) =>
      jwk.alg === undefined ? fits(jwk, algorithm) : jwk.alg === algorithm,
    );
    const keys: TokenKey[] = [];
    for (const algorithm of algorithms) {
      try {
        const key = await importJWK({ ...jwk, alg: algorithm }, algorithm);
        if (!(key instanceof Uint8Array)) keys.push({ kid: jwk.kid, key, algorithm });
      } catch {
        // a key of a kind we do not know is no reason to lose the others
      }
    }
    return keys;
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

const CURVES: Readonly<Record<string, JwtAlgorithm>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
};

function fits(jwk: JWK, algorithm: JwtAlgorithm): boolean {
  if (jwk.kty === 'RSA') return algorithm.startsWith('RS');
  return jwk.crv !== undefined && CURVES[jwk.crv] === algorithm;
}
