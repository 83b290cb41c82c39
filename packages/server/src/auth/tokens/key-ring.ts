/** The keys that sign and verify tokens (cluster.md E3). */
import type { CryptoKey } from 'jose';

/** One key; HMAC secrets sign and verify, public keys only verify. */
export interface TokenKey {
  /** Undefined: the key of tokens without `kid` (a key given by the configuration). */
  readonly kid: string | undefined;
  readonly key: Uint8Array | CryptoKey;
}

/** Where keys come from: the configuration, MongoDB or a remote JWKS. */
export interface KeyRing {
  /** The key new tokens are signed with; undefined when this ring can only verify. */
  signingKey(): TokenKey | undefined;
  /** The keys a token with this `kid` (or without one) may have been signed with, best first. */
  verificationKeys(kid: string | undefined): readonly TokenKey[];
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

/** Keys that all nodes share; replaced as a whole when they change. */
export class SharedKeyRing implements KeyRing {
  private keys: readonly TokenKey[] = [];

  /** @param keys - the signing one first */
  replace(keys: readonly TokenKey[]): void {
    this.keys = keys;
  }

  get isLoaded(): boolean {
    return this.keys.length > 0;
  }

  signingKey(): TokenKey | undefined {
    return this.keys[0];
  }

  verificationKeys(kid: string | undefined): readonly TokenKey[] {
    return kid === undefined ? this.keys : this.keys.filter((key) => key.kid === kid);
  }
}
