/** What the built-in roles allow, in MongoDB's words (manual, "Built-In Roles"). */
import { type Document, toDocument } from '../bson/value.ts';
import { type GrantedRole, type Privilege, privilegesOfRole } from './roles.ts';

const ACTIONS: Readonly<Record<Exclude<Privilege, 'none'>, readonly string[]>> = {
  read: [
    'changeStream',
    'collStats',
    'dbHash',
    'dbStats',
    'find',
    'killCursors',
    'listCollections',
    'listIndexes',
    'planCacheRead',
  ],
  write: [
    'collMod',
    'convertToCapped',
    'createCollection',
    'createIndex',
    'dropCollection',
    'dropIndex',
    'insert',
    'remove',
    'renameCollectionSameDB',
    'update',
  ],
  dbAdmin: [
    'bypassDocumentValidation',
    'collMod',
    'collStats',
    'compact',
    'convertToCapped',
    'createCollection',
    'createIndex',
    'dbStats',
    'dropCollection',
    'dropDatabase',
    'dropIndex',
    'enableProfiler',
    'listCollections',
    'listIndexes',
    'planCacheRead',
    'planCacheWrite',
    'renameCollectionSameDB',
    'validate',
  ],
  userAdmin: [
    'changeCustomData',
    'changePassword',
    'createUser',
    'dropUser',
    'grantRole',
    'revokeRole',
    'viewRole',
    'viewUser',
  ],
  clusterMonitor: [
    'getCmdLineOpts',
    'getDefaultRWConcern',
    'getLog',
    'getParameter',
    'hostInfo',
    'inprog',
    'listDatabases',
    'listSessions',
    'replSetGetConfig',
    'replSetGetStatus',
    'serverStatus',
    'top',
  ],
  clusterAdmin: [
    'appendOplogNote',
    'fsync',
    'killAnySession',
    'killop',
    'logRotate',
    'replSetConfigure',
    'replSetStateChange',
    'setDefaultRWConcern',
    'setFeatureCompatibilityVersion',
    'setParameter',
    'unlock',
  ],
};

/** These are about the server and not about a database. */
const OF_CLUSTER: ReadonlySet<Privilege> = new Set<Privilege>(['clusterMonitor', 'clusterAdmin']);

/** The privileges of roles as `connectionStatus`, `usersInfo` and `rolesInfo` show them. */
export function describePrivileges(roles: readonly GrantedRole[]): Document[] {
  const actions = new Map<string, { readonly resource: Document; readonly names: Set<string> }>();
  for (const role of roles) {
    const { privileges, everywhere } = privilegesOfRole(role.role);
    for (const privilege of privileges) {
      if (privilege === 'none') continue;
      const isCluster = OF_CLUSTER.has(privilege);
      const database = everywhere ? '' : role.database;
      const key = isCluster ? 'cluster' : `db:${database}`;
      const entry = actions.get(key) ?? {
        resource: toDocument(isCluster ? { cluster: true } : { db: database, collection: '' }),
        names: new Set<string>(),
      };
      for (const name of ACTIONS[privilege]) entry.names.add(name);
      actions.set(key, entry);
    }
  }
  return [...actions.values()].map(({ resource, names }) =>
    toDocument({ resource, actions: [...names].sort() }),
  );
}
