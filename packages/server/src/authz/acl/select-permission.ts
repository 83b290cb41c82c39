/** Which permission decides a request (security.md §8.3). */
import type { RequiredFlags } from '../../model/request-traits.ts';
import type { AuthorizationExchange } from './exchange-attribute.ts';
import { keysOfPath } from './path-keys.ts';
import type { Permission } from './permission.ts';
import { UndecidedPredicate } from './rule-pattern.ts';

/** How the store's permissions of one role are ranked. */
export type PermissionOrder = 'mongo' | 'file';

/** The answer of `select` when a rule looks at the body, which has not been read. */
export const NEEDS_BODY = 'needs body';

interface Ranked {
  readonly permission: Permission;
  readonly rank: number;
}

/** The rules of one role, and where to find those that a path may match. */
class RoleRules {
  readonly all: Permission[] = [];
  private readonly anyPath: Ranked[] = [];
  private readonly byKey = new Map<string, Ranked[]>();

  /** Called in the order of rank. */
  add(permission: Permission): void {
    const ranked = { permission, rank: this.all.length };
    this.all.push(permission);
    const keys = permission.predicate.pathKeys;
    if (keys === undefined) {
      this.anyPath.push(ranked);
      return;
    }
    for (const key of new Set(keys)) {
      const known = this.byKey.get(key);
      if (known) known.push(ranked);
      else this.byKey.set(key, [ranked]);
    }
  }

  /** Those that may match, best first. */
  candidates(path: string): readonly Ranked[] {
    let found: readonly Ranked[] = this.anyPath;
    if (this.byKey.size === 0) return found;
    for (const key of keysOfPath(path)) {
      const more = this.byKey.get(key);
      if (more !== undefined) found = found.length === 0 ? more : merge(found, more);
    }
    return found;
  }
}

function merge(a: readonly Ranked[], b: readonly Ranked[]): readonly Ranked[] {
  return [...a, ...b].sort((one, other) => one.rank - other.rank);
}

/** Permissions by role, ranked and indexed once when they are loaded. */
export class RankedPermissions {
  private readonly byRole = new Map<string, RoleRules>();
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
        let rules = this.byRole.get(role);
        if (rules === undefined) {
          rules = new RoleRules();
          this.byRole.set(role, rules);
        }
        rules.add(permission);
      }
    }
    this.size = permissions.length;
  }

  /** The permissions of a role, best first. */
  of(role: string): readonly Permission[] {
    return this.byRole.get(role)?.all ?? [];
  }

  /**
   * The first matching permission of the first role, in the account's order, that has any.
   *
   * @param bodyIsRead - false: `NEEDS_BODY` is answered when a rule has to see the body
   */
  select(
    roles: readonly string[],
    exchange: AuthorizationExchange,
    required: RequiredFlags | undefined,
    bodyIsRead: boolean,
  ): Permission | typeof NEEDS_BODY | undefined {
    for (const role of roles) {
      const rules = this.byRole.get(role);
      if (rules === undefined) continue;
      for (const { permission } of rules.candidates(exchange.path)) {
        if (!bodyIsRead && permission.needsBody) return NEEDS_BODY;
        if (judgePermission(permission, exchange, required) === 'match') return permission;
      }
    }
    return undefined;
  }
}

/** Why a permission did or did not decide. */
export type PermissionOutcome = 'match' | 'predicate is false' | 'flag is missing';

/** Judges one permission; the body has been read if its predicate looks at it. */
export function judgePermission(
  permission: Permission,
  exchange: AuthorizationExchange,
  required: RequiredFlags | undefined,
): PermissionOutcome {
  try {
    if (!permission.predicate.test(exchange)) return 'predicate is false';
  } catch (error) {
    if (error instanceof UndecidedPredicate) return 'predicate is false';
    throw error;
  }
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
