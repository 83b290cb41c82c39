import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** MongoDB's iteration count for SCRAM-SHA-256. */
const ITERATIONS = 15_000;
const SALT_BYTES = 28;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;

/** What is stored of a password (RFC 5802 section 5.1, RFC 7677). */
export interface ScramCredential {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Makes a credential; the slow derivation runs off the main thread. */
export async function createCredential(password: string): Promise<ScramCredential> {
  const salt = randomBytes(SALT_BYTES);
  const salted = await derive(prepare(password), salt, ITERATIONS, KEY_BYTES, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  return {
    iterations: ITERATIONS,
    salt,
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** A credential nobody's password fits: unknown users look like known ones for one step more. */
export function createDecoyCredential(secret: Buffer, userName: string): ScramCredential {
  const salt = hmac(secret, userName).subarray(0, SALT_BYTES);
  const key = randomBytes(KEY_BYTES);
  return { iterations: ITERATIONS, salt, storedKey: key, serverKey: key };
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

/** The server's half of one SCRAM-SHA-256 conversation (RFC 5802 section 5). */
export class ScramConversation {
  readonly userName: string;
  readonly serverFirst: string;
  readonly #nonce: string;
  readonly #clientFirstBare: string;
  readonly #credential: ScramCredential;

  constructor(first: ClientFirst, credential: ScramCredential) {
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
    const signature = hmac(this.#credential.storedKey, message);
    const proof = Buffer.from(proofText, 'base64');
    if (proof.length !== signature.length) return undefined;
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const storedKey = createHash('sha256').update(clientKey).digest();
    if (!timingSafeEqual(storedKey, this.#credential.storedKey)) return undefined;
    return `v=${hmac(this.#credential.serverKey, message).toString('base64')}`;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
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
