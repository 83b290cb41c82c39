/** Which permission decides a request (security.md §8.3). */
import type { RequiredFlags } from '../../model/request-traits.ts';
import type { Permission } from './permission.ts';
import type { AuthorizationExchange } from './predicate.ts';

/** How the store's permissions of one role are ranked. */
export type PermissionOrder = 'mongo' | 'file';

/** Permissions by role, ranked once when they are loaded. */
export class RankedPermissions {
  private readonly byRole = new Map<string, Permission[]>();
  /** True when a predicate looks at the body, which then has to be read before authorization. */
  readonly needsBody: boolean;
  readonly size: number;

  /** @param permissions - in the order of the file, or ascending by `_id` */
  constructor(permissions: readonly Permission[], order: PermissionOrder) {
    // later entries win ties in both stores
    const latestFirst = [...permissions].reverse();
    const sorted = latestFirst.toSorted((a, b) =>
      order === 'mongo'
        ? rank(b.priority, -Infinity) - rank(a.priority, -Infinity) || 0
        : rank(a.priority, Infinity) - rank(b.priority, Infinity) || 0,
    );
    for (const permission of sorted) {
      for (const role of new Set(permission.roles)) {
        const ranked = this.byRole.get(role);
        if (ranked) ranked.push(permission);
        else this.byRole.set(role, [permission]);
      }
    }
    this.needsBody = permissions.some((permission) => permission.predicate.needsBody);
    this.size = permissions.length;
  }

  /** The permissions of a role, best first. */
  of(role: string): readonly Permission[] {
    return this.byRole.get(role) ?? [];
  }

  /**
   * The first matching permission of the first role, in the account's order, that has any; each
   * permission looked at is given to `visit`, for explanations.
   */
  select(
    roles: readonly string[],
    exchange: AuthorizationExchange,
    required: RequiredFlags | undefined,
    visit?: (role: string, permission: Permission, outcome: PermissionOutcome) => void,
  ): Permission | undefined {
    for (const role of roles) {
      for (const permission of this.of(role)) {
        const outcome = judge(permission, exchange, required);
        visit?.(role, permission, outcome);
        if (outcome === 'match') return permission;
      }
    }
    return undefined;
  }
}

/** Why a permission did or did not decide. */
export type PermissionOutcome = 'match' | 'predicate is false' | 'flag is missing';

function judge(
  permission: Permission,
  exchange: AuthorizationExchange,
  required: RequiredFlags | undefined,
): PermissionOutcome {
  if (!permission.predicate.test(exchange)) return 'predicate is false';
  return required === undefined || hasFlags(permission, required) ? 'match' : 'flag is missing';
}

function hasFlags({ mongo }: Permission, required: RequiredFlags): boolean {
  return (
    (mongo.allowManagementRequests || !required.management) &&
    (mongo.allowBulkPatch || !required.bulkPatch) &&
    (mongo.allowBulkDelete || !required.bulkDelete) &&
    (mongo.allowWriteMode || !required.writeMode)
  );
}

// -Infinity minus itself is NaN, which `|| 0` above turns into a tie
function rank(priority: number | undefined, missing: number): number {
  return priority ?? missing;
}
