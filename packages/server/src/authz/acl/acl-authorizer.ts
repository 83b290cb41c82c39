/** The ACL as an allower: which permission lets a request through (security.md §8.2, §8.3). */
import {
  type Allower,
  ANONYMOUS_ROLE,
  type AuthorizationRequest,
  type Decision,
} from '../authorization.ts';
import type { Permission } from './permission.ts';
import {
  judgePermission,
  NEEDS_BODY,
  type PermissionOutcome,
  type RankedPermissions,
} from './select-permission.ts';

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

/** One rule that was looked at, for explanations. */
export interface JudgedPermission {
  readonly role: string;
  readonly permission: Permission;
  readonly outcome: PermissionOutcome;
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

  authorize(request: AuthorizationRequest): Decision | Promise<Decision> {
    if (this.isRoot(request)) return 'everything';
    const permissions = this.source.current(request);
    if (permissions instanceof Promise)
      return permissions.then((loaded) => select(loaded, request));
    return select(permissions, request);
  }

  /** Nobody is let through without a name but by a permission for that. */
  async requiresAuthentication(request: AuthorizationRequest): Promise<boolean> {
    return (
      request.http.method !== 'OPTIONS' &&
      (request.identity.kind === 'account' || (await this.authorize(request)) === undefined)
    );
  }

  /** Every rule that was looked at, up to the one that decides. */
  async explain(request: AuthorizationRequest): Promise<{
    readonly isRoot: boolean;
    readonly judged: readonly JudgedPermission[];
  }> {
    if (this.isRoot(request)) return { isRoot: true, judged: [] };
    const permissions = await this.source.current(request);
    await request.loadBody();
    const judged: JudgedPermission[] = [];
    for (const role of rolesOf(request)) {
      for (const permission of permissions.of(role)) {
        const outcome = judgePermission(permission, request.exchange, request.traits?.flags);
        judged.push({ role, permission, outcome });
        if (outcome === 'match') return { isRoot: false, judged };
      }
    }
    return { isRoot: false, judged };
  }

  private isRoot({ identity }: AuthorizationRequest): boolean {
    return (
      this.rootRole !== undefined &&
      identity.kind === 'account' &&
      identity.roles.includes(this.rootRole)
    );
  }
}

function rolesOf({ identity }: AuthorizationRequest): readonly string[] {
  return identity.kind === 'account' ? identity.roles : ANONYMOUS_ROLES;
}

// without a promise where none is needed: this is on the way of every request
function select(
  permissions: RankedPermissions,
  request: AuthorizationRequest,
): Decision | Promise<Decision> {
  if (permissions.size === 0) return undefined;
  const { exchange, traits } = request;
  const roles = rolesOf(request);
  const found = permissions.select(roles, exchange, traits?.flags, false);
  if (found !== NEEDS_BODY) return found;
  return request.loadBody().then(() => {
    const decided = permissions.select(roles, exchange, traits?.flags, true);
    return decided === NEEDS_BODY ? undefined : decided;
  });
}
