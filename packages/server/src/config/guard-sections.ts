/** Settings of limits, records and headers that RESTHeart does not have. */
import { any, bool, choice, int, maybeText, plugin } from './key.ts';

/** One entry of `/rateLimits/policies`. */
export interface RatePolicyEntry {
  readonly name?: string;
  readonly quota: number;
  /** Seconds. */
  readonly window: number;
  readonly per?: 'address' | 'account' | 'everybody';
  readonly paths?: readonly string[];
}

export const GUARD_SECTIONS = {
  rateLimits: plugin(false, 'How many requests a client may send (Quorate)', {
    policies: {
      ...any<readonly RatePolicyEntry[]>(
        [{ name: 'default', quota: 600, window: 60, per: 'account', paths: ['/'] }],
        'each with quota, window in seconds, per (account, address or everybody), paths and a name',
      ),
      check: checkPolicies,
    },
    shared: bool(true, 'one count for all nodes, through MongoDB'),
    'trust-x-forwarded-for': bool(false, 'the address is named by a proxy'),
    'x-forwarded-for-value-from-last': int(0, 'which value, from the end', { min: 0 }),
  }),
  auditLog: plugin(false, 'Who asked for what, and whether he got it (Quorate)', {
    scope: choice(
      ['refusals', 'writes', 'all'],
      'writes',
      'refusals alone, writes and refusals, or all requests',
    ),
    collection: bool(false, 'also in the capped collection audit of the database _quorate'),
    'collection-size': int(104_857_600, 'of that collection', { unit: 'bytes', min: 4096 }),
  }),
  securityHeaders: plugin(true, 'Headers that protect browsers (Quorate)', {
    headers: any<Readonly<Record<string, string>>>(
      { 'X-Content-Type-Options': 'nosniff' },
      'names and values, on every answer of a service',
    ),
    'strict-transport-security': maybeText('value of Strict-Transport-Security over TLS'),
  }),
} as const;

const NAMES = /^[A-Za-z0-9_-]+$/;
const COUNTED_BY = ['address', 'account', 'everybody'];

function checkPolicies(policies: unknown): string | undefined {
  if (!Array.isArray(policies)) return 'a list of policies';
  const isRight = policies.every((policy: Partial<RatePolicyEntry> | null) => {
    if (typeof policy !== 'object' || policy === null) return false;
    const { name = 'default', quota, window, per = 'account', paths = ['/'] } = policy;
    return (
      NAMES.test(name) &&
      Number.isInteger(quota) &&
      Number(quota) > 0 &&
      Number(window) > 0 &&
      COUNTED_BY.includes(per) &&
      Array.isArray(paths) &&
      paths.every((path) => typeof path === 'string' && path.startsWith('/'))
    );
  });
  const names = policies.map(
    (policy: Partial<RatePolicyEntry> | null) => policy?.name ?? 'default',
  );
  if (isRight && new Set(names).size === names.length) return undefined;
  return 'a list of policies of different names, each with a quota and a window above 0, per account, address or everybody, and paths that start with /';
}
