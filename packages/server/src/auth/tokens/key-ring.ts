/** The keys that sign and verify tokens (cluster.md E3). */
import type { CryptoKey, JWK } from 'jose';
import { QuorateError } from '../../errors/quorate-error.ts';

/** Algorithms of tokens (RFC 7518 §3.1, RFC 8037). */
export type JwtAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

/** One key; HMAC secrets sign and verify, of the others there may be both halves or the public one. */
export interface TokenKey {
  /** Undefined: the key of tokens without `kid` (a key given by the configuration). */
  readonly kid: string | undefined;
  /** Verifies; an HMAC secret signs too. */
  readonly key: Uint8Array | CryptoKey;
  /** Signs, where it is not the same. */
  readonly privateKey?: CryptoKey;
  /** Undefined: the algorithm of the configuration. */
  readonly algorithm?: JwtAlgorithm;
  /** What `/.well-known/jwks.json` shows of it. */
  readonly publicJwk?: JWK;
  /** When it starts to sign, milliseconds: other nodes must have heard of it by then. */
  readonly signsFromMs?: number;
}

/** Where keys come from: the configuration, MongoDB or a remote JWKS. */
export interface KeyRing {
  /** The key new tokens are signed with; undefined when this ring can only verify. */
  signingKey(): TokenKey | undefined;
  /** The keys a token with this `kid` (or without one) may have been signed with, best first. */
  verificationKeys(kid: string | undefined): readonly TokenKey[];
  /** Resolves when the keys were read once, or could not be for some time. */
  readonly ready?: Promise<void>;
  /**
   * Looks for a `kid` that nobody has heard of yet.
   *
   * @throws ERR_DATABASE_UNAVAILABLE when it cannot be told whether there is such a key
   */
  findUnknown?(kid: string | undefined): Promise<readonly TokenKey[]>;
}

/** One key, from the configuration: equal on every node that is configured alike. */
export class StaticKeyRing implements KeyRing {
  private readonly key: TokenKey;

  constructor(key: Uint8Array | CryptoKey) {
    this.key = { kid: undefined, key };
  }

  signingKey(): TokenKey | undefined {
    return this.key.key instanceof Uint8Array ? this.key : undefined;
  }

  verificationKeys(): readonly TokenKey[] {
    return [this.key];
  }
}

export interface SharedKeyRingOptions {
  /** The key of tokens without `kid`; undefined: any key of the ring will do for them. */
  readonly legacy?: TokenKey;
  /** Reads the ring anew, for a `kid` that another node may have just added. */
  readonly reload?: () => Promise<boolean>;
  readonly ready?: () => Promise<void>;
  readonly now?: () => number;
}

const MIN_RELOAD_MS = 1000;

/** Keys that all nodes share; replaced as a whole when they change. */
export class SharedKeyRing implements KeyRing {
  private keys: readonly TokenKey[] = [];
  private readonly options: SharedKeyRingOptions;
  private reloadedAtMs = Number.NEGATIVE_INFINITY;
  private couldReload = true;

  constructor(options: SharedKeyRingOptions = {}) {
    this.options = options;
  }

  /** @param keys - the youngest one first */
  replace(keys: readonly TokenKey[]): void {
    this.keys = keys;
  }

  get ready(): Promise<void> {
    return this.options.ready?.() ?? Promise.resolve();
  }

  /** The youngest one that every node knows by now. */
  signingKey(): TokenKey | undefined {
    const now = this.now();
    const known = this.keys.filter((key) => (key.signsFromMs ?? 0) <= now);
    return known[0] ?? this.keys.at(-1);
  }

  verificationKeys(kid: string | undefined): readonly TokenKey[] {
    const { legacy } = this.options;
    if (kid !== undefined) return this.keys.filter((key) => key.kid === kid);
    return legacy === undefined ? this.keys : [legacy];
  }

  async findUnknown(kid: string | undefined): Promise<readonly TokenKey[]> {
    const { reload } = this.options;
    if (reload === undefined) return [];
    if (this.keys.length === 0) return this.findFirst(kid);
    // a made-up kid must not become a way to keep the database busy
    if (kid !== undefined && this.now() - this.reloadedAtMs >= MIN_RELOAD_MS) {
      this.reloadedAtMs = this.now();
      this.couldReload = await reload();
    }
    const found = this.verificationKeys(kid);
    if (found.length === 0 && !this.couldReload) throw unknownKeys();
    return found;
  }

  /** Before the ring was ever read no token is wrong: nobody knows. */
  private async findFirst(kid: string | undefined): Promise<readonly TokenKey[]> {
    await this.ready;
    if (this.keys.length === 0) throw unknownKeys();
    return this.verificationKeys(kid);
  }

  /** The public halves, for those who verify our tokens themselves (RFC 7517 §5). */
  publicKeys(): readonly JWK[] {
    return this.keys.flatMap(({ publicJwk }) => (publicJwk === undefined ? [] : [publicJwk]));
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

/** A key that cannot be looked up is no wrong token (cluster.md, invariant 5). */
export function unknownKeys(): QuorateError {
  return new QuorateError('ERR_DATABASE_UNAVAILABLE', {
    message: 'The signing keys cannot be read now',
    headers: [['Retry-After', '1']],
  });
}
