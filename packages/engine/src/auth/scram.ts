import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

export const SCRAM_MECHANISMS = ['SCRAM-SHA-1', 'SCRAM-SHA-256'] as const;
export type ScramMechanism = (typeof SCRAM_MECHANISMS)[number];

interface ScramParameters {
  readonly hash: 'sha1' | 'sha256';
  readonly keyBytes: number;
  readonly saltBytes: number;
  readonly iterations: number;
}

/** MongoDB's own: its counts of iterations, salts that fill one block of the hash but for four bytes. */
const PARAMETERS: Readonly<Record<ScramMechanism, ScramParameters>> = {
  'SCRAM-SHA-1': { hash: 'sha1', keyBytes: 20, saltBytes: 16, iterations: 10_000 },
  'SCRAM-SHA-256': { hash: 'sha256', keyBytes: 32, saltBytes: 28, iterations: 15_000 },
};
const NONCE_BYTES = 24;

/** What is stored of a password for one mechanism (RFC 5802 section 5.1, RFC 7677). */
export interface ScramCredential {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** A password on its way to its credentials. */
export interface GivenPassword {
  readonly userName: string;
  readonly password: string;
  /** The client has digested it already, as `digestPassword: false` says. */
  readonly isDigested?: boolean;
}

/** Makes a credential; the slow derivation runs off the main thread. */
export async function createCredential(
  mechanism: ScramMechanism,
  given: GivenPassword,
): Promise<ScramCredential> {
  const { hash, keyBytes, saltBytes, iterations } = PARAMETERS[mechanism];
  const salt = randomBytes(saltBytes);
  const secret = mechanism === 'SCRAM-SHA-1' ? digest(given) : prepare(given.password);
  const salted = await derive(secret, salt, iterations, keyBytes, hash);
  const clientKey = hmac(hash, salted, 'Client Key');
  return {
    iterations,
    salt,
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: hmac(hash, salted, 'Server Key'),
  };
}

/**
 * What SCRAM-SHA-1 takes for the password (driver specification "Authentication"). The digest is part
 * of the protocol and protects nothing; the derivation after it does.
 */
function digest({ userName, password, isDigested }: GivenPassword): string {
  if (isDigested) return password;
  return createHash('md5').update(`${userName}:mongo:${password}`).digest('hex');
}

/** A credential nobody's password fits: unknown users look like known ones for one step more. */
export function createDecoyCredential(
  mechanism: ScramMechanism,
  secret: Buffer,
  userName: string,
): ScramCredential {
  const { saltBytes, keyBytes, iterations } = PARAMETERS[mechanism];
  const salt = hmac('sha256', secret, userName).subarray(0, saltBytes);
  const key = randomBytes(keyBytes);
  return { iterations, salt, storedKey: key, serverKey: key };
}

/** The client's first message, taken apart. */
export interface ClientFirst {
  readonly userName: string;
  readonly nonce: string;
  readonly bare: string;
}

/** `undefined` for what is no `client-first-message` without channel binding. */
export function parseClientFirst(message: string): ClientFirst | undefined {
  const match = /^[ny],(?:a=[^,]*)?,(n=([^,]*),r=([^,]+)(?:,.*)?)$/.exec(message);
  if (match === null) return undefined;
  const [, bare = '', name = '', nonce = ''] = match;
  return { userName: name.replaceAll('=2C', ',').replaceAll('=3D', '='), nonce, bare };
}

/** The server's half of one SCRAM conversation (RFC 5802 section 5). */
export class ScramConversation {
  readonly userName: string;
  readonly serverFirst: string;
  readonly #nonce: string;
  readonly #clientFirstBare: string;
  readonly #credential: ScramCredential;
  readonly #hash: ScramParameters['hash'];

  constructor(mechanism: ScramMechanism, first: ClientFirst, credential: ScramCredential) {
    this.#hash = PARAMETERS[mechanism].hash;
    this.userName = first.userName;
    this.#nonce = first.nonce + randomBytes(NONCE_BYTES).toString('base64');
    this.#clientFirstBare = first.bare;
    this.#credential = credential;
    const salt = credential.salt.toString('base64');
    this.serverFirst = `r=${this.#nonce},s=${salt},i=${credential.iterations}`;
  }

  /** The server's last message, or `undefined` when the proof is wrong. */
  finish(clientFinal: string): string | undefined {
    const match = /^(c=([^,]+),r=([^,]+)(?:,.*)?),p=([^,]+)$/.exec(clientFinal);
    if (match === null) return undefined;
    const [, withoutProof = '', , nonce, proofText = ''] = match;
    if (nonce !== this.#nonce) return undefined;
    const message = `${this.#clientFirstBare},${this.serverFirst},${withoutProof}`;
    const signature = hmac(this.#hash, this.#credential.storedKey, message);
    const proof = Buffer.from(proofText, 'base64');
    if (proof.length !== signature.length) return undefined;
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    if (!timingSafeEqual(storedKey, this.#credential.storedKey)) return undefined;
    return `v=${hmac(this.#hash, this.#credential.serverKey, message).toString('base64')}`;
  }
}

function hmac(hash: string, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}

/** The parts of SASLprep (RFC 4013) that passwords meet: odd spaces, invisible marks, NFKC. */
function prepare(password: string): string {
  return password
    .replaceAll(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replaceAll(
      /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g,
      '',
    )
    .normalize('NFKC');
}
