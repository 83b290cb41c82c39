/**
 * How many requests a client may send (draft-ietf-httpapi-ratelimit-headers). A window has one count for all nodes,
 * kept in MongoDB; a node takes a share of what is left ahead of need, so that most requests ask nobody.
 */
import { QuorateError } from '../errors/quorate-error.ts';
import { LruCache } from '../lib/lru-cache.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { RequestLimiter } from '../model/ports.ts';
import type { ReplyHeader } from '../model/reply.ts';
import { decodePath } from './authorization.ts';

/** One limit. */
export interface RatePolicy {
  /** Names it in headers: letters, digits, `-` and `_`. */
  readonly name: string;
  /** Requests in a window. */
  readonly quota: number;
  readonly windowMs: number;
  /** Whose requests are counted together; `account` counts anonymous clients by their address. */
  readonly per: 'address' | 'account' | 'everybody';
  /** It counts at and below these paths. */
  readonly paths: readonly string[];
}

/** The counts of all nodes together; implemented in `mongo/`. */
export interface SharedCounts {
  /**
   * Takes up to `wanted` requests of a window that allows `quota`.
   *
   * @returns how many were granted, and how many are taken by now
   * @throws when the database is away: then each node counts for itself
   */
  take(
    key: string,
    share: { readonly wanted: number; readonly quota: number; readonly endsAtMs: number },
  ): Promise<{ readonly granted: number; readonly taken: number }>;
}

export interface RateLimiterOptions {
  readonly policies: readonly RatePolicy[];
  /** Undefined: this node counts alone. */
  readonly shared: SharedCounts | undefined;
  readonly sourceOf: (request: HttpRequest) => string;
  readonly warn: (message: string, error: unknown) => void;
  readonly now?: () => number;
}

/** What this node knows of one client's window. */
interface Window {
  readonly endsAtMs: number;
  /** Taken from the shared count and not yet used. */
  left: number;
  /** Taken by all nodes, as of the last look. */
  taken: number;
  taking: Promise<void> | undefined;
}

const MAX_CLIENTS = 100_000;
// a share is a tenth of what is left: few looks at first, exact at the end
const SHARES = 10;

/** Counts requests, and refuses those above a limit. */
export class RateLimiter implements RequestLimiter {
  private readonly options: RateLimiterOptions;
  private readonly windows: LruCache<string, Window>;
  private readonly now: () => number;
  private hasWarned = false;

  constructor(options: RateLimiterOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
    const ttlMs = Math.max(1, ...options.policies.map(({ windowMs }) => windowMs));
    this.windows = new LruCache({ maxEntries: MAX_CLIENTS, ttlMs, now: this.now });
  }

  beforeLogin(request: HttpRequest): readonly ReplyHeader[] | Promise<readonly ReplyHeader[]> {
    return this.count(request, undefined);
  }

  afterLogin(
    request: HttpRequest,
    identity: Identity,
  ): readonly ReplyHeader[] | Promise<readonly ReplyHeader[]> {
    return this.count(request, identity);
  }

  private count(
    request: HttpRequest,
    identity: Identity | undefined,
  ): readonly ReplyHeader[] | Promise<readonly ReplyHeader[]> {
    const path = decodePath(request.rawPath);
    const policies = this.options.policies.filter(
      ({ per, paths }) => (per === 'account') === (identity !== undefined) && covers(paths, path),
    );
    if (policies.length === 0) return [];
    const open: Promise<ReplyHeader[]>[] = [];
    const headers: ReplyHeader[] = [];
    for (const policy of policies) {
      const counted = this.use(policy, keyOf(policy, request, identity, this.options.sourceOf));
      if (counted instanceof Promise) open.push(counted);
      else headers.push(...counted);
    }
    if (open.length === 0) return headers;
    return Promise.all(open).then((more) => [...headers, ...more.flat()]);
  }

  private use(policy: RatePolicy, key: string): ReplyHeader[] | Promise<ReplyHeader[]> {
    const window = this.windowOf(policy, key);
    if (window.left > 0) {
      window.left -= 1;
      return this.describe(policy, window);
    }
    if (window.taken >= policy.quota) throw this.refusal(policy, window);
    window.taking ??= this.take(policy, key, window).finally(() => {
      window.taking = undefined;
    });
    return window.taking.then(() => this.use(policy, key));
  }

  private windowOf({ windowMs }: RatePolicy, key: string): Window {
    const now = this.now();
    const known = this.windows.get(key);
    if (known !== undefined && known.endsAtMs > now) return known;
    // windows begin at the same time on every node
    const endsAtMs = (Math.floor(now / windowMs) + 1) * windowMs;
    const window: Window = { endsAtMs, left: 0, taken: 0, taking: undefined };
    this.windows.set(key, window);
    return window;
  }

  private async take({ quota }: RatePolicy, key: string, window: Window): Promise<void> {
    const { shared, warn } = this.options;
    const rest = quota - window.taken;
    if (shared === undefined) {
      window.left = rest;
      window.taken = quota;
      return;
    }
    const wanted = Math.max(1, Math.floor(rest / SHARES));
    try {
      const { granted, taken } = await shared.take(key, {
        wanted,
        quota,
        endsAtMs: window.endsAtMs,
      });
      window.left = granted;
      window.taken = taken;
      this.hasWarned = false;
    } catch (error) {
      // no limit at all would be worse, and no service too: what is left of the window is this node's own
      if (!this.hasWarned) warn('Requests are counted by this node only', error);
      this.hasWarned = true;
      window.left = rest;
      window.taken = quota;
    }
  }

  private describe({ name, quota, windowMs }: RatePolicy, window: Window): ReplyHeader[] {
    const remaining = Math.max(0, quota - window.taken) + window.left;
    return [
      ['RateLimit-Policy', `"${name}";q=${quota};w=${Math.ceil(windowMs / 1000)}`],
      ['RateLimit', `"${name}";r=${remaining};t=${this.secondsLeft(window)}`],
    ];
  }

  private refusal(policy: RatePolicy, window: Window): QuorateError {
    const wait: ReplyHeader = ['Retry-After', String(this.secondsLeft(window))];
    return new QuorateError('ERR_REQUEST_RATE', {
      message: `Too many requests: ${policy.quota} in ${Math.ceil(policy.windowMs / 1000)} s are allowed. Please try again later.`,
      headers: [wait, ...this.describe(policy, window)],
    });
  }

  private secondsLeft({ endsAtMs }: Window): number {
    return Math.max(1, Math.ceil((endsAtMs - this.now()) / 1000));
  }
}

function covers(paths: readonly string[], path: string): boolean {
  return paths.some(
    (prefix) =>
      prefix === '/' || path === prefix || path.startsWith(`${prefix.replace(/\/$/, '')}/`),
  );
}

function keyOf(
  { name, per }: RatePolicy,
  request: HttpRequest,
  identity: Identity | undefined,
  sourceOf: RateLimiterOptions['sourceOf'],
): string {
  if (per === 'everybody') return JSON.stringify([name]);
  if (identity?.kind === 'account') return JSON.stringify([name, 'account', identity.name]);
  return JSON.stringify([name, 'address', sourceOf(request)]);
}
