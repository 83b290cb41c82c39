/** Rules that refuse a request whoever asks (security.md §9). */
import type { BsonValue } from '../model/bson.ts';
import { matchPathTemplate } from './acl/path-template.ts';
import type { AuthorizationRequest, Vetoer } from './authorization.ts';

/** Refuses filters with forbidden operators at any depth, for the root role too. */
export class FilterOperatorVetoer implements Vetoer {
  readonly name = 'filterOperatorsBlacklist';
  private readonly operators: ReadonlySet<string>;

  /** @param operators - each starts with `$` */
  constructor(operators: readonly string[]) {
    this.operators = new Set(operators);
  }

  vetoes({ traits }: AuthorizationRequest): boolean {
    return traits?.filter !== undefined && this.mentions(traits.filter);
  }

  private mentions(value: BsonValue): boolean {
    if (Array.isArray(value)) return value.some((item) => this.mentions(item));
    if (!(value instanceof Map)) return false;
    for (const [name, member] of value) {
      if (this.operators.has(name) || this.mentions(member)) return true;
    }
    return false;
  }
}

export interface OriginVetoerOptions {
  readonly whitelist: readonly string[];
  readonly whitelistPatterns: readonly string[];
  readonly allowMissingOrigin: boolean;
  /** Path templates that every origin may use. */
  readonly ignorePaths: readonly string[];
}

/** Refuses requests from web pages of foreign origins. */
export class OriginVetoer implements Vetoer {
  readonly name = 'originVetoer';
  private readonly prefixes: readonly string[];
  private readonly patterns: readonly RegExp[];
  private readonly allowMissingOrigin: boolean;
  private readonly ignorePaths: readonly string[];

  constructor(options: OriginVetoerOptions) {
    this.prefixes = options.whitelist.map(normalizeOrigin);
    this.patterns = options.whitelistPatterns.map(toPattern);
    this.allowMissingOrigin = options.allowMissingOrigin;
    this.ignorePaths = options.ignorePaths;
  }

  vetoes({ http, exchange }: AuthorizationRequest): boolean {
    const origin = http.header('origin');
    const isPreflight =
      http.method === 'OPTIONS' && http.header('access-control-request-method') !== undefined;
    if (isPreflight && origin !== undefined) return false;
    if (this.ignorePaths.some((path) => matchPathTemplate(path, exchange.path, new Map()))) {
      return false;
    }
    if (this.prefixes.length === 0 && this.patterns.length === 0) return false;
    if (origin === undefined) return !this.allowMissingOrigin;
    const normal = normalizeOrigin(origin);
    return (
      !this.prefixes.some((prefix) => normal.startsWith(prefix)) &&
      !this.patterns.some((pattern) => pattern.test(origin.toLowerCase()))
    );
  }
}

/** With its slash, so that `https://a.com` is not the beginning of `https://a.com.evil`. */
function normalizeOrigin(origin: string): string {
  const lower = origin.toLowerCase();
  return lower.endsWith('/') ? lower : `${lower}/`;
}

function toPattern(glob: string): RegExp {
  const escaped = glob.toLowerCase().replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*')}$`);
}

/** Below `/roles`, only the own one may be asked (security.md §6). */
export class ForeignRolesVetoer implements Vetoer {
  readonly name = 'foreignRoles';
  private readonly uri: string;

  constructor(uri: string) {
    this.uri = uri;
  }

  vetoes({ http, identity, exchange }: AuthorizationRequest): boolean {
    const { path } = exchange;
    if (http.method === 'OPTIONS') return false;
    if (path !== this.uri && !path.startsWith(`${this.uri}/`)) return false;
    return identity.kind === 'anonymous' || path !== `${this.uri}/${identity.name}`;
  }
}
