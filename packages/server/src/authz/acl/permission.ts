/** Permission documents of the ACL: their shape, their checks, their order (security.md §8.2, §8.3). */
import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, Double, Long } from '../../model/bson.ts';
import { compilePredicate, type Predicate, type PredicateOptions } from './predicate.ts';

/** The `mongo` object of a permission; variables in the filters are not yet resolved. */
export interface MongoPermissions {
  readonly allowManagementRequests: boolean;
  readonly allowBulkPatch: boolean;
  readonly allowBulkDelete: boolean;
  readonly allowWriteMode: boolean;
  readonly readFilter: BsonDocument | undefined;
  readonly writeFilter: BsonDocument | undefined;
  readonly mergeRequest: BsonDocument | undefined;
  readonly projectResponse: BsonDocument | undefined;
}

/** One rule of the ACL, ready to be matched. */
export interface Permission {
  /** Names the rule in explanations and logs. */
  readonly id: string;
  readonly roles: readonly string[];
  readonly predicate: Predicate;
  /** Undefined sorts last. */
  readonly priority: number | undefined;
  readonly description: string | undefined;
  readonly mongo: MongoPermissions;
  /** True when the predicate, or a variable in the filters, looks at the body. */
  readonly needsBody: boolean;
}

const FLAGS = [
  'allowManagementRequests',
  'allowBulkPatch',
  'allowBulkDelete',
  'allowWriteMode',
] as const;
const FILTERS = ['readFilter', 'writeFilter', 'mergeRequest', 'projectResponse'] as const;

/**
 * A permission from its document.
 *
 * @throws ERR_CONFIG_PERMISSION naming the member at fault; the caller ignores the permission (fail closed)
 */
export function toPermission(document: BsonDocument, options: PredicateOptions): Permission {
  const predicate = document.get('predicate');
  if (typeof predicate !== 'string') throw invalid('predicate', 'must be a string');
  const priority = document.get('priority');
  const description = document.get('description');
  const compiled = compilePredicate(predicate, options);
  const mongo = document.get('mongo');
  return {
    id: formatId(document.get('_id')),
    roles: toRoles(document.get('roles')),
    predicate: compiled,
    needsBody: compiled.needsBody || mentionsBody(mongo),
    priority: priority === undefined || priority === null ? undefined : toNumber(priority),
    description: typeof description === 'string' ? description : undefined,
    mongo: toMongoPermissions(mongo),
  };
}

/** Nothing is allowed beyond plain requests, nothing is filtered. */
export const NO_MONGO_PERMISSIONS: MongoPermissions = {
  allowManagementRequests: false,
  allowBulkPatch: false,
  allowBulkDelete: false,
  allowWriteMode: false,
  readFilter: undefined,
  writeFilter: undefined,
  mergeRequest: undefined,
  projectResponse: undefined,
};

function toMongoPermissions(value: BsonValue | undefined): MongoPermissions {
  if (value === undefined || value === null) return NO_MONGO_PERMISSIONS;
  if (!(value instanceof Map)) throw invalid('mongo', 'must be an object');
  const permissions: { -readonly [K in keyof MongoPermissions]: MongoPermissions[K] } = {
    ...NO_MONGO_PERMISSIONS,
  };
  for (const flag of FLAGS) {
    const given = value.get(flag) ?? null;
    if (given !== null && typeof given !== 'boolean') {
      throw invalid(`mongo.${flag}`, 'must be true or false');
    }
    permissions[flag] = given === true;
  }
  for (const filter of FILTERS) {
    const given = value.get(filter) ?? null;
    if (given !== null && !(given instanceof Map)) {
      throw invalid(`mongo.${filter}`, 'must be an object');
    }
    permissions[filter] = given === null ? undefined : unescapeDocument(given);
  }
  if (permissions.projectResponse) checkProjection(permissions.projectResponse);
  return permissions;
}

/** All 0 or all 1; a mixture would say neither what stays nor what goes. */
function checkProjection(projection: BsonDocument): void {
  const kinds = new Set([...projection.values()].map(toNumber));
  if (kinds.size > 1 || [...kinds].some((kind) => kind !== 0 && kind !== 1)) {
    throw invalid('mongo.projectResponse', 'must have only 0 or only 1 as values');
  }
}

function mentionsBody(value: BsonValue | undefined): boolean {
  if (typeof value === 'string') return value.startsWith('@request.body.');
  if (Array.isArray(value)) return value.some(mentionsBody);
  return value instanceof Map && [...value.values()].some(mentionsBody);
}

function toRoles(value: BsonValue | undefined): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('roles', 'must be an array of strings that is not empty');
  }
  return value.map((role) => {
    if (typeof role !== 'string') throw invalid('roles', 'must hold strings only');
    return role;
  });
}

/** `_$or` is `$or`, `a::b` is `a.b`: how operators were once kept in MongoDB's documents. */
function unescapeDocument(document: BsonDocument): BsonDocument {
  return new Map(
    [...document].map(([name, value]) => [
      name.replace(/^_\$/, '$').replaceAll('::', '.'),
      unescapeValue(value),
    ]),
  );
}

function unescapeValue(value: BsonValue): BsonValue {
  if (Array.isArray(value)) return value.map(unescapeValue);
  return value instanceof Map ? unescapeDocument(value) : value;
}

function toNumber(value: BsonValue): number {
  if (typeof value === 'number') return value;
  if (value instanceof Double) return value.value;
  if (value instanceof Long) return value.toNumber();
  throw invalid('priority', 'must be a number');
}

function formatId(id: BsonValue | undefined): string {
  return id === undefined || id === null ? '(no id)' : String(id);
}

function invalid(member: string, reason: string): QuorateError {
  return new QuorateError('ERR_CONFIG_PERMISSION', {
    message: `Invalid permission: ${member} ${reason}`,
    details: { member },
  });
}
