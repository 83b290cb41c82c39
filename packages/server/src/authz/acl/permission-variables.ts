/** Variables in `readFilter`, `writeFilter`, `mergeRequest` and aggregation stages (security.md §8.7). */
import { randomBytes } from 'node:crypto';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';

/** The values that the variables stand for in one request. */
export interface PermissionVariables {
  /** The account's properties; undefined for an anonymous client. */
  readonly user: BsonDocument | undefined;
  /** The same with the claims that belong to a token. */
  readonly userProperties: BsonDocument | undefined;
  readonly userName: string | undefined;
  readonly roles: readonly string[];
  readonly receivedAtMs: number;
  /** The client's own filter; an empty document when it sent none. */
  readonly filter: BsonDocument;
  /** Members of `@request` without the body. */
  readonly request: BsonDocument;
  readonly body: BsonValue | undefined;
  readonly mongoPermissions: BsonDocument;
  queryValue(name: string): string | undefined;
}

/** The document with every string that is a variable, whole, replaced by the variable's value. */
export function resolveVariables(
  document: BsonDocument,
  variables: PermissionVariables,
): BsonDocument {
  return new Map([...document].map(([name, value]) => [name, resolveValue(value, variables)]));
}

/**
 * The same for a filter: what comes from the account or the body is a value there, never an operator,
 * or an account whose property is `{"$ne": null}` would see everything.
 */
export function resolveFilter(filter: BsonDocument, variables: PermissionVariables): BsonDocument {
  return new Map(
    [...filter].map(([name, value]) => [name, resolveCondition(name, value, variables)]),
  );
}

function resolveCondition(
  name: string,
  value: BsonValue,
  variables: PermissionVariables,
): BsonValue {
  if (Array.isArray(value)) return value.map((item) => resolveCondition('$', item, variables));
  if (value instanceof Map) return resolveFilter(value, variables);
  if (typeof value !== 'string') return value;
  const resolved = resolveText(value, variables);
  const isOwnFilter = value === '@filter' || value.startsWith('@mongoPermissions');
  if (name.startsWith('$') || isOwnFilter || resolved === value || !holdsOperator(resolved)) {
    return resolved;
  }
  return new Map([['$eq', resolved]]);
}

function holdsOperator(value: BsonValue): boolean {
  return value instanceof Map && [...value.keys()].some((name) => name.startsWith('$'));
}

function resolveValue(value: BsonValue, variables: PermissionVariables): BsonValue {
  if (typeof value === 'string') return resolveText(value, variables);
  if (Array.isArray(value)) return value.map((item) => resolveValue(item, variables));
  return value instanceof Map ? resolveVariables(value, variables) : value;
}

function resolveText(text: string, variables: PermissionVariables): BsonValue {
  const first = text.charAt(0);
  if (first === '@') return resolveAt(text, variables);
  if (first !== '%') return text;
  if (text === '%NOW') return now(variables);
  if (text === '%USER') return variables.userName ?? null;
  if (text === '%ROLES') return [...variables.roles];
  return text;
}

function resolveAt(text: string, variables: PermissionVariables): BsonValue {
  switch (text) {
    case '@user':
      return variables.user ?? null;
    case '@now':
      return now(variables);
    case '@filter':
      return variables.filter;
    case '@request':
      return variables.request;
    case '@mongoPermissions':
      return variables.mongoPermissions;
  }
  const queryName = /^@qparams\[(?:'([^']*)'|"([^"]*)")\]$/.exec(text);
  if (queryName) return variables.queryValue(queryName[1] ?? queryName[2] ?? '') ?? null;
  const bits = /^@rnd\((\d+)\)$/.exec(text)?.[1];
  if (bits !== undefined) return randomHex(Number(bits));
  if (text.startsWith('@user.')) return lookUp(variables.userProperties, text.slice(6));
  if (text.startsWith('@request.body.')) return lookUp(variables.body, text.slice(14));
  if (text.startsWith('@request.')) return lookUp(variables.request, text.slice(9));
  if (text.startsWith('@mongoPermissions.'))
    return lookUp(variables.mongoPermissions, text.slice(18));
  return text;
}

/** Documented as truncated to seconds. */
function now(variables: PermissionVariables): Date {
  return new Date(Math.floor(variables.receivedAtMs / 1000) * 1000);
}

function randomHex(bits: number): string | null {
  if (bits < 1 || bits > 4096) return null;
  return randomBytes(Math.ceil(bits / 8)).toString('hex');
}

function lookUp(value: BsonValue | undefined, path: string): BsonValue {
  let found: BsonValue | undefined = value;
  for (const name of path.split('.')) {
    if (found instanceof Map) found = found.get(name);
    else if (Array.isArray(found) && /^\d+$/.test(name)) found = found[Number(name)];
    else return null;
  }
  return found ?? null;
}
