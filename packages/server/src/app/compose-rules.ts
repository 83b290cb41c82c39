/** Which rules decide: allowers and vetoers as the configuration wants them. */
import { AclAuthorizer } from '../authz/acl/acl-authorizer.ts';
import { type Permission, toPermission } from '../authz/acl/permission.ts';
import { RankedPermissions } from '../authz/acl/select-permission.ts';
import {
  type Allower,
  FullAuthorizer,
  OwnRolesAllower,
  type Vetoer,
} from '../authz/authorization.ts';
import { FilterOperatorVetoer, ForeignRolesVetoer, OriginVetoer } from '../authz/vetoers.ts';
import type { Settings } from '../config/schema.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { PermissionStore } from '../mongo/permission-store.ts';
import type { Log } from '../observe/log.ts';
import { parseJson } from '../representation/json-reader.ts';
import { readConfiguredEntries } from './configured-entries.ts';
import type { SecurityDatabase } from './security-database.ts';

/** Those that let requests through, in the order in which they are asked. */
export function composeAllowers(
  settings: Settings,
  database: SecurityDatabase | undefined,
  log: Log,
): Allower[] {
  const { fileAclAuthorizer, fullAuthorizer, mongoAclAuthorizer } = settings;
  const allowers: Allower[] = [];
  if (fullAuthorizer.enabled) {
    const authenticationRequired = fullAuthorizer['authentication-required'];
    allowers.push(new FullAuthorizer({ authenticationRequired }));
  }
  if (fileAclAuthorizer.enabled) {
    const entries = readConfiguredEntries(
      fileAclAuthorizer['conf-file'],
      'permissions',
      fileAclAuthorizer.permissions,
    );
    const permissions = compilePermissions(entries, log, toMongoForm);
    const ranked = new RankedPermissions(permissions, 'file');
    const options = { name: 'fileAclAuthorizer', rootRole: undefined };
    allowers.push(new AclAuthorizer({ current: () => ranked }, options));
  }
  if (database && mongoAclAuthorizer.enabled) {
    const store = new PermissionStore(database.mongo, database.feed, {
      database: mongoAclAuthorizer['acl-db'],
      collection: mongoAclAuthorizer['acl-collection'],
      ttlMs: mongoAclAuthorizer['cache-enabled'] ? mongoAclAuthorizer['cache-ttl'] : 0,
      compile: (documents) => new RankedPermissions(compilePermissions(documents, log), 'mongo'),
    });
    const rootRole = mongoAclAuthorizer['root-role'] ?? undefined;
    allowers.push(new AclAuthorizer(store, { name: 'mongoAclAuthorizer', rootRole }));
  }
  if (allowers.length > 0 && settings.roles.enabled) {
    allowers.push(new OwnRolesAllower(settings.roles.uri));
  }
  return allowers;
}

/** A permission that is not valid is left out: whoever it would let in stays outside. */
export function compilePermissions(
  documents: readonly BsonDocument[],
  log: Pick<Log, 'warn'>,
  toDocument = (document: BsonDocument): BsonDocument => document,
): Permission[] {
  return documents.flatMap((document) => {
    try {
      return [toPermission(toDocument(document), { parseJson })];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn(`Permission ${String(document.get('_id') ?? '')} is ignored: ${reason}`, {});
      return [];
    }
  });
}

/** `role` and filters as JSON text are the file's way (security.md §8.2). */
function toMongoForm(entry: BsonDocument): BsonDocument {
  const role = entry.get('role');
  if (role !== undefined && entry.get('roles') !== undefined) {
    return new Map([...entry, ['roles', null]]);
  }
  const mongo = entry.get('mongo');
  return new Map<string, BsonValue>([
    ...entry,
    ...(role === undefined ? [] : [['roles', [role]] as [string, BsonValue]]),
    ...(mongo instanceof Map ? [['mongo', parseFilters(mongo)] as [string, BsonValue]] : []),
  ]);
}

function parseFilters(mongo: BsonDocument): BsonDocument {
  return new Map(
    [...mongo].map(([name, value]) => [name, typeof value === 'string' ? parseJson(value) : value]),
  );
}

/** Those that refuse requests, whoever asks. */
export function composeVetoers(settings: Settings): Vetoer[] {
  const { filterOperatorsBlacklist, originVetoer, roles } = settings;
  const vetoers: Vetoer[] = [];
  if (originVetoer.enabled) {
    vetoers.push(
      new OriginVetoer({
        whitelist: originVetoer.whitelist,
        whitelistPatterns: originVetoer['whitelist-patterns'],
        allowMissingOrigin: originVetoer['allow-missing-origin'],
        ignorePaths: originVetoer['ignore-paths'],
      }),
    );
  }
  if (filterOperatorsBlacklist.enabled) {
    vetoers.push(new FilterOperatorVetoer(filterOperatorsBlacklist.blacklist));
  }
  if (roles.enabled) vetoers.push(new ForeignRolesVetoer(roles.uri));
  return vetoers;
}
