/** The ACL as an allower: which permission lets a request through (security.md §8.2, §8.3). */
import { type Allower, ANONYMOUS_ROLE, type AuthorizationRequest } from '../authorization.ts';
import type { Permission } from './permission.ts';
import type { PermissionOutcome, RankedPermissions } from './select-permission.ts';

/** Where the rules come from: a file, or MongoDB with its cache. */
export interface PermissionSource {
  /** The rules in force, for the request's database when an interceptor chose another one. */
  current(request: AuthorizationRequest): RankedPermissions | Promise<RankedPermissions>;
}

export interface AclAuthorizerOptions {
  readonly name: string;
  /** Accounts with this role pass every check; undefined: there is none. */
  readonly rootRole: string | undefined;
}

const ANONYMOUS_ROLES = [ANONYMOUS_ROLE];

/** Allows what a permission allows. */
export class AclAuthorizer implements Allower {
  readonly name: string;
  private readonly source: PermissionSource;
  private readonly rootRole: string | undefined;

  constructor(source: PermissionSource, options: AclAuthorizerOptions) {
    this.name = options.name;
    this.source = source;
    this.rootRole = options.rootRole;
  }

  async authorize(
    request: AuthorizationRequest,
    visit?: (role: string, permission: Permission, outcome: PermissionOutcome) => void,
  ): Promise<Permission | 'everything' | undefined> {
    const roles = request.identity.kind === 'account' ? request.identity.roles : ANONYMOUS_ROLES;
    if (this.rootRole !== undefined && roles.includes(this.rootRole)) return 'everything';
    const permissions = await this.source.current(request);
    if (permissions.size === 0) return undefined;
    if (permissions.needsBody) await request.loadBody();
    return permissions.select(roles, request.exchange, request.traits?.flags, visit);
  }

  async requiresAuthentication(request: AuthorizationRequest): Promise<boolean> {
    if (request.http.method === 'OPTIONS') return false;
    const permissions = await this.source.current(request);
    if (permissions.of(ANONYMOUS_ROLE).length === 0) return true;
    if (permissions.needsBody) await request.loadBody();
    const matching = permissions.select(ANONYMOUS_ROLES, request.exchange, request.traits?.flags);
    return matching === undefined;
  }
}
