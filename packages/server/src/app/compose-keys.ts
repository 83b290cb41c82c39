/** The keys behind signed tokens: given by the configuration, or a ring in MongoDB that rotates. */
import { generateKeyPair, randomBytes, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { type CryptoKey, exportJWK, importPKCS8, importSPKI } from 'jose';
import {
  type JwtAlgorithm,
  type KeyRing,
  SharedKeyRing,
  StaticKeyRing,
  type TokenKey,
} from '../auth/tokens/key-ring.ts';
import type { Settings } from '../config/schema.ts';
import { FollowedCollection } from '../mongo/followed-collection.ts';
import {
  addKey,
  type KeyMaker,
  loadKeys,
  QUORATE_DATABASE,
  removeKeys,
  type StoredKey,
} from '../mongo/key-store.ts';
import type { Log } from '../observe/log.ts';
import type { SecurityDatabase } from './security-database.ts';

export interface Keys {
  readonly ring: KeyRing;
  /** False: tokens of others are verified, none are made. */
  readonly canSign: boolean;
  readonly publicKeys: () => readonly unknown[];
  /** What the nodes share and nobody else knows; undefined until it is read, or where nothing is shared. */
  readonly sharedSecret: () => Uint8Array | undefined;
  /** Resolves when the keys are there, however late. */
  readonly loaded: Promise<void>;
}

/** The ring that the configuration asks for. */
export function composeKeys(
  settings: Settings,
  database: SecurityDatabase | undefined,
  log: Log,
): Keys {
  const { key, 'key-ring': wantsRing } = settings.jwtConfigProvider;
  const algorithm = normalizeAlgorithm(settings.jwtConfigProvider.algorithm);
  const isHmac = algorithm.startsWith('HS');
  if (key !== null && isHmac && (key.length < 32 || key === 'secret')) {
    log.warn('/jwtConfigProvider/key is short: use at least 32 characters', {});
  }
  if (key !== null && !(wantsRing && database !== undefined)) {
    if (!isHmac) return certificateRing(key, algorithm);
    return ready(new StaticKeyRing(Buffer.from(key, 'utf8')));
  }
  if (database === undefined) return ready(new StaticKeyRing(randomBytes(64)));
  const legacy: TokenKey | undefined =
    key !== null && isHmac ? { kid: undefined, key: Buffer.from(key, 'utf8') } : undefined;
  return sharedRing(settings, algorithm, legacy, database, log);
}

function ready(ring: KeyRing): Keys {
  const loaded = Promise.resolve();
  return { ring, canSign: true, publicKeys: () => [], sharedSecret: () => undefined, loaded };
}

/** The key of a base64 X.509 certificate; it verifies only (security.md §2.2). */
function certificateRing(certificate: string, algorithm: JwtAlgorithm): Keys {
  const ring = new SharedKeyRing();
  const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'));
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const loaded = importSPKI(pem, algorithm).then((key) => ring.replace([{ kid: undefined, key }]));
  return { ...ready(verifyOnly(ring)), canSign: false, loaded };
}

function verifyOnly(ring: SharedKeyRing): KeyRing {
  return {
    signingKey: () => undefined,
    verificationKeys: (kid) => ring.verificationKeys(kid === undefined ? kid : undefined),
  };
}

/** A new key signs after this long: by then all nodes have heard of it. */
const ANNOUNCEMENT_MS = 10_000;
const ROTATION_CHECK_MS = 60_000;

function sharedRing(
  settings: Settings,
  algorithm: JwtAlgorithm,
  legacy: TokenKey | undefined,
  { mongo, feed }: SecurityDatabase,
  log: Log,
): Keys {
  const maker = keyMaker(algorithm);
  const schedule = {
    rotateAfterMs: settings.jwtConfigProvider['rotate-after'] * 3_600_000,
    tokenLifeMs: settings.jwtTokenManager.ttl * 60_000,
  };
  let stored: readonly StoredKey[] = [];
  let secret: Uint8Array | undefined;
  const ring: SharedKeyRing = new SharedKeyRing({
    ...(legacy && { legacy }),
    reload: () => followed.reload(),
    ready: () => followed.ready,
  });
  const followed = new FollowedCollection(feed, {
    database: QUORATE_DATABASE,
    collection: 'keys',
    load: async () => {
      stored = await loadKeys(mongo, maker);
      const oldest = stored.at(-1);
      secret = oldest && (oldest.secret ?? Buffer.from(oldest.privateKey ?? ''));
      ring.replace(await Promise.all(stored.map((key, i) => toTokenKey(key, i, stored.length))));
    },
    pollMs: 5000,
    warn: (message, error) => log.warn(message, { err: error }),
  });
  const rotate = async (): Promise<void> => {
    const { wanted, outdated } = planRotation(stored, schedule, Date.now());
    if (wanted !== undefined) await addKey(mongo, maker, `${maker.family}-${wanted}`);
    if (outdated.length > 0) await removeKeys(mongo, outdated);
    if (wanted !== undefined || outdated.length > 0) await followed.reload();
  };
  if (schedule.rotateAfterMs > 0) {
    setInterval(() => {
      rotate().catch((error: unknown) => log.warn('The keys cannot be rotated', { err: error }));
    }, ROTATION_CHECK_MS).unref();
  }
  return {
    ring,
    canSign: true,
    publicKeys: () => ring.publicKeys(),
    // of the oldest one, which stays the same for longest
    sharedSecret: () => secret,
    loaded: followed.loaded,
  };
}

/**
 * What a rotation has to do: the name of the key that is due (the same on every node, so that one of
 * them makes it), and the keys whose last token has ended.
 */
export function planRotation(
  keys: readonly { readonly kid: string; readonly createdAtMs: number }[],
  schedule: { readonly rotateAfterMs: number; readonly tokenLifeMs: number },
  nowMs: number,
): { readonly wanted: string | undefined; readonly outdated: readonly string[] } {
  const [youngest] = keys;
  if (youngest === undefined) return { wanted: undefined, outdated: [] };
  const isDue = nowMs - youngest.createdAtMs >= schedule.rotateAfterMs;
  const outdated = keys.filter((_key, i) => {
    const successor = keys[i - 1];
    const lastSignedAtMs = successor && successor.createdAtMs + ANNOUNCEMENT_MS;
    return lastSignedAtMs !== undefined && nowMs > lastSignedAtMs + schedule.tokenLifeMs + 60_000;
  });
  return {
    wanted: isDue ? `after-${youngest.kid}`.slice(-60) : undefined,
    outdated: outdated.map(({ kid }) => kid),
  };
}

async function toTokenKey(key: StoredKey, index: number, count: number): Promise<TokenKey> {
  const { kid, secret, privateKey } = key;
  // the first key of all signs at once: nobody has signed with another one
  const signsFromMs = index === count - 1 ? 0 : key.createdAtMs + ANNOUNCEMENT_MS;
  if (secret !== undefined) return { kid, key: secret, signsFromMs };
  const algorithm = key.algorithm as JwtAlgorithm;
  const own = await importPKCS8(privateKey ?? '', algorithm, { extractable: true });
  const jwk = await exportJWK(own);
  const publicJwk = { ...publicHalf(jwk), kid, alg: algorithm, use: 'sig' };
  const { importJWK } = await import('jose');
  const verifying = (await importJWK(publicJwk, algorithm)) as CryptoKey;
  return { kid, key: verifying, privateKey: own, algorithm, publicJwk, signsFromMs };
}

function publicHalf(jwk: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = ['kty', 'n', 'e', 'crv', 'x', 'y'];
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => names.includes(name)));
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

function keyMaker(algorithm: JwtAlgorithm): KeyMaker {
  if (algorithm.startsWith('HS')) {
    return { family: 'HS', create: () => Promise.resolve({ secret: randomBytes(64) }) };
  }
  const pair = promisify(generateKeyPair);
  return {
    family: algorithm,
    async create() {
      const { privateKey } = await (algorithm === 'EdDSA'
        ? pair('ed25519')
        : algorithm.startsWith('ES')
          ? pair('ec', { namedCurve: CURVES[algorithm] ?? 'P-256' })
          : pair('rsa', { modulusLength: 3072 }));
      return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

/** `HMAC256` is `HS256`, `RSA256` is `RS256`. */
export function normalizeAlgorithm(name: string): JwtAlgorithm {
  return name.replace(/^HMAC/, 'HS').replace(/^RSA/, 'RS') as JwtAlgorithm;
}
