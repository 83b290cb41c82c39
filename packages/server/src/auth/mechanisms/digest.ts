/** HTTP Digest, MD5 and qop `auth` as the reference speaks it (security.md §2.3, RFC 7616). */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { AccountStore } from '../../model/ports.ts';
import { toIdentity } from './basic.ts';
import type { AuthenticationMechanism } from './mechanism.ts';

const OPAQUE = '0'.repeat(32);
const NONCE_LIFE_MS = 5 * 60_000;
const MAX_NONCES = 100_000;

export interface DigestOptions {
  readonly realm: string;
  readonly domain: string;
  /** Signs nonces: equal on all nodes, so that any node knows another's nonce (cluster.md E8). */
  readonly nonceKey: () => Uint8Array;
  readonly now?: () => number;
}

interface Outcome {
  readonly stale: boolean;
  readonly headers: readonly (readonly [string, string])[];
}

/** A digest of the password proves it; needs accounts whose password is kept in clear text. */
export class DigestMechanism implements AuthenticationMechanism {
  readonly name = 'digestAuthMechanism';
  private readonly accounts: AccountStore;
  private readonly options: DigestOptions;
  private readonly outcomes = new WeakMap<HttpRequest, Outcome>();
  // the highest count seen of each live nonce: a captured request cannot be sent again
  private readonly counts = new Map<string, number>();

  constructor(accounts: AccountStore, options: DigestOptions) {
    this.accounts = accounts;
    this.options = options;
  }

  async authenticate(
    request: HttpRequest,
    authorization: string | undefined,
  ): Promise<AccountIdentity | undefined> {
    if (authorization?.slice(0, 7).toLowerCase() !== 'digest ') return undefined;
    const sent = parseDigest(authorization.slice(7));
    const uri =
      request.rawQuery === '' ? request.rawPath : `${request.rawPath}?${request.rawQuery}`;
    const { username, nonce = '', cnonce = '', nc = '', response = '' } = sent;
    if (
      username === undefined ||
      sent['realm'] !== this.options.realm ||
      sent['opaque'] !== OPAQUE ||
      sent['uri'] !== uri ||
      sent['qop'] !== 'auth'
    ) {
      return undefined;
    }
    const account = await this.accounts.find(username);
    if (account?.password === undefined || account.passwordIsHashed) return undefined;
    const ha1 = md5(`${username}:${this.options.realm}:${account.password}`);
    const digest = (method: string) =>
      md5(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
    if (!isSame(response, digest(request.method))) return undefined;
    if (!this.accept(nonce, Number.parseInt(nc, 16))) {
      this.outcomes.set(request, { stale: true, headers: [] });
      return undefined;
    }
    const info = `nextnonce="${this.makeNonce()}",qop="auth",rspauth="${digest('')}",cnonce="${cnonce}",nc=${nc}`;
    this.outcomes.set(request, { stale: false, headers: [['Authentication-Info', info]] });
    return toIdentity(account);
  }

  challenge(request: HttpRequest): string {
    const { realm, domain } = this.options;
    const stale = this.outcomes.get(request)?.stale ? ',stale=true' : '';
    return `Digest realm="${realm}",domain="${domain}",nonce="${this.makeNonce()}",opaque="${OPAQUE}"${stale},algorithm=MD5,qop="auth"`;
  }

  replyHeaders(request: HttpRequest): readonly (readonly [string, string])[] {
    return this.outcomes.get(request)?.headers ?? [];
  }

  private makeNonce(): string {
    const time = this.now().toString(36);
    return `${time}.${this.signTime(time)}`;
  }

  private signTime(time: string): string {
    return createHmac('sha256', this.options.nonceKey()).update(time).digest('base64url');
  }

  private accept(nonce: string, count: number): boolean {
    const [time = '', signature = ''] = nonce.split('.');
    if (!isSame(signature, this.signTime(time))) return false;
    const madeAtMs = Number.parseInt(time, 36);
    if (!(madeAtMs > this.now() - NONCE_LIFE_MS) || !(count > (this.counts.get(nonce) ?? 0))) {
      return false;
    }
    if (this.counts.size >= MAX_NONCES) this.forgetEnded();
    // who keeps so many nonces alive has to fetch new ones: a count must not be forgotten before its nonce ends
    if (this.counts.size >= MAX_NONCES && !this.counts.has(nonce)) return false;
    this.counts.set(nonce, count);
    return true;
  }

  private forgetEnded(): void {
    const since = this.now() - NONCE_LIFE_MS;
    for (const nonce of this.counts.keys()) {
      if (Number.parseInt(nonce, 36) <= since) this.counts.delete(nonce);
    }
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

function parseDigest(text: string): Record<string, string> {
  const members: Record<string, string> = Object.create(null);
  for (const [, name, quoted, bare] of text.matchAll(
    // the look back keeps a long run of letters from being read again from each of them
    /(?<![a-z])([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi,
  )) {
    if (name) members[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
  }
  return members;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
