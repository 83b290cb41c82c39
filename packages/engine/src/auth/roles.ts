/** What a command needs; see `CommandDefinition.privilege`. */
export type Privilege =
  | 'read'
  | 'write'
  | 'dbAdmin'
  | 'userAdmin'
  | 'clusterMonitor'
  | 'clusterAdmin'
  | 'none';

/** A role granted to a user, on its database. */
export interface GrantedRole {
  readonly role: string;
  readonly database: string;
}

interface RoleRule {
  readonly privileges: readonly Privilege[];
  /** On all databases; such a role is granted on admin only. */
  readonly everywhere?: boolean;
}

const READ: readonly Privilege[] = ['read'];
const READ_WRITE: readonly Privilege[] = ['read', 'write'];
const ALL: readonly Privilege[] = [
  'read',
  'write',
  'dbAdmin',
  'userAdmin',
  'clusterMonitor',
  'clusterAdmin',
];

/** MongoDB's built-in roles (manual, "Built-In Roles") by the privileges the engine tells apart. */
const BUILT_IN: ReadonlyMap<string, RoleRule> = new Map<string, RoleRule>([
  ['read', { privileges: READ }],
  ['readWrite', { privileges: READ_WRITE }],
  ['dbAdmin', { privileges: ['dbAdmin'] }],
  ['userAdmin', { privileges: ['userAdmin'] }],
  ['dbOwner', { privileges: ['read', 'write', 'dbAdmin', 'userAdmin'] }],
  ['readAnyDatabase', { privileges: READ, everywhere: true }],
  ['readWriteAnyDatabase', { privileges: READ_WRITE, everywhere: true }],
  ['dbAdminAnyDatabase', { privileges: ['dbAdmin'], everywhere: true }],
  ['userAdminAnyDatabase', { privileges: ['userAdmin'], everywhere: true }],
  ['clusterMonitor', { privileges: ['clusterMonitor'], everywhere: true }],
  ['clusterManager', { privileges: ['clusterMonitor', 'clusterAdmin'], everywhere: true }],
  ['hostManager', { privileges: ['clusterMonitor', 'clusterAdmin'], everywhere: true }],
  ['clusterAdmin', { privileges: ['clusterMonitor', 'clusterAdmin'], everywhere: true }],
  ['backup', { privileges: ['read', 'clusterMonitor'], everywhere: true }],
  ['restore', { privileges: ['write', 'dbAdmin', 'userAdmin'], everywhere: true }],
  ['root', { privileges: ALL, everywhere: true }],
]);

/** Whether a role of that name can be granted on `database`. */
export function isBuiltInRole(role: string, database: string): boolean {
  const rule = BUILT_IN.get(role);
  return rule !== undefined && (rule.everywhere !== true || database === 'admin');
}

/** The names of the built-in roles that exist on `database`. */
export function builtInRoles(database: string): string[] {
  return [...BUILT_IN.keys()].filter((role) => isBuiltInRole(role, database));
}

/** What a built-in role allows, and whether on all databases; nothing for an unknown one. */
export function privilegesOfRole(role: string): {
  readonly privileges: readonly Privilege[];
  readonly everywhere: boolean;
} {
  const rule = BUILT_IN.get(role);
  return { privileges: rule?.privileges ?? [], everywhere: rule?.everywhere === true };
}

/** Whether `roles` together allow `privilege` on `database`. */
export function isAllowed(
  roles: readonly GrantedRole[],
  privilege: Privilege,
  database: string,
): boolean {
  if (privilege === 'none') return true;
  return roles.some((granted) => {
    const rule = BUILT_IN.get(granted.role);
    if (rule === undefined || !rule.privileges.includes(privilege)) return false;
    return rule.everywhere === true || granted.database === database;
  });
}
